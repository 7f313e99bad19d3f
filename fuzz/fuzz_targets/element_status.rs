#![no_main]
autochanger_fuzz::target!("element_status");
