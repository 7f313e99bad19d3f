use super::{LogPage, LogPageWriter, TapeAlert};
use crate::ShortData;
use crate::bytes::u64_at;

/// How many TapeAlert flags there are; they are counted from 1.
const FLAGS: u8 = 64;

/// A set of TapeAlert flags, numbered 1 to 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TapeAlertFlags(u64);

impl TapeAlertFlags {
    /// No flag.
    pub const NONE: Self = Self(0);

    /// From the number in log page 12h, VPD page B2h and attribute 0002h: flag 1 is the most significant bit.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The flags as a number: flag 1 is the most significant bit.
    pub const fn bits(self) -> u64 {
        self.0
    }

    fn mask(flag: u8) -> u64 {
        if (1..=FLAGS).contains(&flag) { 1 << (FLAGS - flag) } else { 0 }
    }

    /// Whether a flag is set; no number outside 1 to 64 is.
    pub fn contains(self, flag: u8) -> bool {
        self.0 & Self::mask(flag) != 0
    }

    /// Adds a flag; a number outside 1 to 64 adds none.
    #[must_use]
    pub fn with(self, flag: u8) -> Self {
        Self(self.0 | Self::mask(flag))
    }

    /// The flags that are in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no flag is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The numbers of the flags that are set, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (1..=FLAGS).filter(move |flag| self.contains(*flag))
    }

    /// What the flags mean on a changer; those without a meaning are left out.
    pub fn on_changer(self) -> impl Iterator<Item = &'static TapeAlert> {
        self.iter().filter_map(TapeAlert::of_changer)
    }

    /// What the flags mean on a tape drive; those without a meaning are left out.
    pub fn on_drive(self) -> impl Iterator<Item = &'static TapeAlert> {
        self.iter().filter_map(TapeAlert::of_drive)
    }
}

impl FromIterator<u8> for TapeAlertFlags {
    fn from_iter<T: IntoIterator<Item = u8>>(flags: T) -> Self {
        flags.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Log page 2Eh: the TapeAlert flags. Reading it clears them, in older devices for every initiator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "TapeAlert")]
pub struct TapeAlertPage {
    /// The flags that are set.
    pub flags: TapeAlertFlags,
    /// The flags that the page has; a device may leave some out.
    pub present: TapeAlertFlags,
}

/// DU, TSD and format of a flag, as devices send it.
const CONTROL: u8 = 0xC0;

impl TapeAlertPage {
    /// Page code.
    pub const PAGE: u8 = 0x2E;
    /// Bytes of a page with all flags: allocate so many at least, or flags are cleared unseen.
    pub const LENGTH: usize = 4 + 5 * FLAGS as usize;

    /// Reads the page.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &[u8]) -> Result<Self, ShortData> {
        let page = LogPage::of(Self::PAGE, data)?;
        let mut alerts = Self::default();
        for parameter in page.parameters() {
            let Ok(flag) = u8::try_from(parameter.code) else { continue };
            alerts.present = alerts.present.with(flag);
            if parameter.value.first().is_some_and(|value| value & 1 == 1) {
                alerts.flags = alerts.flags.with(flag);
            }
        }
        Ok(alerts)
    }

    /// Writes the page with its header and all 64 flags; returns how many bytes are in `buffer`.
    pub fn write(flags: TapeAlertFlags, buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        for flag in 1..=FLAGS {
            writer.parameter(u16::from(flag), CONTROL, &[u8::from(flags.contains(flag))]);
        }
        writer.finish()
    }
}

/// Log page 12h of a drive: the TapeAlert flags again. Reading it clears nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "TapeAlert Response")]
pub struct TapeAlertResponse(
    /// The flags that are set.
    pub TapeAlertFlags,
);

impl TapeAlertResponse {
    /// Page code.
    pub const PAGE: u8 = 0x12;

    /// Reads the page; `None` if it is another one or the flags are not whole.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let page = LogPage::of(Self::PAGE, data).ok()?;
        page.value(0).and_then(|value| u64_at(value, 0)).map(|bits| Self(TapeAlertFlags(bits)))
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        writer.list(0, &self.0.bits().to_be_bytes());
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn flags_are_counted_from_one() {
        let flags: TapeAlertFlags = [1, 24, 64, 0, 65, 255].into_iter().collect();
        assert_eq!(flags.iter().collect::<Vec<_>>(), [1, 24, 64]);
        assert_eq!(flags.bits(), 0x8000_0100_0000_0001);
        assert!(flags.contains(24) && !flags.contains(23) && !flags.contains(0) && !flags.contains(65));
    }

    #[test]
    fn page_2e_is_read_as_it_was_written() {
        let flags: TapeAlertFlags = [3, 12, 64].into_iter().collect();
        let mut buffer = [0xEE; TapeAlertPage::LENGTH];
        assert_eq!(TapeAlertPage::write(flags, &mut buffer), TapeAlertPage::LENGTH);
        assert_eq!(buffer[..9], [0x2E, 0, 0x01, 0x40, 0, 1, 0xC0, 1, 0]);
        assert_eq!(buffer[14..19], [0, 3, 0xC0, 1, 1]);
        let page = TapeAlertPage::parse(&buffer).expect("header");
        assert_eq!((page.flags, page.present.bits()), (flags, u64::MAX));
        // Cut: what was there counts, what was lost is known.
        let page = TapeAlertPage::parse(&buffer[..20]).expect("header");
        assert_eq!((page.flags.iter().count(), page.present.iter().count()), (1, 3));
    }

    #[test]
    fn page_12_has_flag_1_in_the_first_bit() {
        let data = [0x12, 0, 0, 12, 0, 0, 0x03, 8, 0x80, 0, 0, 0, 0, 0, 0, 0x02];
        let flags = TapeAlertResponse::parse(&data).expect("whole");
        assert_eq!(flags.0.iter().collect::<Vec<_>>(), [1, 63]);
        let mut buffer = [0xEE; 16];
        assert_eq!(flags.write(&mut buffer), 16);
        assert_eq!(buffer, data);
        assert_eq!(TapeAlertResponse::parse(&data[..15]), None);
    }
}
