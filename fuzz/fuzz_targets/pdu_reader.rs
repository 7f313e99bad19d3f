#![no_main]
autochanger_fuzz::target!("pdu_reader");
