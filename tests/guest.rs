//! Against a real kernel: User Mode Linux with a tape library behind its own iSCSI initiator (`tests/beds/guest/run.sh`).
//!
//! A test of this file runs itself in the guest, or has another program run there. What is missing for it is told in one
//! line and is a failure. `scripts/test` fetches it.
#![cfg(all(
    feature = "sg",
    feature = "sim",
    feature = "iscsi",
    feature = "redb",
    target_os = "linux",
    target_arch = "x86_64"
))]

#[path = "guest/bed.rs"]
mod bed;
#[path = "guest/bodies.rs"]
mod bodies;
#[path = "guest/discovery.rs"]
mod discovery;
#[path = "guest/examples.rs"]
mod examples;
#[path = "guest/faults.rs"]
mod faults;
#[path = "guest/foreign/mod.rs"]
mod foreign;
#[path = "guest/inside.rs"]
mod inside;
#[path = "guest/kernel.rs"]
mod kernel;
#[path = "guest/paths.rs"]
mod paths;
// Only a part of it is used here.
#[path = "guest/pings.rs"]
mod pings;
#[allow(dead_code, unreachable_pub)]
#[path = "beds/proxy.rs"]
mod proxy;
#[path = "examples/reads.rs"]
mod reads;
#[path = "guest/signals.rs"]
mod signals;
