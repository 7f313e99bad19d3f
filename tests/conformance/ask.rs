//! One command, and what becomes of it.

use std::time::Duration;

use autochanger::transport::{Command, Completion, Transport};
use autochanger_scsi::vpd::UnitSerial;
use autochanger_scsi::{Cdb, Inquiry, Sense, SenseKey, Status, TestUnitReady};

/// For commands that move nothing.
pub(crate) const QUICK: Duration = Duration::from_secs(60);

/// For motion and what waits for it: a frame library with a full arm queue stays below.
pub(crate) const MOTION: Duration = Duration::from_secs(600);

/// How many unit attentions in a row are heard before something is wrong.
const ATTENTIONS: usize = 10;

/// Sends a command, and again after each unit attention: a device that reports one has not carried the command out.
pub(crate) async fn ask(device: &dyn Transport, cdb: Cdb, allocation: u32, timeout: Duration) -> Completion {
    for _ in 0..ATTENTIONS {
        let answer = device.execute(Command::reading(cdb, allocation, timeout)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{cdb}: {error}"));
        let attention = answer.sense().is_some_and(|sense| sense.key == SenseKey::UnitAttention);
        if answer.status != Status::CheckCondition || !attention {
            return answer;
        }
    }
    panic!("{cdb}: {ATTENTIONS} unit attentions in a row");
}

/// The data of a command that succeeds.
pub(crate) async fn good(device: &dyn Transport, cdb: Cdb, allocation: u32) -> bytes::Bytes {
    let answer = ask(device, cdb, allocation, QUICK).await;
    let sense = answer.sense();
    assert_eq!(answer.status, Status::Good, "{cdb} on {}: {sense:?}", device.device());
    answer.data
}

/// The sense of a command that is refused.
pub(crate) async fn refused(device: &dyn Transport, cdb: Cdb, allocation: u32) -> Sense {
    let answer = ask(device, cdb, allocation, MOTION).await;
    assert_eq!(answer.status, Status::CheckCondition, "{cdb} is not refused");
    answer.sense().expect("sense with CHECK CONDITION")
}

/// Additional sense code and qualifier.
pub(crate) fn code(sense: Sense) -> (u8, u8) {
    (sense.code.asc, sense.code.ascq)
}

/// The unit's serial number (VPD 80h); empty when it has none.
pub(crate) async fn serial(device: &dyn Transport) -> String {
    let answer = ask(device, Inquiry { vpd: Some(0x80), allocation: 255 }.cdb(), 255, QUICK).await;
    UnitSerial::parse(&answer.data).map(|page| page.serial().to_owned()).unwrap_or_default()
}

/// TEST UNIT READY: `None` when the unit is ready.
pub(crate) async fn readiness(device: &dyn Transport) -> Option<Sense> {
    let answer = ask(device, TestUnitReady {}.cdb(), 0, QUICK).await;
    answer.sense().filter(|_| answer.status == Status::CheckCondition)
}
