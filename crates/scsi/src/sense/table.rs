use Action::*;
use SenseKey::{
    AbortedCommand, DataProtect, HardwareError, IllegalRequest, MediumError, NoSense, NotReady,
    RecoveredError, UnitAttention,
};

use super::advice::{Action, Advice};
use super::{AdditionalSense, SenseKey};

/// A range of additional sense codes, and of qualifiers that count with each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeRange {
    /// The first and the last additional sense code.
    pub asc: (u8, u8),
    /// The first and the last qualifier.
    pub ascq: (u8, u8),
}

impl CodeRange {
    /// Whether a code is in the range.
    pub fn contains(&self, code: AdditionalSense) -> bool {
        (self.asc.0..=self.asc.1).contains(&code.asc) && (self.ascq.0..=self.ascq.1).contains(&code.ascq)
    }
}

/// What some sense codes mean to a client of a changer or a drive, and what to do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenseRow {
    /// The sense keys with which the codes mean this.
    pub keys: &'static [SenseKey],
    /// The codes.
    pub codes: &'static [CodeRange],
    /// What they mean.
    pub meaning: &'static str,
    /// What to do.
    pub advice: Advice,
}

impl SenseRow {
    /// All rows, by key and code; of several that fit, the first counts.
    pub fn all() -> impl ExactSizeIterator<Item = &'static Self> {
        ROWS.iter()
    }

    pub(super) fn find(key: SenseKey, code: AdditionalSense) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.keys.contains(&key) && row.codes.iter().any(|range| range.contains(code)))
    }
}

const fn row(
    keys: &'static [SenseKey],
    codes: &'static [CodeRange],
    meaning: &'static str,
    actions: &'static [Action],
) -> SenseRow {
    SenseRow { keys, codes, meaning, advice: Advice::new(actions) }
}

pub(super) const fn code(asc: u8, ascq: u8) -> CodeRange {
    codes(asc, ascq, ascq)
}

pub(super) const fn codes(asc: u8, from: u8, to: u8) -> CodeRange {
    CodeRange { asc: (asc, asc), ascq: (from, to) }
}

pub(super) const fn asc(asc: u8) -> CodeRange {
    codes(asc, 0x00, 0xFF)
}

const fn ascs(from: u8, to: u8) -> CodeRange {
    CodeRange { asc: (from, to), ascq: (0x00, 0xFF) }
}

/// Standard codes that changers and their drives send.
static ROWS: [SenseRow; 79] = [
    row(&[NoSense, RecoveredError], &[code(0x00, 0x00)], "nothing is wrong, or it was put right", &[Proceed]),
    row(&[NoSense], &[code(0x00, 0x16)], "an operation is in progress", &[Wait, Retry]),
    row(
        &[RecoveredError, HardwareError, UnitAttention],
        &[asc(0x5D)],
        "a failure is predicted",
        &[Proceed, ReadAlerts],
    ),
    row(&[NotReady], &[code(0x04, 0x00)], "not ready, and no cause is told", &[Wait, Down]),
    row(
        &[NotReady],
        &[code(0x04, 0x01)],
        "becoming ready: inventory, power-up, a door just closed, a tape loading",
        &[Wait, Reinventory],
    ),
    row(&[NotReady], &[code(0x04, 0x02)], "an initializing command is needed", &[Initialize, Reinventory]),
    row(
        &[NotReady],
        &[code(0x04, 0x03)],
        "someone has to help: a jam, no magazine, a robot that failed",
        &[Operator],
    ),
    row(&[NotReady], &[code(0x04, 0x04)], "a format is in progress", &[Wait]),
    row(
        &[NotReady],
        &[code(0x04, 0x07)],
        "an operation is in progress: calibration of a tape, a session at the panel",
        &[Wait],
    ),
    row(&[NotReady], &[code(0x04, 0x09)], "a self-test is in progress", &[Wait]),
    row(&[NotReady], &[codes(0x04, 0x0A, 0x0C)], "this path does not lead to the device now", &[OtherPath]),
    row(&[NotReady], &[code(0x04, 0x12)], "the device is offline", &[Operator]),
    row(
        &[NotReady],
        &[
            code(0x04, 0x13),
            code(0x04, 0x14),
            code(0x04, 0x1A),
            code(0x04, 0x1B),
            code(0x04, 0x1D),
            code(0x04, 0x24),
        ],
        "something is in progress",
        &[Wait],
    ),
    row(&[NotReady], &[code(0x04, 0x15)], "the robot is disabled", &[Operator]),
    row(
        &[NotReady],
        &[code(0x04, 0x16), code(0x04, 0x17)],
        "configuration or calibration is needed",
        &[Operator],
    ),
    row(&[NotReady], &[code(0x04, 0x18)], "a door is open", &[Close, Reinventory]),
    row(&[NotReady], &[code(0x04, 0x19)], "the library works through its slots by itself", &[Operator]),
    row(
        &[NotReady],
        &[codes(0x04, 0x1E, 0x22)],
        "the device needs a reset, a power cycle or new microcode",
        &[Down],
    ),
    row(&[NotReady], &[code(0x30, 0x03)], "a cleaning cartridge is in the drive", &[Wait]),
    row(
        &[NotReady],
        &[code(0x3A, 0x00)],
        "no cartridge: the drive is empty, or has not given its cartridge out",
        &[State, Unload],
    ),
    row(&[NotReady], &[code(0x3A, 0x01), code(0x3A, 0x02)], "a tray is closed or open", &[Close]),
    row(
        &[NotReady],
        &[code(0x3A, 0x03), code(0x3A, 0x04)],
        "the cartridge is ejected and can be taken or loaded",
        &[Proceed],
    ),
    row(
        &[NotReady],
        &[code(0x3E, 0x00), code(0x3E, 0x01), code(0x3E, 0x02)],
        "the device has not configured itself, or could not",
        &[Wait, Down],
    ),
    row(&[NotReady], &[code(0x44, 0x00), code(0x4C, 0x00)], "the device failed inside", &[Down]),
    row(&[NotReady], &[code(0x5A, 0x01)], "the operator was asked to remove a cartridge", &[Operator]),
    row(&[NotReady], &[code(0x74, 0x71)], "access to the logical unit is not granted", &[Caller]),
    row(
        &[MediumError],
        &[codes(0x30, 0x00, 0x02), code(0x30, 0x06), code(0x30, 0x07), codes(0x30, 0x10, 0x13)],
        "the cartridge does not suit the drive, or cleaning failed",
        &[ReturnMedium],
    ),
    row(
        &[MediumError, HardwareError],
        &[code(0x53, 0x00), code(0x53, 0x01)],
        "a cartridge could not be loaded or ejected",
        &[Verify, Suspect],
    ),
    row(
        &[MediumError, HardwareError],
        &[code(0x53, 0x04)],
        "a tape could not be threaded or unthreaded",
        &[Verify, Suspect, Down],
    ),
    row(&[HardwareError], &[code(0x04, 0x03)], "a move failed", &[Verify]),
    row(
        &[HardwareError],
        &[codes(0x08, 0x00, 0x03)],
        "robot and drive do not understand each other",
        &[Verify, Suspect, Down],
    ),
    row(
        &[HardwareError],
        &[code(0x15, 0x00), code(0x15, 0x01), code(0x15, 0x02)],
        "the robot missed its position",
        &[Verify, Retry],
    ),
    row(&[HardwareError], &[asc(0x3B)], "the robot or the position is faulty", &[Verify, Operator]),
    row(
        &[HardwareError],
        &[codes(0x40, 0x80, 0xFF), code(0x44, 0x00), asc(0x3E), ascs(0x83, 0x8F)],
        "the hardware failed its diagnostics",
        &[Verify, Down, Operator],
    ),
    row(
        &[HardwareError],
        &[code(0x53, 0x09), code(0x53, 0x0A), code(0x53, 0x0C), code(0x53, 0x0D)],
        "the drive failed to load, unload or eject, or does not answer the library",
        &[Verify, Suspect],
    ),
    row(&[IllegalRequest], &[code(0x1A, 0x00)], "the parameter list has the wrong length", &[Caller]),
    row(&[IllegalRequest], &[code(0x20, 0x00)], "the device has no such command", &[Fallback]),
    row(
        &[IllegalRequest],
        &[code(0x21, 0x00), code(0x21, 0x01)],
        "there is no such element",
        &[Reinventory, Caller],
    ),
    row(&[IllegalRequest], &[code(0x24, 0x00)], "a field of the command is not allowed", &[Fallback]),
    row(&[IllegalRequest], &[code(0x25, 0x00)], "there is no such logical unit", &[Caller]),
    row(
        &[IllegalRequest],
        &[codes(0x26, 0x00, 0x02), code(0x26, 0x04)],
        "the parameter list is wrong",
        &[Caller],
    ),
    row(
        &[IllegalRequest],
        &[code(0x2C, 0x00), code(0x2C, 0x06)],
        "the command came out of sequence, or a prevention is in its way",
        &[Caller],
    ),
    row(&[IllegalRequest], &[code(0x30, 0x00)], "the cartridge does not suit that drive", &[Caller]),
    row(&[IllegalRequest], &[code(0x39, 0x00)], "the device saves no pages", &[Fallback]),
    row(
        &[IllegalRequest],
        &[code(0x3A, 0x00)],
        "nothing is there, or the drive has to unload first",
        &[State, Unload],
    ),
    row(&[IllegalRequest], &[code(0x3B, 0x0D)], "the destination is full", &[State]),
    row(&[IllegalRequest], &[code(0x3B, 0x0E)], "the source is empty", &[State]),
    row(
        &[IllegalRequest],
        &[code(0x3B, 0x11)],
        "a magazine or an element is not accessible",
        &[State, Operator],
    ),
    row(&[IllegalRequest], &[code(0x3B, 0x12)], "the magazine is removed", &[Operator, Reinventory]),
    row(
        &[IllegalRequest],
        &[code(0x3B, 0x14), code(0x3B, 0x15)],
        "the magazine is locked or unlocked",
        &[State],
    ),
    row(&[IllegalRequest], &[code(0x3B, 0x18)], "the element is disabled", &[State]),
    row(&[IllegalRequest], &[code(0x3B, 0x1A)], "the drive is removed", &[State]),
    row(&[IllegalRequest], &[code(0x53, 0x02)], "removal is prevented by a host", &[Allow, State]),
    row(&[IllegalRequest], &[code(0x53, 0x03)], "removal is prevented at the drive", &[Allow, Wait]),
    row(
        &[IllegalRequest],
        &[codes(0x53, 0x05, 0x07)],
        "a label is invalid, missing or there twice",
        &[Caller, Operator],
    ),
    row(
        &[IllegalRequest],
        &[code(0x53, 0x08)],
        "the library does not know what is in the element",
        &[Initialize, Retry],
    ),
    row(&[IllegalRequest], &[asc(0x55)], "the device has no room for more of it", &[Caller]),
    row(
        &[UnitAttention],
        &[code(0x28, 0x00)],
        "the device became ready, and cartridges may have changed",
        &[Reinventory, Retry],
    ),
    row(
        &[UnitAttention],
        &[code(0x28, 0x01), code(0x28, 0x03)],
        "a port was accessed",
        &[Reinventory, Retry],
    ),
    row(
        &[UnitAttention],
        &[codes(0x29, 0x00, 0x07)],
        "the device was reset, or the connection was lost",
        &[Restore, Reinventory, Verify],
    ),
    row(
        &[UnitAttention],
        &[code(0x2A, 0x00), code(0x2A, 0x01), code(0x2A, 0x02)],
        "parameters changed",
        &[Reidentify, Reinventory],
    ),
    row(&[UnitAttention], &[codes(0x2A, 0x03, 0x05)], "reservations or registrations changed", &[Restore]),
    row(
        &[UnitAttention],
        &[code(0x2A, 0x06), code(0x2A, 0x07)],
        "the state of the path changed",
        &[OtherPath],
    ),
    row(&[UnitAttention], &[code(0x2A, 0x10)], "the timestamp changed", &[Retry]),
    row(&[UnitAttention], &[code(0x2A, 0x15)], "the prevention of removal was taken away", &[Restore]),
    row(&[UnitAttention], &[code(0x2F, 0x00)], "another initiator cleared the commands", &[Verify]),
    row(&[UnitAttention], &[codes(0x3B, 0x11, 0x15)], "a magazine changed", &[Reinventory]),
    row(
        &[UnitAttention],
        &[code(0x3B, 0x18), code(0x3B, 0x19), code(0x3B, 0x1A), code(0x3B, 0x1B)],
        "an element was enabled or disabled, or a drive came or went",
        &[Reinventory],
    ),
    row(&[UnitAttention], &[code(0x3B, 0x20)], "the elements themselves changed", &[Reidentify]),
    row(
        &[UnitAttention],
        &[codes(0x3F, 0x00, 0x05)],
        "the device is another than before: microcode, definition or inquiry data",
        &[Reidentify, Reinventory],
    ),
    row(&[UnitAttention], &[code(0x3F, 0x0E)], "the logical units changed", &[Reidentify]),
    row(&[UnitAttention], &[code(0x3F, 0x0F)], "a buffer was overwritten", &[Retry]),
    row(
        &[UnitAttention],
        &[code(0x3F, 0x10), code(0x3F, 0x11)],
        "a cartridge can be loaded or its memory read",
        &[Reinventory],
    ),
    row(&[UnitAttention], &[code(0x53, 0x02)], "removal is prevented", &[Retry]),
    row(
        &[UnitAttention],
        &[code(0x5A, 0x00), code(0x5A, 0x01)],
        "an operator asked for something",
        &[Reinventory],
    ),
    row(
        &[AbortedCommand],
        &[code(0x08, 0x00), codes(0x08, 0x86, 0xB7)],
        "robot and drive do not understand each other",
        &[Verify],
    ),
    row(
        &[AbortedCommand],
        &[code(0x3F, 0x0F), asc(0x43), asc(0x45), asc(0x47), asc(0x48), asc(0x49), asc(0x4B), asc(0x4E)],
        "the transmission was disturbed",
        &[Retry, Verify],
    ),
    row(&[AbortedCommand], &[code(0x44, 0x00)], "the target failed inside", &[Verify]),
    row(&[DataProtect], &[asc(0x27), code(0x5A, 0x02)], "the cartridge is write protected", &[Caller]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_own_codes() {
        for row in SenseRow::all() {
            for key in row.keys {
                for range in row.codes {
                    let own = AdditionalSense::new(range.asc.0, range.ascq.1);
                    assert_eq!(SenseRow::find(*key, own), Some(row), "{key:?} {own}");
                }
            }
            assert!(!row.meaning.is_empty() && !row.advice.actions().is_empty());
        }
    }

    #[test]
    fn a_range_has_both_its_ends() {
        let range = codes(0x04, 0x0A, 0x0C);
        let contains = |asc, ascq| range.contains(AdditionalSense::new(asc, ascq));
        assert!(contains(0x04, 0x0A) && contains(0x04, 0x0C));
        assert!(!contains(0x04, 0x09) && !contains(0x04, 0x0D) && !contains(0x05, 0x0B));
    }
}
