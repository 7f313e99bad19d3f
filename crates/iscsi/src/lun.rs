//! Logical unit numbers of a single level (SAM-5 clause 4.7.7), as they stand in a PDU.

/// Logical units above this cannot be addressed with a single level.
pub const MAX_LUN: u16 = 0x3FFF;

/// Writes a number: peripheral addressing below 256, flat above.
pub(crate) fn encode(lun: u16) -> u64 {
    let field = if lun < 256 { lun } else { 0x4000 | (lun & MAX_LUN) };
    u64::from(field) << 48
}

/// Reads a number in either form; `None` for what has more levels, or another bus.
pub(crate) fn decode(field: u64) -> Option<u16> {
    if field << 16 != 0 {
        return None;
    }
    let field = (field >> 48) as u16;
    match field >> 14 {
        0 if field < 256 => Some(field),
        1 => Some(field & MAX_LUN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_level_survive_and_others_are_none() {
        for lun in [0, 1, 255, 256, 300, MAX_LUN] {
            assert_eq!(decode(encode(lun)), Some(lun));
        }
        assert_eq!(decode(0x4001_0000_0000_0000), Some(1), "a small number in the flat form");
        assert_eq!(decode(0x0102_0000_0000_0000), None, "another bus");
        assert_eq!(decode(0x0001_0001_0000_0000), None, "a second level");
        assert_eq!(decode(0xC101_0000_0000_0000), None, "a well-known unit");
    }
}
