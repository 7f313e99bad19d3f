//! How much data came: the residue that the kernel reports, and what is wrong with it.

/// How many of `length` bytes came in. `residue` is what the kernel says is missing, `data` the whole buffer.
///
/// A residue that cannot be is clamped. One that can be may still be a lie: where a target has more to say than was asked
/// for, Linux's iSCSI initiator reports how much was left unsaid as if it were missing. That is found out where the
/// answer tells its own length.
pub(super) fn transferred(opcode: u8, cdb: &[u8], data: &[u8], residue: i32) -> usize {
    let length = data.len();
    let Ok(residue) = usize::try_from(residue) else { return length };
    let there_was_more = told_length(opcode, cdb, data).is_some_and(|told| {
        // Targets are known that count the header of an element status report twice.
        told == length + residue
            || is_element_status(opcode) && told == length + residue + ELEMENT_STATUS_HEADER
    });
    if residue > length || there_was_more { length } else { length - residue }
}

/// Length of the header of READ ELEMENT STATUS data (SMC-3 clause 6.11.2).
const ELEMENT_STATUS_HEADER: usize = 8;

/// READ ELEMENT STATUS, REQUEST VOLUME ELEMENT ADDRESS.
fn is_element_status(opcode: u8) -> bool {
    matches!(opcode, 0xB8 | 0xB5)
}

/// The whole length of an answer that begins with it.
fn told_length(opcode: u8, cdb: &[u8], data: &[u8]) -> Option<usize> {
    let byte = |at: usize| data.get(at).map(|byte| usize::from(*byte));
    let number = |at: core::ops::Range<usize>| {
        data.get(at).map(|bytes| bytes.iter().fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte)))
    };
    Some(match opcode {
        // INQUIRY: vital product data, or standard.
        0x12 if cdb.get(1)? & 1 == 1 => number(2..4)? + 4,
        0x12 => byte(4)? + 5,
        // REQUEST SENSE.
        0x03 => byte(7)? + 8,
        // MODE SENSE (6) and (10).
        0x1A => byte(0)? + 1,
        0x5A => number(0..2)? + 2,
        // LOG SENSE.
        0x4D => number(2..4)? + 4,
        _ if is_element_status(opcode) => number(5..8)? + ELEMENT_STATUS_HEADER,
        // REPORT LUNS.
        0xA0 => number(0..4)?.checked_add(8)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INQUIRY: [u8; 6] = [0x12, 0, 0, 0, 36, 0];

    #[test]
    fn what_is_missing_is_left_out() {
        assert_eq!(transferred(0x12, &INQUIRY, &[0; 36], 0), 36);
        assert_eq!(transferred(0x12, &INQUIRY, &[0; 36], 30), 6);
        assert_eq!(transferred(0x12, &INQUIRY, &[0; 36], 36), 0);
    }

    #[test]
    fn a_residue_that_cannot_be_is_no_residue() {
        for residue in [-1, i32::MIN, 37, i32::MAX] {
            assert_eq!(transferred(0x12, &INQUIRY, &[0; 36], residue), 36);
        }
        assert_eq!(transferred(0x12, &INQUIRY, &[], 1), 0);
    }

    #[test]
    fn more_than_was_asked_for_is_not_taken_for_less() {
        // 66 bytes of standard data, of which 36 were asked for: 30 were left unsaid, none is missing.
        let mut data = [0; 36];
        data[4] = 61;
        assert_eq!(transferred(0x12, &INQUIRY, &data, 30), 36);
        assert_eq!(transferred(0x12, &INQUIRY, &data, 29), 7);
        let mut report = [0; 100];
        report[6] = 1;
        assert_eq!(transferred(0xB8, &[0xB8], &report, 256 + 8 - 100), 100);
        report[5..8].copy_from_slice(&[0, 0, 120]);
        assert_eq!(transferred(0xB8, &[0xB8], &report, 120 - 100), 100, "the header counted twice");
        assert_eq!(transferred(0xB8, &[0xB8], &report, 120 + 8 - 100), 100);
        assert_eq!(transferred(0xB8, &[0xB8], &report, 24), 76, "a report that its device cut");
    }

    #[test]
    fn an_answer_too_short_to_tell_its_length_is_no_harm() {
        for opcode in 0..=u8::MAX {
            for length in 0..9 {
                let data = [0xFF; 9];
                assert!(transferred(opcode, &[opcode, 1], &data[..length], 1) <= length);
            }
        }
    }
}
