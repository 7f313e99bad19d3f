use crate::ShortData;
use crate::bytes::{Sink, bit_at, printable_prefix, slice_at, u8_at, u16_at, u24_at, u32_at};

/// Bytes before the first descriptor.
const HEADER: usize = 4;
/// Bytes of a descriptor, unless it says otherwise.
const DESCRIPTOR: usize = 52;

/// The answer to REPORT DENSITY SUPPORT: tape formats.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "REPORT DENSITY SUPPORT")]
pub struct DensityReport<'a> {
    descriptors: &'a [u8],
}

impl<'a> DensityReport<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER)?;
        // The length counts the two reserved bytes after it.
        let length = usize::from(u16_at(data, 0).unwrap_or(0)).saturating_sub(2);
        Ok(Self { descriptors: slice_at(data, HEADER, length) })
    }

    /// The formats; a last one that is cut is left out.
    pub fn densities(&self) -> impl Iterator<Item = DensityDescriptor<'a>> + use<'a> {
        let mut rest = self.descriptors;
        core::iter::from_fn(move || {
            let descriptor = rest.get(..DESCRIPTOR)?;
            let extra = if bit_at(descriptor, 2, 0) { usize::from(u16_at(descriptor, 3)?) } else { 0 };
            // DLV: the length after its field, which ends at byte 5.
            let end = DESCRIPTOR.max(5 + extra);
            rest = rest.get(end..).unwrap_or_default();
            Some(DensityDescriptor::from_bytes(descriptor))
        })
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`.
    pub fn write<'d>(densities: impl IntoIterator<Item = DensityDescriptor<'d>>, buffer: &mut [u8]) -> usize {
        let mut sink = Sink::new(buffer);
        sink.fill(0, HEADER);
        for density in densities {
            density.put(&mut sink);
        }
        let length = u16::try_from(sink.total() - 2).unwrap_or(u16::MAX);
        sink.patch(0, &length.to_be_bytes());
        sink.written()
    }
}

/// A tape format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DensityDescriptor<'a> {
    /// Its density code, as in the MODE SENSE block descriptor; 5Eh is LTO-8.
    pub code: u8,
    /// Another density code for it; the same as a rule.
    pub secondary_code: u8,
    /// WRTOK: the drive can write it.
    pub writable: bool,
    /// DUP: the format is listed more than once.
    pub duplicate: bool,
    /// DEFLT: what the drive writes unless told otherwise.
    pub default: bool,
    /// Bits per millimetre and track.
    pub bits_per_mm: u32,
    /// Width of the tape in 0.1 mm.
    pub width: u16,
    /// How many tracks.
    pub tracks: u16,
    /// Megabytes (10^6) on the longest tape.
    pub capacity: u32,
    /// Who assigned the density code.
    pub organization: &'a str,
    /// Name of the format, such as `U-816`.
    pub name: &'a str,
    /// Description of it.
    pub description: &'a str,
}

impl<'a> DensityDescriptor<'a> {
    fn from_bytes(bytes: &'a [u8]) -> Self {
        let text = |at, length| printable_prefix(slice_at(bytes, at, length));
        Self {
            code: u8_at(bytes, 0).unwrap_or(0),
            secondary_code: u8_at(bytes, 1).unwrap_or(0),
            writable: bit_at(bytes, 2, 7),
            duplicate: bit_at(bytes, 2, 6),
            default: bit_at(bytes, 2, 5),
            bits_per_mm: u24_at(bytes, 5).unwrap_or(0),
            width: u16_at(bytes, 8).unwrap_or(0),
            tracks: u16_at(bytes, 10).unwrap_or(0),
            capacity: u32_at(bytes, 12).unwrap_or(0),
            organization: text(16, 8),
            name: text(24, 8),
            description: text(32, 20),
        }
    }

    fn put(&self, sink: &mut Sink<'_>) {
        let flags =
            u8::from(self.writable) << 7 | u8::from(self.duplicate) << 6 | u8::from(self.default) << 5;
        let [_, high, middle, low] = self.bits_per_mm.min(0xFF_FFFF).to_be_bytes();
        sink.put(&[self.code, self.secondary_code, flags, 0, 0, high, middle, low]);
        sink.put(&self.width.to_be_bytes());
        sink.put(&self.tracks.to_be_bytes());
        sink.put(&self.capacity.to_be_bytes());
        sink.put_padded(self.organization.as_bytes(), 8, b' ');
        sink.put_padded(self.name.as_bytes(), 8, b' ');
        sink.put_padded(self.description.as_bytes(), 20, b' ');
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    const LTO8: DensityDescriptor<'static> = DensityDescriptor {
        code: 0x5E,
        secondary_code: 0x5E,
        writable: true,
        duplicate: false,
        default: true,
        bits_per_mm: 0x01_0203,
        width: 127,
        tracks: 6656,
        capacity: 12_000_000,
        organization: "LTO-CVE",
        name: "U-832",
        description: "Ultrium 8/32T",
    };

    #[test]
    fn formats_are_read_as_they_were_written() {
        let lto7 = DensityDescriptor { code: 0x5C, name: "U-716", writable: false, default: false, ..LTO8 };
        let mut buffer = [0xEE; 120];
        let length = DensityReport::write([lto7, LTO8], &mut buffer);
        assert_eq!(length, 4 + 2 * 52);
        assert_eq!(buffer[..4], [0, 106, 0, 0]);
        assert_eq!(
            buffer[56..72],
            [0x5E, 0x5E, 0xA0, 0, 0, 1, 2, 3, 0, 127, 0x1A, 0x00, 0x00, 0xB7, 0x1B, 0x00]
        );
        assert_eq!(buffer[72..88], *b"LTO-CVE U-832   ");
        let report = DensityReport::parse(&buffer[..length]).expect("header");
        assert_eq!(report.densities().collect::<Vec<_>>(), [lto7, LTO8]);
        let cut = DensityReport::parse(&buffer[..length - 1]).expect("header");
        assert_eq!(cut.densities().count(), 1);
    }

    #[test]
    fn a_longer_descriptor_is_passed_as_a_whole() {
        let mut buffer = [0; 4 + 60 + 52];
        DensityReport::write([LTO8, LTO8], &mut buffer);
        buffer.copy_within(56..108, 64);
        buffer[56..64].fill(0);
        buffer[1] = 114;
        buffer[6] |= 1;
        buffer[8] = 55;
        let report = DensityReport::parse(&buffer).expect("header");
        assert_eq!(report.densities().map(|density| density.code).collect::<Vec<_>>(), [0x5E, 0x5E]);
    }
}
