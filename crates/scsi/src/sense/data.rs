use core::fmt;

use super::{AdditionalSense, SenseKey};
use crate::InvalidField;
use crate::bytes::{Sink, bit_at, slice_at, u8_at, u16_at, u32_at, u64_at};

/// Which byte or bit of a command or its parameter data is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldPointer {
    /// C/D: the fault is in the CDB, otherwise in the parameter data.
    pub command: bool,
    /// The byte, counted from 0.
    pub byte: u16,
    /// The bit, where the device tells.
    pub bit: Option<u8>,
}

impl From<InvalidField> for FieldPointer {
    fn from(field: InvalidField) -> Self {
        Self { command: true, byte: u16::from(field.byte), bit: field.bit }
    }
}

/// Sense data, in whichever format it came. Displayed as `05/3B/0E (medium source element empty)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sense {
    /// The kind of condition.
    pub key: SenseKey,
    /// What happened.
    pub code: AdditionalSense,
    /// The condition belongs to an earlier command; the one that it came with was not executed.
    pub deferred: bool,
    /// The information field, if valid.
    pub information: Option<u64>,
    /// Sense-key specific: the field at fault (key ILLEGAL REQUEST).
    pub field_pointer: Option<FieldPointer>,
    /// Sense-key specific: progress in 65536ths (keys NO SENSE and NOT READY).
    pub progress: Option<u16>,
    /// Sense-key specific: unit attentions were lost (key UNIT ATTENTION); assume that everything changed.
    pub unit_attention_overflow: bool,
    /// Field replaceable unit code; 0 if not told.
    pub fru: u8,
    /// A filemark was met.
    pub filemark: bool,
    /// The end of the medium was met.
    pub end_of_medium: bool,
    /// The block was not as long as asked.
    pub incorrect_length: bool,
}

/// SKSV: the sense-key specific bytes mean something.
const SKSV: u8 = 0x80;

impl Sense {
    /// Sense data with nothing but key and code.
    pub const fn new(key: SenseKey, asc: u8, ascq: u8) -> Self {
        Self {
            key,
            code: AdditionalSense::new(asc, ascq),
            deferred: false,
            information: None,
            field_pointer: None,
            progress: None,
            unit_attention_overflow: false,
            fru: 0,
            filemark: false,
            end_of_medium: false,
            incorrect_length: false,
        }
    }

    /// ILLEGAL REQUEST, INVALID FIELD IN CDB, pointing at the field.
    pub fn invalid_field(field: InvalidField) -> Self {
        Self::new(SenseKey::IllegalRequest, 0x24, 0x00).with_field_pointer(field)
    }

    /// Points at the field at fault.
    pub fn with_field_pointer(mut self, pointer: impl Into<FieldPointer>) -> Self {
        self.field_pointer = Some(pointer.into());
        self
    }

    /// Says how far along the device is, in 65536ths.
    pub const fn with_progress(mut self, progress: u16) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Reads sense data in fixed (70h, 71h) or descriptor format (72h, 73h). Short data is legal: what is
    /// missing is zero.
    ///
    /// `None` if there are not even a response code and a sense key, or the response code is another.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let response = u8_at(data, 0)? & 0x7F;
        match response {
            0x70 | 0x71 => Self::parse_fixed(data, response == 0x71),
            0x72 | 0x73 => Self::parse_descriptors(data, response == 0x73),
            _ => None,
        }
    }

    fn parse_fixed(data: &[u8], deferred: bool) -> Option<Self> {
        let flags = u8_at(data, 2)?;
        let end = u8_at(data, 7).map_or(8, |additional| 8 + usize::from(additional));
        let data = slice_at(data, 0, end);
        let code = |at| u8_at(data, at).unwrap_or(0);
        let mut sense = Self::new(SenseKey::from_bits(flags), code(12), code(13));
        sense.deferred = deferred;
        sense.fru = code(14);
        sense.set_stream_flags(flags);
        if bit_at(data, 0, 7) {
            sense.information = u32_at(data, 3).map(u64::from);
        }
        sense.set_key_specific(slice_at(data, 15, 3));
        Some(sense)
    }

    fn parse_descriptors(data: &[u8], deferred: bool) -> Option<Self> {
        let key = SenseKey::from_bits(u8_at(data, 1)?);
        let code = |at| u8_at(data, at).unwrap_or(0);
        let mut sense = Self::new(key, code(2), code(3));
        sense.deferred = deferred;
        let mut rest = slice_at(data, 8, usize::from(code(7)));
        while let [kind, length, ..] = *rest {
            let size = 2 + usize::from(length);
            let descriptor = slice_at(rest, 0, size);
            match kind {
                0x00 if bit_at(descriptor, 2, 7) => sense.information = u64_at(descriptor, 4),
                0x02 => sense.set_key_specific(slice_at(descriptor, 4, 3)),
                0x03 => sense.fru = u8_at(descriptor, 3).unwrap_or(0),
                0x04 => sense.set_stream_flags(u8_at(descriptor, 3).unwrap_or(0)),
                _ => {}
            }
            rest = rest.get(size..).unwrap_or_default();
        }
        Some(sense)
    }

    fn set_stream_flags(&mut self, flags: u8) {
        self.filemark = flags & 0x80 != 0;
        self.end_of_medium = flags & 0x40 != 0;
        self.incorrect_length = flags & 0x20 != 0;
    }

    fn stream_flags(&self) -> u8 {
        u8::from(self.filemark) << 7
            | u8::from(self.end_of_medium) << 6
            | u8::from(self.incorrect_length) << 5
    }

    fn set_key_specific(&mut self, bytes: &[u8]) {
        let (Some(first), Some(number)) = (u8_at(bytes, 0), u16_at(bytes, 1)) else { return };
        if first & SKSV == 0 {
            return;
        }
        match self.key {
            SenseKey::IllegalRequest => {
                let bit = (first & 0x08 != 0).then_some(first & 0x07);
                self.field_pointer = Some(FieldPointer { command: first & 0x40 != 0, byte: number, bit });
            }
            SenseKey::NoSense | SenseKey::NotReady => self.progress = Some(number),
            SenseKey::UnitAttention => self.unit_attention_overflow = first & 0x01 != 0,
            _ => {}
        }
    }

    /// The sense-key specific bytes that the key has, if it has something to say in them.
    fn key_specific(&self) -> Option<[u8; 3]> {
        let (first, number) = match self.key {
            SenseKey::IllegalRequest => {
                let pointer = self.field_pointer?;
                let bit = pointer.bit.map_or(0, |bit| 0x08 | bit & 0x07);
                (u8::from(pointer.command) << 6 | bit, pointer.byte)
            }
            SenseKey::NoSense | SenseKey::NotReady => (0, self.progress?),
            SenseKey::UnitAttention if self.unit_attention_overflow => (0x01, 0),
            _ => return None,
        };
        let [high, low] = number.to_be_bytes();
        Some([SKSV | first, high, low])
    }

    /// Fixed format, as nearly all changers send it. Information beyond 32 bits does not fit and is left out.
    pub fn to_fixed(&self) -> [u8; 18] {
        let mut data = [0; 18];
        data[0] = if self.deferred { 0x71 } else { 0x70 };
        data[2] = self.stream_flags() | self.key.code();
        if let Some(information) = self.information.and_then(|information| u32::try_from(information).ok()) {
            data[0] |= 0x80;
            [data[3], data[4], data[5], data[6]] = information.to_be_bytes();
        }
        data[7] = 10;
        data[12] = self.code.asc;
        data[13] = self.code.ascq;
        data[14] = self.fru;
        if let Some(bytes) = self.key_specific() {
            [data[15], data[16], data[17]] = bytes;
        }
        data
    }

    /// Descriptor format into `buffer`; returns how many bytes of it were written. The longest is
    /// [`Sense::MAX_DESCRIPTOR`] bytes; what does not fit is cut off.
    pub fn write_descriptor(&self, buffer: &mut [u8]) -> usize {
        let mut sink = Sink::new(buffer);
        let response = if self.deferred { 0x73 } else { 0x72 };
        sink.put(&[response, self.key.code(), self.code.asc, self.code.ascq, 0, 0, 0, 0]);
        if let Some(information) = self.information {
            sink.put(&[0x00, 0x0A, 0x80, 0]);
            sink.put(&information.to_be_bytes());
        }
        if let Some([first, second, third]) = self.key_specific() {
            sink.put(&[0x02, 0x06, 0, 0, first, second, third, 0]);
        }
        if self.fru != 0 {
            sink.put(&[0x03, 0x02, 0, self.fru]);
        }
        if self.stream_flags() != 0 {
            sink.put(&[0x04, 0x02, 0, self.stream_flags()]);
        }
        let additional = sink.total().saturating_sub(8) as u8;
        sink.patch(7, &[additional]);
        sink.written()
    }

    /// The longest descriptor format sense data that [`Sense::write_descriptor`] writes.
    pub const MAX_DESCRIPTOR: usize = 8 + 12 + 8 + 4 + 4;

    /// What the standard calls the code.
    pub fn meaning(&self) -> Option<&'static str> {
        self.code.meaning()
    }
}

impl fmt::Display for Sense {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02X}/{}", self.key.code(), self.code)?;
        if let Some(meaning) = self.meaning() {
            write!(formatter, " ({meaning})")?;
        }
        if let Some(pointer) = self.field_pointer {
            let place = if pointer.command { "CDB" } else { "parameter" };
            write!(formatter, " at {place} byte {}", pointer.byte)?;
            if let Some(bit) = pointer.bit {
                write!(formatter, " bit {bit}")?;
            }
        }
        if let Some(progress) = self.progress {
            write!(formatter, ", {} % done", u32::from(progress) * 100 / 0x1_0000)?;
        }
        if self.deferred {
            formatter.write_str(", of an earlier command")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn fixed_sense_data_is_read() {
        let data = [0xF1, 0, 0xE2, 0, 1, 0, 2, 10, 0, 0, 0, 0, 0x04, 0x01, 7, 0x80, 0x80, 0x00];
        let expected = Sense {
            deferred: true,
            information: Some(0x01_0002),
            progress: Some(0x8000),
            fru: 7,
            filemark: true,
            end_of_medium: true,
            incorrect_length: true,
            ..Sense::new(SenseKey::NotReady, 0x04, 0x01)
        };
        assert_eq!(Sense::parse(&data), Some(expected));
    }

    #[test]
    fn descriptor_sense_data_is_read() {
        let data = [
            0x72, 0x05, 0x21, 0x01, 0, 0, 0, 0x20, // header
            0x00, 0x0A, 0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8, // information
            0x02, 0x06, 0, 0, 0xCD, 0x00, 0x04, 0, // field pointer: CDB byte 4 bit 5
            0x03, 0x02, 0, 9, // FRU
            0x04, 0x02, 0, 0x80, // filemark
            0xFF, 0xFF, // past the announced end
        ];
        let expected = Sense {
            information: Some(0x0102_0304_0506_0708),
            field_pointer: Some(FieldPointer { command: true, byte: 4, bit: Some(5) }),
            fru: 9,
            filemark: true,
            ..Sense::new(SenseKey::IllegalRequest, 0x21, 0x01)
        };
        assert_eq!(Sense::parse(&data), Some(expected));
    }

    #[test]
    fn short_sense_data_is_legal_and_what_is_missing_is_zero() {
        assert_eq!(Sense::parse(&[0x70, 0, 0x06]), Some(Sense::new(SenseKey::UnitAttention, 0, 0)));
        let announced_short = [0x70, 0, 0x05, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0x3B, 0x0D];
        assert_eq!(Sense::parse(&announced_short), Some(Sense::new(SenseKey::IllegalRequest, 0, 0)));
        assert_eq!(Sense::parse(&[0x72, 0x02]), Some(Sense::new(SenseKey::NotReady, 0, 0)));
    }

    #[test]
    fn what_is_no_sense_data_is_none() {
        for data in [&[][..], &[0x70], &[0x70, 0], &[0x72], &[0x7F, 0, 5], &[0x00; 18]] {
            assert_eq!(Sense::parse(data), None, "{data:02x?}");
        }
    }

    #[test]
    fn sense_key_specific_bytes_mean_what_the_key_says() {
        let parse = |key, first| {
            let mut data = Sense::new(SenseKey::from_bits(key), 0, 0).to_fixed();
            data[15..].copy_from_slice(&[first, 0x12, 0x34]);
            Sense::parse(&data).expect("fixed format")
        };
        assert_eq!(
            parse(5, 0x80).field_pointer,
            Some(FieldPointer { command: false, byte: 0x1234, bit: None })
        );
        assert_eq!(parse(5, 0x40).field_pointer, None);
        assert_eq!(parse(2, 0x80).progress, Some(0x1234));
        assert_eq!(parse(0, 0x80).progress, Some(0x1234));
        assert_eq!(parse(4, 0x80).progress, None);
        assert!(parse(6, 0x81).unit_attention_overflow);
        assert!(!parse(6, 0x80).unit_attention_overflow);
    }

    #[test]
    fn an_invalid_field_becomes_the_sense_data_that_points_at_it() {
        let sense = Sense::invalid_field(InvalidField { byte: 6, bit: Some(2) });
        let expected = [0x70, 0, 0x05, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0x24, 0x00, 0, 0xCA, 0x00, 0x06];
        assert_eq!(sense.to_fixed(), expected);
        assert_eq!(sense.to_string(), "05/24/00 (invalid field in CDB) at CDB byte 6 bit 2");
    }

    #[test]
    fn sense_data_is_shown_with_its_meaning_where_it_has_one() {
        let sense = Sense::new(SenseKey::IllegalRequest, 0x3B, 0x0E);
        assert_eq!(sense.to_string(), "05/3B/0E (medium source element empty)");
        assert_eq!(Sense::new(SenseKey::HardwareError, 0x83, 0x02).to_string(), "04/83/02");
        let calibrating = Sense::new(SenseKey::NotReady, 0x04, 0x89).with_progress(0xC000);
        assert_eq!(calibrating.to_string(), "02/04/89, 75 % done");
        let late = Sense { deferred: true, ..Sense::new(SenseKey::HardwareError, 0x83, 0x02) };
        assert_eq!(late.to_string(), "04/83/02, of an earlier command");
    }

    #[test]
    fn descriptor_sense_data_is_cut_where_the_buffer_ends_but_counts_itself_whole() {
        let sense = Sense { fru: 3, information: Some(1), ..Sense::new(SenseKey::HardwareError, 0x15, 0x01) };
        let mut buffer = [0xEE; 10];
        assert_eq!(sense.write_descriptor(&mut buffer), 10);
        assert_eq!(buffer, [0x72, 0x04, 0x15, 0x01, 0, 0, 0, 16, 0x00, 0x0A]);
    }
}
