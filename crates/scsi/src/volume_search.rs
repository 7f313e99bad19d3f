//! SEND VOLUME TAG and REQUEST VOLUME ELEMENT ADDRESS: searching for labels (SMC).

use crate::bytes::{Sink, is_padding, slice_at, trim, u8_at, u16_at};
use crate::{ElementStatus, ShortData, VolumeTagAction};

/// Bytes of the identifier template.
const TEMPLATE: usize = 32;

/// The parameter list of SEND VOLUME TAG: which volume tags are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VolumeTagTemplate<'a> {
    /// The identifier, at most 32 bytes; `?` stands for any one character, `*` for any rest.
    pub identifier: &'a [u8],
    /// The lowest volume sequence number.
    pub minimum_sequence: u16,
    /// The highest volume sequence number.
    pub maximum_sequence: u16,
}

impl<'a> VolumeTagTemplate<'a> {
    /// Bytes of the list.
    pub const LENGTH: usize = 40;

    /// Any sequence number.
    pub const fn new(identifier: &'a [u8]) -> Self {
        Self { identifier, minimum_sequence: 0, maximum_sequence: u16::MAX }
    }

    /// Reads the list as a target does; the identifier without its padding.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than 40 bytes: PARAMETER LIST LENGTH ERROR (05/1A/00).
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, Self::LENGTH)?;
        let number = |at| u16_at(data, at).unwrap_or(0);
        Ok(Self {
            identifier: trim(slice_at(data, 0, TEMPLATE)),
            minimum_sequence: number(34),
            maximum_sequence: number(38),
        })
    }

    /// The list. An identifier that is too long is cut.
    pub fn to_bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        let mut sink = Sink::new(&mut bytes);
        sink.put_padded(self.identifier, TEMPLATE, b' ');
        sink.put(&[0, 0]);
        sink.put(&self.minimum_sequence.to_be_bytes());
        sink.put(&[0, 0]);
        sink.put(&self.maximum_sequence.to_be_bytes());
        bytes
    }

    /// Whether an identifier fits the template; trailing padding of it does not count.
    pub fn fits(&self, identifier: &[u8]) -> bool {
        let end = identifier.iter().rposition(|byte| !is_padding(*byte)).map_or(0, |last| last + 1);
        let mut label = slice_at(identifier, 0, end).iter();
        for expected in self.identifier {
            match expected {
                b'*' => return true,
                b'?' if label.next().is_some() => {}
                byte if *byte != b'?' && label.next() == Some(byte) => {}
                _ => return false,
            }
        }
        label.next().is_none()
    }
}

/// The answer to REQUEST VOLUME ELEMENT ADDRESS: an element status report of what was found.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "REQUEST VOLUME ELEMENT ADDRESS")]
pub struct VolumeElements<'a> {
    code: u8,
    report: ElementStatus<'a>,
}

impl<'a> VolumeElements<'a> {
    /// Where the header has the action code.
    const ACTION_AT: usize = 4;

    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of eight bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        let report = ElementStatus::parse(data)?;
        Ok(Self { code: u8_at(data, Self::ACTION_AT).unwrap_or(0) & 0x1F, report })
    }

    /// The action of the SEND VOLUME TAG that is answered; `None` for a code that means nothing.
    pub fn action(&self) -> Option<VolumeTagAction> {
        VolumeTagAction::from_code(self.code)
    }

    /// The elements found.
    pub fn report(&self) -> ElementStatus<'a> {
        self.report
    }

    /// Makes a finished element status report the answer to a SEND VOLUME TAG, as a target does.
    pub fn mark(report: &mut [u8], action: VolumeTagAction) {
        if let Some(byte) = report.get_mut(Self::ACTION_AT) {
            *byte = action.code();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ElementAddress, ElementPageOptions, ElementRecord, ElementStatusWriter, ElementType};

    #[test]
    fn the_template_is_read_as_it_was_written() {
        let template =
            VolumeTagTemplate { identifier: b"VT00??L8", minimum_sequence: 0x0102, maximum_sequence: 0x0304 };
        let bytes = template.to_bytes();
        assert_eq!(bytes[..10], *b"VT00??L8  ");
        assert_eq!(bytes[32..], [0, 0, 1, 2, 0, 0, 3, 4]);
        assert_eq!(VolumeTagTemplate::parse(&bytes), Ok(template));
        assert_eq!(VolumeTagTemplate::parse(&bytes[..39]), Err(ShortData { needed: 40, got: 39 }));
        let long = [b'X'; 40];
        assert_eq!(VolumeTagTemplate::new(&long).to_bytes()[..34], *b"XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\0\0");
    }

    #[test]
    fn question_marks_and_stars_stand_for_characters() {
        let fits =
            |template: &str, label: &str| VolumeTagTemplate::new(template.as_bytes()).fits(label.as_bytes());
        assert!(fits("VT0001L8", "VT0001L8   "));
        assert!(fits("VT000?L8", "VT0009L8") && !fits("VT000?L8", "VT0010L8"));
        assert!(fits("VT*", "VT0001L8") && fits("*", "") && !fits("X*", "VT0001L8"));
        assert!(!fits("VT0001", "VT0001L8") && !fits("VT0001L8", "VT0001") && !fits("?", ""));
        assert!(fits("A?*", "AB") && !fits("A?*", "A"));
    }

    #[test]
    fn the_answer_is_a_report_with_the_action_in_its_header() {
        let mut buffer = [0; 64];
        let mut writer = ElementStatusWriter::new(&mut buffer);
        writer.page(ElementPageOptions::new(ElementType::Storage));
        writer.element(&ElementRecord { full: true, ..ElementRecord::new(ElementAddress(1000)) });
        let length = writer.finish();
        VolumeElements::mark(&mut buffer, VolumeTagAction::TranslatePrimaryAnySequence);
        assert_eq!(buffer[..8], [0x03, 0xE8, 0, 1, 5, 0, 0, 24]);
        let answer = VolumeElements::parse(&buffer[..length]).expect("header");
        assert_eq!(answer.action(), Some(VolumeTagAction::TranslatePrimaryAnySequence));
        assert!(answer.report().elements().map(|element| element.address().0).eq([1000]));
        buffer[4] = 0x1F;
        assert_eq!(VolumeElements::parse(&buffer).expect("header").action(), None);
    }
}
