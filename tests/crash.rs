//! The power is cut: at each sync of the store, and between them, with what disks lose, tear and reorder.
#![cfg(all(feature = "redb", feature = "sim"))]

mod common;
#[path = "crash/content.rs"]
mod content;
#[path = "crash/disk.rs"]
#[allow(dead_code, reason = "shared with the tests of the stores: each binary uses a part of it")]
mod disk;
#[path = "crash/power.rs"]
mod power;
#[path = "crash/recorded.rs"]
mod recorded;
#[path = "store/samples.rs"]
#[allow(dead_code, reason = "shared with the tests of the stores, which use all of it")]
mod samples;
#[path = "crash/script.rs"]
mod script;
#[path = "store/temp.rs"]
mod temp;

#[path = "crash/manager.rs"]
mod manager;
#[path = "crash/store.rs"]
mod store;
