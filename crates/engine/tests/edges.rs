//! Places where two things meet: hands and motions, an end and a question, a survey and a settlement.

#[path = "edges/answers.rs"]
mod answers;
#[path = "edges/durable.rs"]
mod durable;
#[path = "edges/freed.rs"]
mod freed;
#[path = "edges/hands.rs"]
mod hands;
#[path = "edges/settled.rs"]
mod settled;
#[path = "edges/stops.rs"]
mod stops;

use std::time::Duration;

use autochanger_sim::{Device, Library, Timing};
use autochanger_world::World;

fn library(drives: u16) -> Device {
    Library::new()
        .slots(10)
        .drives(drives)
        .ports(2)
        .cartridges("VT{:04}L8", 1..=6)
        .timing(Timing::midrange())
        .build()
}

fn in_drive(world: &World, drive: u16) -> Option<String> {
    let contents = world.device.contents();
    contents.into_iter().find(|(address, ..)| address.0 == drive).and_then(|(_, _, barcode)| barcode)
}

/// Every command takes a second, as with a changer behind a slow bus.
fn slow() -> Device {
    let mut timing = Timing::midrange();
    timing.command = Duration::from_secs(1);
    Library::new().slots(60).drives(2).ports(2).cartridges("VT{:04}L8", 1..=6).timing(timing).build()
}
