use super::{LogPage, LogPageWriter, LogParameter};
use crate::bytes::{Sink, bit_at, slice_at, u8_at, u16_at, u32_at, u64_at};
use crate::{AdditionalSense, ElementAddress, SenseKey, ShortData, VolumeTag};

/// DU, and format "binary list".
const CONTROL: u8 = 0x03;
/// Bytes of a parameter's value without label and time.
const VALUE: usize = 52;
/// Bytes of the label behind them.
const TAG: usize = 36;

/// One error of the past in log page 16h of a changer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangerDiagnostic<'a> {
    /// Its number in the page.
    pub number: u16,
    /// It has happened again since.
    pub repeated: bool,
    /// What was answered.
    pub key: SenseKey,
    /// What was answered.
    pub code: AdditionalSense,
    /// What the vendor adds.
    pub qualifier: u32,
    /// The revision of the firmware then.
    pub revision: [u8; 4],
    /// Moves until then.
    pub moves: u32,
    /// Cartridges picked until then.
    pub picks: u32,
    /// Picks that needed another try.
    pub pick_retries: u32,
    /// Cartridges placed until then.
    pub places: u32,
    /// Places that needed another try.
    pub place_retries: u32,
    /// Labels that were read until then.
    pub tags_read: u32,
    /// Labels that could not be read.
    pub tags_invalid: u32,
    /// The command's operation code.
    pub opcode: u8,
    /// The command's service action; 0 for one without.
    pub service_action: u8,
    /// What kind of error it was, by the vendor's count.
    pub error_type: u8,
    /// The arm, where that is told.
    pub transport: Option<ElementAddress>,
    /// Where the motion began.
    pub source: Option<ElementAddress>,
    /// The last element that was reached without error.
    pub last_good: Option<ElementAddress>,
    /// Where it was to end.
    pub destination: Option<ElementAddress>,
    /// The cartridge's label.
    pub tag: Option<&'a str>,
    /// When it was, in milliseconds of the device's clock.
    pub milliseconds: Option<u64>,
}

/// Log page 16h of a changer: its errors of the past. The best witness of a motion that failed (SMC-3 clause 7.2).
#[derive(Clone, Copy, Debug)]
#[doc(alias = "Media changer diagnostics data")]
pub struct ChangerDiagnostics<'a> {
    page: LogPage<'a>,
}

impl<'a> ChangerDiagnostics<'a> {
    /// Page code.
    pub const PAGE: u8 = 0x16;
    /// The most bytes of an error: label and time are with it.
    pub const MAX_PARAMETER: usize = 4 + VALUE + TAG + 8;

    /// Reads the page.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        Ok(Self { page: LogPage::of(Self::PAGE, data)? })
    }

    /// The errors in the order in which they came; one that is not whole is left out.
    pub fn errors(&self) -> impl Iterator<Item = ChangerDiagnostic<'a>> + use<'a> {
        self.page.parameters().filter_map(read)
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`. A time without a label is left out, for it stands
    /// behind one.
    pub fn write<'e>(errors: impl IntoIterator<Item = ChangerDiagnostic<'e>>, buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        for error in errors {
            let mut value = [0; Self::MAX_PARAMETER - 4];
            let length = value_of(&error, &mut value);
            writer.parameter(error.number, CONTROL, slice_at(&value, 0, length));
        }
        writer.finish()
    }
}

fn read(parameter: LogParameter<'_>) -> Option<ChangerDiagnostic<'_>> {
    let LogParameter { code: number, value, .. } = parameter;
    if value.len() < VALUE {
        return None;
    }
    let address =
        |bit: u8, at: usize| u16_at(value, at).filter(|_| bit_at(value, 43, bit)).map(ElementAddress);
    Some(ChangerDiagnostic {
        number,
        repeated: bit_at(value, 1, 7),
        key: SenseKey::from_bits(u8_at(value, 1)?),
        code: AdditionalSense { asc: u8_at(value, 2)?, ascq: u8_at(value, 3)? },
        qualifier: u32_at(value, 4)?,
        revision: u32_at(value, 8)?.to_be_bytes(),
        moves: u32_at(value, 12)?,
        picks: u32_at(value, 16)?,
        pick_retries: u32_at(value, 20)?,
        places: u32_at(value, 24)?,
        place_retries: u32_at(value, 28)?,
        tags_read: u32_at(value, 32)?,
        tags_invalid: u32_at(value, 36)?,
        opcode: u8_at(value, 40)?,
        service_action: u8_at(value, 41)? & 0x1F,
        error_type: u8_at(value, 42)?,
        transport: address(3, 44),
        source: address(2, 46),
        last_good: address(1, 48),
        destination: address(0, 50),
        tag: VolumeTag::parse(slice_at(value, VALUE, TAG)).map(|tag| tag.identifier()),
        // Six bytes, behind two that are reserved.
        milliseconds: u64_at(value, VALUE + TAG).map(|time| time & 0xFFFF_FFFF_FFFF),
    })
}

fn value_of(error: &ChangerDiagnostic<'_>, buffer: &mut [u8]) -> usize {
    let mut sink = Sink::new(buffer);
    let key = u8::from(error.repeated) << 7 | error.key.code() & 0x0F;
    sink.put(&[0, key, error.code.asc, error.code.ascq]);
    sink.put(&error.qualifier.to_be_bytes());
    sink.put(&error.revision);
    for counter in [
        error.moves,
        error.picks,
        error.pick_retries,
        error.places,
        error.place_retries,
        error.tags_read,
        error.tags_invalid,
    ] {
        sink.put(&counter.to_be_bytes());
    }
    let addresses = [error.transport, error.source, error.last_good, error.destination];
    let valid = addresses.iter().fold(0, |flags, address| flags << 1 | u8::from(address.is_some()));
    sink.put(&[error.opcode, error.service_action & 0x1F, error.error_type, valid]);
    for address in addresses {
        sink.put(&address.unwrap_or(ElementAddress(0)).0.to_be_bytes());
    }
    if let Some(tag) = error.tag {
        sink.put_padded(tag.as_bytes(), TAG - 4, b' ');
        sink.fill(0, 4);
        if let Some(time) = error.milliseconds {
            sink.put(&(time & 0xFFFF_FFFF_FFFF).to_be_bytes());
        }
    }
    sink.written()
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    const ERROR: ChangerDiagnostic<'static> = ChangerDiagnostic {
        number: 1,
        repeated: true,
        key: SenseKey::HardwareError,
        code: AdditionalSense { asc: 0x53, ascq: 0x01 },
        qualifier: 0x0102_0304,
        revision: *b"0001",
        moves: 10,
        picks: 11,
        pick_retries: 12,
        places: 13,
        place_retries: 14,
        tags_read: 15,
        tags_invalid: 16,
        opcode: 0xA5,
        service_action: 0,
        error_type: 7,
        transport: Some(ElementAddress(1)),
        source: Some(ElementAddress(1000)),
        last_good: None,
        destination: Some(ElementAddress(500)),
        tag: Some("VT0001L8"),
        milliseconds: Some(0x0001_0203_0405),
    };

    #[test]
    fn an_error_is_read_as_it_was_written_with_and_without_what_is_optional() {
        let bare = ChangerDiagnostic { number: 2, transport: None, tag: None, milliseconds: None, ..ERROR };
        let untimed =
            ChangerDiagnostic { number: 3, last_good: Some(ElementAddress(7)), milliseconds: None, ..ERROR };
        let errors = [ERROR, bare, untimed];
        let mut buffer = [0xEE; 512];
        let length = ChangerDiagnostics::write(errors, &mut buffer);
        assert_eq!(length, 4 + 100 + 56 + 92);
        // Where the fields stand, counted from the parameter's beginning.
        let first = &buffer[4..];
        assert_eq!((first[3], first[5], first[6], first[7]), (96, 0x84, 0x53, 0x01));
        assert_eq!((&first[12..16], first[44], first[47]), (&b"0001"[..], 0xA5, 0b1101));
        assert_eq!(first[48..56], [0, 1, 0x03, 0xE8, 0, 0, 0x01, 0xF4]);
        assert_eq!((&first[56..64], &first[94..100]), (&b"VT0001L8"[..], &[0, 1, 2, 3, 4, 5][..]));
        let page = ChangerDiagnostics::parse(&buffer[..length]).expect("header");
        assert_eq!(page.errors().collect::<Vec<_>>(), errors);
    }

    #[test]
    fn what_is_not_whole_is_left_out() {
        let mut buffer = [0xEE; 512];
        let length = ChangerDiagnostics::write([ERROR], &mut buffer);
        for end in 4..length {
            let page = ChangerDiagnostics::parse(&buffer[..end]).expect("header");
            assert_eq!(page.errors().count(), 0, "{end} bytes");
        }
        // A parameter that is too short for its fields, and a label that cannot be read.
        assert_eq!(
            ChangerDiagnostics::parse(&[0x16, 0, 0, 5, 0, 1, 3, 1, 9]).expect("header").errors().count(),
            0
        );
        buffer[4 + 56] = 0x07;
        let page = ChangerDiagnostics::parse(&buffer[..length]).expect("header");
        assert_eq!(page.errors().next().and_then(|error| error.tag), None);
    }
}
