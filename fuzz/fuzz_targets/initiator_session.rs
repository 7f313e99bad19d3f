#![no_main]
autochanger_fuzz::target!("initiator_session");
