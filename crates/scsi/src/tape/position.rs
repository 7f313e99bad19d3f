use crate::bytes::{Sink, bit_at, u8_at, u32_at, u64_at};

/// The answer to READ POSITION in the short form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "READ POSITION")]
pub struct TapePosition {
    /// BOP: the tape is at the beginning of the partition.
    pub beginning: bool,
    /// EOP: the tape is beyond the early warning at the end of the partition.
    pub end: bool,
    /// BPEW: the tape is beyond the programmable early warning.
    pub early_warning: bool,
    /// The partition.
    pub partition: u8,
    /// The next block between host and drive; `None` if the drive does not know, or 32 bits do not hold it.
    pub block: Option<u32>,
    /// The next block between buffer and tape: less than `block` while data wait in the buffer.
    pub on_tape: Option<u32>,
}

/// LOLU: the drive does not know the position.
const POSITION_UNKNOWN: u8 = 0x04;
/// PERR: the position does not fit its fields.
const OVERFLOW: u8 = 0x02;

impl TapePosition {
    /// Bytes of the answer.
    pub const LENGTH: usize = 20;

    /// Reads the data. `None` if it ends before the last block number.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let flags = u8_at(data, 0)?;
        let (block, on_tape) = (u32_at(data, 4)?, u32_at(data, 8)?);
        let known = flags & (POSITION_UNKNOWN | OVERFLOW) == 0;
        Some(Self {
            beginning: bit_at(data, 0, 7),
            end: bit_at(data, 0, 6),
            early_warning: bit_at(data, 0, 0),
            partition: u8_at(data, 1)?,
            block: known.then_some(block),
            on_tape: known.then_some(on_tape),
        })
    }

    /// The answer as a target sends it; how much waits in the buffer is left out.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let unknown = self.block.is_none() || self.on_tape.is_none();
        let flags = u8::from(self.beginning) << 7
            | u8::from(self.end) << 6
            // LOCU, BYCU: the counts of what waits in the buffer are unknown.
            | 0x30
            | if unknown { POSITION_UNKNOWN } else { 0 }
            | u8::from(self.early_warning);
        let number = |number: Option<u32>| if unknown { 0 } else { number.unwrap_or(0) };
        let mut bytes = [0; Self::LENGTH];
        let mut sink = Sink::new(&mut bytes);
        sink.put(&[flags, self.partition, 0, 0]);
        sink.put(&number(self.block).to_be_bytes());
        sink.put(&number(self.on_tape).to_be_bytes());
        bytes
    }
}

/// The answer to READ POSITION in the long form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LongPosition {
    /// BOP: the tape is at the beginning of the partition.
    pub beginning: bool,
    /// EOP: the tape is beyond the early warning at the end of the partition.
    pub end: bool,
    /// BPEW: the tape is beyond the programmable early warning.
    pub early_warning: bool,
    /// The partition; `None`, as the block, if the drive does not know.
    pub partition: Option<u32>,
    /// The next block between host and drive.
    pub block: Option<u64>,
    /// How many filemarks lie before it.
    pub file: Option<u64>,
}

/// LONU: partition and block are unknown.
const BLOCK_UNKNOWN: u8 = 0x04;
/// MPU: the number of filemarks is unknown.
const FILE_UNKNOWN: u8 = 0x08;

impl LongPosition {
    /// Bytes of the answer.
    pub const LENGTH: usize = 32;

    /// Reads the data. `None` if it ends before the file number.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let flags = u8_at(data, 0)?;
        let (partition, block, file) = (u32_at(data, 4)?, u64_at(data, 8)?, u64_at(data, 16)?);
        let known = flags & BLOCK_UNKNOWN == 0;
        Some(Self {
            beginning: bit_at(data, 0, 7),
            end: bit_at(data, 0, 6),
            early_warning: bit_at(data, 0, 0),
            partition: known.then_some(partition),
            block: known.then_some(block),
            file: (flags & FILE_UNKNOWN == 0).then_some(file),
        })
    }

    /// The answer as a target sends it.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let known = self.partition.zip(self.block);
        let flags = u8::from(self.beginning) << 7
            | u8::from(self.end) << 6
            | if self.file.is_none() { FILE_UNKNOWN } else { 0 }
            | if known.is_none() { BLOCK_UNKNOWN } else { 0 }
            | u8::from(self.early_warning);
        let (partition, block) = known.unwrap_or_default();
        let mut bytes = [0; Self::LENGTH];
        let mut sink = Sink::new(&mut bytes);
        sink.put(&[flags, 0, 0, 0]);
        sink.put(&partition.to_be_bytes());
        sink.put(&block.to_be_bytes());
        sink.put(&self.file.unwrap_or(0).to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_is_read_as_it_was_written() {
        let start = TapePosition {
            beginning: true,
            partition: 1,
            block: Some(0x0102_0304),
            on_tape: Some(0x0102_0300),
            ..TapePosition::default()
        };
        let bytes = start.to_bytes();
        assert_eq!(bytes, [0xB0, 1, 0, 0, 1, 2, 3, 4, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(TapePosition::parse(&bytes), Some(start));
        let lost = TapePosition { end: true, early_warning: true, ..TapePosition::default() };
        assert_eq!(lost.to_bytes()[0], 0x75);
        assert_eq!(TapePosition::parse(&lost.to_bytes()), Some(lost));
        assert_eq!(TapePosition::parse(&bytes[..11]), None);
    }

    #[test]
    fn a_position_that_does_not_fit_is_unknown() {
        let mut bytes =
            TapePosition { block: Some(7), on_tape: Some(7), ..TapePosition::default() }.to_bytes();
        bytes[0] |= OVERFLOW;
        assert_eq!(TapePosition::parse(&bytes).map(|position| position.block), Some(None));
    }

    #[test]
    fn the_long_form_is_read_as_it_was_written() {
        let position = LongPosition {
            partition: Some(2),
            block: Some(0x0102_0304_0506_0708),
            file: Some(9),
            ..LongPosition::default()
        };
        let bytes = position.to_bytes();
        assert_eq!(bytes[..24], [0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(LongPosition::parse(&bytes), Some(position));
        let lost = LongPosition { beginning: true, ..LongPosition::default() };
        assert_eq!(lost.to_bytes()[0], 0x8C);
        assert_eq!(LongPosition::parse(&lost.to_bytes()), Some(lost));
        assert_eq!(LongPosition::parse(&bytes[..23]), None);
    }
}
