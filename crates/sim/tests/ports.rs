//! Target ports: several paths to one library, which serve, stand by or die.

use core::time::Duration;

use autochanger_scsi::{Inquiry, MoveMedium, TestUnitReady};
use autochanger_sim::{Access, ElementAddress, Library, Nexus, Outcome, SenseKey, Timing, Unit};

const FIRST: Unit = Unit { nexus: Nexus(1), lun: 0 };
const SECOND: Unit = Unit { nexus: Nexus(2), lun: 0 };

fn library() -> autochanger_sim::Device {
    let mut device = Library::new().cartridges("VT{:04}L8", 1..=4).timing(Timing::midrange()).build();
    device.connect(FIRST.nexus, 1);
    device.connect(SECOND.nexus, 2);
    device
}

/// The first sense key and code that is no unit attention; `None` for GOOD.
fn ready(device: &mut autochanger_sim::Device, unit: Unit) -> Option<(u8, u8, u8)> {
    loop {
        let key = device.submit(device.now(), unit, TestUnitReady {}.cdb().as_bytes(), &[], 0);
        let Some(Outcome::Answered(answer)) = device.take(key) else { panic!("it is answered") };
        match answer.sense.get(2).map(|key| key & 0x0F) {
            Some(6) => {}
            Some(key) => return Some((key, answer.sense[12], answer.sense[13])),
            None => return None,
        }
    }
}

#[test]
fn a_port_that_does_not_serve_says_so_and_is_still_known() {
    let mut device = library();
    let not_ready = SenseKey::NotReady as u8;
    for (access, code) in [
        (Access::Transition, 0x0A),
        (Access::Standby, 0x0B),
        (Access::Unavailable, 0x0C),
        (Access::Offline, 0x12),
    ] {
        device.set_port(device.now(), 1, access);
        assert_eq!(ready(&mut device, FIRST), Some((not_ready, 0x04, code)), "{access:?}");
        assert_eq!(ready(&mut device, SECOND), None, "{access:?}: the other port serves");
        let inquiry = Inquiry { vpd: None, allocation: 36 }.cdb();
        let key = device.submit(device.now(), FIRST, inquiry.as_bytes(), &[], 36);
        assert!(matches!(device.take(key), Some(Outcome::Answered(answer)) if answer.data.len() == 36));
    }
    device.set_port(device.now(), 1, Access::Active);
    assert_eq!(ready(&mut device, FIRST), None);
}

#[test]
fn a_port_that_dies_takes_the_answers_with_it_and_not_the_motion() {
    let mut device = library();
    assert_eq!(ready(&mut device, FIRST), None);
    let command = MoveMedium {
        transport: ElementAddress(0),
        source: ElementAddress(1000),
        destination: ElementAddress(500),
        invert: false,
    };
    let moving = device.submit(device.now(), FIRST, command.cdb().as_bytes(), &[], 0);
    device.set_port(Duration::from_secs(1), 1, Access::Dead);
    assert_eq!(device.take(moving), Some(Outcome::Lost));
    let key = device.submit(device.now(), FIRST, TestUnitReady {}.cdb().as_bytes(), &[], 0);
    assert_eq!(device.take(key), Some(Outcome::NotDelivered));
    while let Some(next) = device.next_event() {
        device.advance(next);
    }
    assert_eq!(device.find("VT0001L8"), Some(ElementAddress(500)));

    // When it comes back, whoever lost an answer there finds that its connection was lost.
    device.set_port(device.now(), 1, Access::Active);
    let key = device.submit(device.now(), FIRST, TestUnitReady {}.cdb().as_bytes(), &[], 0);
    let Some(Outcome::Answered(answer)) = device.take(key) else { panic!("it is answered") };
    assert_eq!((answer.sense[2] & 0x0F, answer.sense[12], answer.sense[13]), (6, 0x29, 0x07));
}
