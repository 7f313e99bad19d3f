#![no_main]
autochanger_fuzz::target!("log_pages");
