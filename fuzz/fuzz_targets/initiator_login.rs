#![no_main]
autochanger_fuzz::target!("initiator_login");
