#![no_main]
autochanger_fuzz::target!("volume_tags");
