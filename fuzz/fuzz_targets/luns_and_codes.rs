#![no_main]
autochanger_fuzz::target!("luns_and_codes");
