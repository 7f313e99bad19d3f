#![no_main]
autochanger_fuzz::target!("library");
