//! What sense data means for what we were doing. One table, tested row by row.

use autochanger_scsi::{Action, AdditionalSense, Sense, SenseKey};

use crate::request::FailureKind;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    /// A motion that is known not to have happened.
    Moving,
    /// Waiting for a drive.
    Loading,
    /// Unloading a drive.
    Unloading,
}

/// What to make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// It will go away by itself: try again.
    Again,
    /// The drive must be unloaded by us first.
    UnloadFirst,
    /// The operation has no need to be done: it is so already.
    AlreadySo,
    /// The device does not have the command: do without.
    NotOffered,
    /// It failed.
    Failed(FailureKind),
}

/// What sense data say of the command that they came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    /// It was carried out; the device only had something to remark.
    Done,
    /// Nothing: they are of an earlier command, and this one was not carried out (SPC-4 4.5.5). It may be sent again.
    OfAnother,
    /// It was not carried out, or not to its end.
    NotDone,
}

/// What sense data say of the command that they came with (smc.md 2.1, and 2.3 on keys 0 and 1 and on 5D).
pub(crate) fn said(sense: &Sense) -> Said {
    let remark = match sense.key {
        // OPERATION IN PROGRESS comes with this key, too, and the command has to wait for that.
        SenseKey::NoSense | SenseKey::Completed => sense.advice().first() == Action::Proceed,
        SenseKey::RecoveredError => true,
        SenseKey::HardwareError => sense.code.asc == FAILURE_PREDICTED,
        _ => false,
    };
    match (sense.deferred, remark) {
        (true, _) => Said::OfAnother,
        (false, true) => Said::Done,
        (false, false) => Said::NotDone,
    }
}

/// FAILURE PREDICTION THRESHOLD EXCEEDED: the command that hears of it has succeeded.
const FAILURE_PREDICTED: u8 = 0x5D;

/// NOT READY that passes with time (smc.md's WAIT rows): inventory, power-up, loading, calibrating, formatting.
pub(crate) fn is_becoming_ready(sense: &Sense) -> bool {
    let code = (sense.code.asc, sense.code.ascq);
    (sense.key, code) == (SenseKey::NoSense, (0x00, 0x16))
        || sense.key == SenseKey::NotReady
            && matches!(
                code,
                (0x04, 0x01 | 0x04 | 0x07 | 0x09 | 0x13 | 0x14 | 0x1A | 0x1B | 0x1D | 0x24) | (0x3E, 0x00)
            )
}

/// Sense data of a path that is not to be used now: asymmetric access in transition, standby or unavailable; the port is off
/// line (a fail-over port in transition); the communication behind the port failed.
pub(crate) fn is_of_path(sense: &Sense) -> bool {
    matches!(
        (sense.key, sense.code.asc, sense.code.ascq),
        (SenseKey::NotReady, 0x04, 0x0A..=0x0C | 0x12) | (SenseKey::AbortedCommand, 0x08, 0x00)
    )
}

/// A door or a port stands open, or somebody has switched the library to pause (the vendors' codes are those of IBM,
/// HP, Exabyte, Spectra, Qualstar, STK). Of a changer; a drive says other things by these codes.
pub(crate) fn is_open(code: AdditionalSense) -> bool {
    matches!((code.asc, code.ascq), (0x04, 0x18 | 0x82..=0x85) | (0x3A, 0x02) | (0x53, 0x81))
}

/// The table.
pub(crate) fn meaning(sense: &Sense, doing: Doing) -> Meaning {
    use Doing::*;
    use FailureKind::*;
    use Meaning::*;
    let code = (sense.code.asc, sense.code.ascq);
    match (sense.key, code, doing) {
        (SenseKey::UnitAttention, _, _) => Again,
        (SenseKey::AbortedCommand, _, _) => Again,
        _ if sense.deferred || is_becoming_ready(sense) => Again,
        // Another path may serve, or this one soon.
        _ if is_of_path(sense) => Again,
        // Somebody has it open: it will be closed.
        (SenseKey::NotReady, _, Moving) if is_open(sense.code) => Again,

        (_, (0x3A, _), Unloading) => AlreadySo,
        // A cleaning cartridge at work: the drive ejects it by itself.
        (_, (0x30, 0x03), Unloading) => Again,
        (SenseKey::IllegalRequest, (0x20, _), Unloading) => NotOffered,
        // A cartridge that is still threaded: most libraries unload by themselves, these do not.
        (SenseKey::IllegalRequest | SenseKey::NotReady, (0x3A, 0x00), Moving) => UnloadFirst,
        (SenseKey::IllegalRequest, (0x3B, 0x90) | (0x53, 0x01), Moving) => UnloadFirst,

        (SenseKey::IllegalRequest, (0x3B, 0x0D), _) => Failed(DestinationFull),
        (SenseKey::IllegalRequest, (0x3B, 0x0E), _) => Failed(SourceEmpty),
        (SenseKey::IllegalRequest, (0x53, 0x02 | 0x03), _) => Failed(MediumHeld),
        (_, (0x30, 0x03), Loading) => Failed(MediumFault),
        (SenseKey::IllegalRequest, (0x30, _), _) => Failed(Incompatible),
        (_, (0x30, 0x00..=0x02 | 0x05), _) => Failed(Incompatible),
        (_, (0x30, _), _) => Failed(MediumFault),

        (SenseKey::MediumError, _, Loading) => Failed(MediumFault),
        (SenseKey::NotReady, (0x3A, _), Loading) => Failed(DriveFault),
        (_, (0x53, _), _) => Failed(DriveFault),
        (_, _, Loading | Unloading) => Failed(DriveFault),

        (SenseKey::IllegalRequest, (0x20..=0x26, _), Moving) => Failed(Refused),
        (SenseKey::MediumError, _, Moving) => Failed(MediumFault),
        (_, _, Moving) => Failed(LibraryFault),
    }
}

/// Which part of the inventory a unit attention makes stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stale {
    /// Nothing.
    Nothing,
    /// The import/export elements.
    Ports,
    /// Everything.
    All,
}

/// What a unit attention of the changer makes stale (smc.md 2.3, key 6).
pub(crate) fn stale(code: AdditionalSense) -> Stale {
    match (code.asc, code.ascq) {
        (0x28, 0x01 | 0x03) => Stale::Ports,
        // Parameters of logs, the clock, an echo buffer, reservations and paths: no element changed.
        (0x2A, 0x02..=0x07 | 0x10 | 0x15) | (0x3F, 0x0F) | (0x53, 0x02) => Stale::Nothing,
        _ => Stale::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: SenseKey, asc: u8, ascq: u8, doing: Doing) -> Meaning {
        meaning(&Sense::new(key, asc, ascq), doing)
    }

    #[test]
    fn each_row_of_the_motion_table_has_its_meaning() {
        use FailureKind::*;
        use SenseKey::*;
        for (key, asc, ascq, expected) in [
            (UnitAttention, 0x28, 0x00, Meaning::Again),
            (UnitAttention, 0x29, 0x00, Meaning::Again),
            (NotReady, 0x04, 0x01, Meaning::Again),
            (AbortedCommand, 0x44, 0x00, Meaning::Again),
            (NotReady, 0x04, 0x0B, Meaning::Again),
            (NotReady, 0x04, 0x12, Meaning::Again),
            (IllegalRequest, 0x3B, 0x0D, Meaning::Failed(DestinationFull)),
            (IllegalRequest, 0x3B, 0x0E, Meaning::Failed(SourceEmpty)),
            (IllegalRequest, 0x53, 0x02, Meaning::Failed(MediumHeld)),
            (IllegalRequest, 0x53, 0x03, Meaning::Failed(MediumHeld)),
            (IllegalRequest, 0x3A, 0x00, Meaning::UnloadFirst),
            (NotReady, 0x3A, 0x00, Meaning::UnloadFirst),
            (IllegalRequest, 0x3B, 0x90, Meaning::UnloadFirst),
            (IllegalRequest, 0x53, 0x01, Meaning::UnloadFirst),
            (IllegalRequest, 0x30, 0x00, Meaning::Failed(Incompatible)),
            (IllegalRequest, 0x21, 0x01, Meaning::Failed(Refused)),
            (IllegalRequest, 0x20, 0x00, Meaning::Failed(Refused)),
            (IllegalRequest, 0x24, 0x00, Meaning::Failed(Refused)),
            (HardwareError, 0x15, 0x01, Meaning::Failed(LibraryFault)),
            (HardwareError, 0x53, 0x00, Meaning::Failed(DriveFault)),
            (NotReady, 0x04, 0x03, Meaning::Failed(LibraryFault)),
            (NotReady, 0x3A, 0x02, Meaning::Again),
            (NotReady, 0x04, 0x18, Meaning::Again),
            (NotReady, 0x04, 0x83, Meaning::Again),
            (MediumError, 0x30, 0x07, Meaning::Failed(MediumFault)),
        ] {
            assert_eq!(of(key, asc, ascq, Doing::Moving), expected, "{key:?} {asc:02X}/{ascq:02X}");
        }
    }

    #[test]
    fn an_empty_drive_is_a_fault_when_loading_and_no_work_when_unloading() {
        assert_eq!(of(SenseKey::NotReady, 0x3A, 0, Doing::Loading), Meaning::Failed(FailureKind::DriveFault));
        assert_eq!(of(SenseKey::NotReady, 0x3A, 0, Doing::Unloading), Meaning::AlreadySo);
    }

    #[test]
    fn only_an_accessed_port_spares_the_slots() {
        assert_eq!(stale(AdditionalSense { asc: 0x28, ascq: 0x01 }), Stale::Ports);
        assert_eq!(stale(AdditionalSense { asc: 0x28, ascq: 0x00 }), Stale::All);
        assert_eq!(stale(AdditionalSense { asc: 0x29, ascq: 0x00 }), Stale::All);
        assert_eq!(stale(AdditionalSense { asc: 0x2A, ascq: 0x10 }), Stale::Nothing);
    }
}
