#![no_main]
autochanger_fuzz::target!("mode_pages");
