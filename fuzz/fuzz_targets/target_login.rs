#![no_main]
autochanger_fuzz::target!("target_login");
