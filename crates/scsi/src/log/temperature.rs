use super::{LogPage, LogPageWriter};
use crate::ShortData;
use crate::bytes::u8_at;

/// Log page 0Dh: how warm the device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Temperature {
    /// Degrees Celsius; `None` if the device does not know. Emulators say 0.
    pub celsius: Option<u8>,
    /// The highest temperature, in degrees Celsius, at which it works for long.
    pub reference: Option<u8>,
}

/// The number by which a device says that it does not know.
const UNKNOWN: u8 = 0xFF;
/// DU, TSD and format of both parameters.
const CONTROL: u8 = 0x03;

impl Temperature {
    /// Page code.
    pub const PAGE: u8 = 0x0D;

    /// Reads the page. A parameter that is missing is not known.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &[u8]) -> Result<Self, ShortData> {
        let page = LogPage::of(Self::PAGE, data)?;
        let degrees = |code| page.value(code).and_then(|value| u8_at(value, 1)).filter(|it| *it != UNKNOWN);
        Ok(Self { celsius: degrees(0), reference: degrees(1) })
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        writer.parameter(0, CONTROL, &[0, self.celsius.unwrap_or(UNKNOWN)]);
        if let Some(reference) = self.reference {
            writer.parameter(1, CONTROL, &[0, reference]);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_read_as_they_were_written() {
        let cases = [(None, None), (Some(31), None), (Some(0), Some(60))];
        for (celsius, reference) in cases {
            let temperature = Temperature { celsius, reference };
            let mut buffer = [0xEE; 16];
            let length = temperature.write(&mut buffer);
            assert_eq!(Temperature::parse(&buffer[..length]), Ok(temperature));
        }
        // From mhvtl.
        let emulated = [0x0D, 0, 0, 6, 0, 0, 0x60, 2, 0, 0];
        assert_eq!(Temperature::parse(&emulated), Ok(Temperature { celsius: Some(0), reference: None }));
        let foreign = [0x0C, 0, 0, 6, 0, 0, 0x60, 2, 0, 9];
        assert_eq!(Temperature::parse(&foreign), Ok(Temperature::default()));
    }
}
