#![no_main]
autochanger_fuzz::target!("reservations");
