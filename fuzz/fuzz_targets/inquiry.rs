#![no_main]
autochanger_fuzz::target!("inquiry");
