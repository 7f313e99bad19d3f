use super::{LogPage, LogPageWriter, LogParameter};
use crate::ShortData;
use crate::bytes::{printable_prefix, slice_at};

/// Numbers here.
const NUMBERS: usize = 21;
/// DU and a counter of fixed length.
const CONTROL: u8 = 0x00;
/// The parameter that says whether the others are of the volume that is mounted.
const VALID: u16 = 0x0000;
const SERIAL: u16 = 0x0040;
const BARCODE: u16 = 0x0042;
/// Bytes of the two.
const TEXT: usize = 32;

macro_rules! numbers {
    ($( $(#[$meta:meta])* $name:ident = $code:literal, $length:literal; )*) => {
        /// Log page 17h of a drive: what it knows of the volume in it (SSC-4 clause 8.2). `None` is what it does not tell.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[doc(alias = "Volume statistics")]
        pub struct VolumeStatistics<'a> {
            /// Whether a volume is mounted that the rest is about.
            pub valid: Option<bool>,
            /// Its serial number, trimmed.
            pub serial: Option<&'a str>,
            /// Its label, as the library told it to the drive or a host wrote it into its memory; trimmed.
            pub barcode: Option<&'a str>,
            $( $(#[$meta])* pub $name: Option<u64>, )*
        }

        impl VolumeStatistics<'_> {
            fn numbers(&self) -> [(u16, usize, Option<u64>); NUMBERS] {
                [$( ($code, $length, self.$name) ),*]
            }

            fn number(&mut self, code: u16) -> Option<&mut Option<u64>> {
                match code {
                    $( $code => Some(&mut self.$name), )*
                    _ => None,
                }
            }
        }
    };
}

numbers! {
    /// How often it was threaded.
    threads = 0x0001, 4;
    /// Data sets written in its life.
    data_sets_written = 0x0002, 8;
    /// Retries of writes.
    write_retries = 0x0003, 4;
    /// Writes that failed.
    write_errors = 0x0004, 2;
    /// Times that writing was suspended.
    suspended_writes = 0x0005, 2;
    /// Suspensions of writing that were not recovered from.
    fatal_suspended_writes = 0x0006, 2;
    /// Data sets read in its life.
    data_sets_read = 0x0007, 8;
    /// Retries of reads.
    read_retries = 0x0008, 4;
    /// Reads that failed.
    read_errors = 0x0009, 2;
    /// Times that reading was suspended.
    suspended_reads = 0x000A, 2;
    /// Suspensions of reading that were not recovered from.
    fatal_suspended_reads = 0x000B, 2;
    /// Writes that failed in the last mount.
    last_write_errors = 0x000C, 2;
    /// Reads that failed in the last mount.
    last_read_errors = 0x000D, 2;
    /// Megabytes written in the last mount.
    last_megabytes_written = 0x000E, 4;
    /// Megabytes read in the last mount.
    last_megabytes_read = 0x000F, 4;
    /// Megabytes written in its life.
    megabytes_written = 0x0010, 8;
    /// Megabytes read in its life.
    megabytes_read = 0x0011, 8;
    /// What it holds without compression, in megabytes.
    capacity_megabytes = 0x0016, 4;
    /// How much of that is used, in megabytes.
    used_megabytes = 0x0017, 4;
    /// 1 where it is protected from writing.
    write_protected = 0x0080, 1;
    /// 1 where it can be written once only.
    write_once = 0x0081, 1;
}

impl<'a> VolumeStatistics<'a> {
    /// Page code.
    pub const PAGE: u8 = 0x17;
    /// More bytes than the page has here.
    pub const MAX_LENGTH: usize = 512;

    /// Reads the page. Numbers may have any length; other parameters are overlooked.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        let page = LogPage::of(Self::PAGE, data)?;
        let mut statistics = Self::default();
        for LogParameter { code, control, value } in page.parameters() {
            match code {
                VALID => statistics.valid = value.last().map(|byte| *byte == 1),
                SERIAL => statistics.serial = Some(printable_prefix(value)),
                BARCODE => statistics.barcode = Some(printable_prefix(value)),
                _ => {
                    if let Some(number) = statistics.number(code) {
                        *number = LogParameter { code, control, value }.number();
                    }
                }
            }
        }
        Ok(statistics)
    }

    /// Writes the page with its header, what is `None` left out, and numbers that are too large as the largest that fit; returns
    /// how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        if let Some(valid) = self.valid {
            writer.list(VALID, &[u8::from(valid)]);
        }
        for (code, length, number) in self.numbers().into_iter().filter(|(code, ..)| *code < SERIAL) {
            put(&mut writer, code, length, number);
        }
        for (code, text) in [(SERIAL, self.serial), (BARCODE, self.barcode)] {
            if let Some(text) = text {
                let mut padded = [b' '; TEXT];
                padded.iter_mut().zip(text.as_bytes()).for_each(|(to, from)| *to = *from);
                writer.list(code, &padded);
            }
        }
        for (code, length, number) in self.numbers().into_iter().filter(|(code, ..)| *code > SERIAL) {
            put(&mut writer, code, length, number);
        }
        writer.finish()
    }
}

fn put(writer: &mut LogPageWriter<'_>, code: u16, length: usize, number: Option<u64>) {
    let Some(number) = number else { return };
    let largest = if length < 8 { (1 << (8 * length)) - 1 } else { u64::MAX };
    let bytes = number.min(largest).to_be_bytes();
    writer.parameter(code, CONTROL, slice_at(&bytes, 8 - length.min(8), length));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_read_as_it_was_written() {
        let statistics = VolumeStatistics {
            valid: Some(true),
            serial: Some("SN1"),
            barcode: Some("VT0001L8"),
            threads: Some(7),
            megabytes_written: Some(0x0102_0304_0506),
            capacity_megabytes: Some(12_000_000),
            write_protected: Some(0),
            ..VolumeStatistics::default()
        };
        let mut buffer = [0xEE; VolumeStatistics::MAX_LENGTH];
        let length = statistics.write(&mut buffer);
        assert_eq!(buffer[4..17], [0, 0, 3, 1, 1, 0, 1, 0, 4, 0, 0, 0, 7]);
        assert_eq!(VolumeStatistics::parse(&buffer[..length]), Ok(statistics));
        let large = VolumeStatistics { write_errors: Some(1 << 20), ..VolumeStatistics::default() };
        let length = large.write(&mut buffer);
        assert_eq!(buffer[..length], [0x17, 0, 0, 6, 0, 4, 0, 2, 0xFF, 0xFF]);
    }

    #[test]
    fn everything_fits() {
        let mut all = VolumeStatistics {
            valid: Some(false),
            serial: Some(""),
            barcode: Some("a label that is longer than the room that there is for one"),
            ..VolumeStatistics::default()
        };
        for (code, ..) in VolumeStatistics::default().numbers() {
            *all.number(code).expect("a number") = Some(u64::MAX);
        }
        let mut buffer = [0xEE; VolumeStatistics::MAX_LENGTH];
        let length = all.write(&mut buffer);
        assert!(length < VolumeStatistics::MAX_LENGTH);
        let read = VolumeStatistics::parse(&buffer[..length]).expect("header");
        assert_eq!((read.valid, read.serial, read.write_once), (Some(false), Some(""), Some(0xFF)));
        assert_eq!(read.barcode, Some("a label that is longer than the"));
        assert_eq!((read.megabytes_read, read.threads), (Some(u64::MAX), Some(u64::from(u32::MAX))));
    }
}
