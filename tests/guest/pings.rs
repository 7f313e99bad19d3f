//! The kernel's own pings: it ends a session whose target does not answer them.

use std::path::Path;
use std::time::Duration;

use autochanger_scsi::sg::{Data, Device};
use autochanger_scsi::{Sense, TestUnitReady};

use super::bed::Guest;
use super::foreign::Bed;
use super::inside::{PATIENCE, until};

/// After how many seconds of silence the kernel pings, and how long it waits for the answer.
const PING: u32 = 1;

/// Several pings long.
const SILENCE: Duration = Duration::from_secs(5);

/// Whether the unit says that the session is a new one (29/07, I_T NEXUS LOSS OCCURRED).
fn is_new(changer: &str) -> bool {
    // A node that lost its answer is of no more use, so each look has its own.
    let Ok(mut device) = Device::open(Path::new(changer)) else { return false };
    let answer = device.execute(&TestUnitReady {}.cdb(), Data::None, PATIENCE);
    let sense = answer.ok().and_then(|answer| Sense::parse(answer.sense()));
    sense.is_some_and(|sense| (sense.code.asc, sense.code.ascq) == (0x29, 0x07))
}

#[test]
fn the_kernels_pings_keep_an_idle_session_and_end_one_whose_target_stands_still() {
    let name = "pings::the_kernels_pings_keep_an_idle_session_and_end_one_whose_target_stands_still";
    Guest::new().nothing().with("GUEST_PING", PING).run(name, || {
        let bed = Bed::start();
        bed.calm(&bed.changer);
        // The silence is what is tested.
        std::thread::sleep(SILENCE);
        assert!(!is_new(&bed.changer), "the session lives on: its pings were answered");
        // The target's only thread does nothing else for as long, pings or not.
        bed.runtime.spawn(async { std::thread::sleep(SILENCE) });
        std::thread::sleep(SILENCE);
        until("the kernel has logged in anew", || is_new(&bed.changer));
    });
}
