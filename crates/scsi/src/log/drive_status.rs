use super::{LogPage, LogPageWriter};
use crate::bytes::{bit_at, u8_at};
use crate::cdb::layout::choices;

choices! {
    /// What a drive is doing.
    #[derive(Default)]
    DriveActivity {
        /// Nothing.
        #[default]
        None = 0x00,
        /// Cleaning itself.
        Cleaning = 0x01,
        /// Loading a cartridge.
        Loading = 0x02,
        /// Unloading a cartridge.
        Unloading = 0x03,
        /// Something else with the cartridge.
        OtherMedium = 0x04,
        /// Reading.
        Reading = 0x05,
        /// Writing.
        Writing = 0x06,
        /// Locating.
        Locating = 0x07,
        /// Rewinding.
        Rewinding = 0x08,
        /// Erasing.
        Erasing = 0x09,
        /// Formatting.
        Formatting = 0x0A,
        /// Calibrating: with new LTO-9 media up to two hours.
        Calibrating = 0x0B,
        /// Something else.
        Other = 0x0C,
        /// Updating its microcode.
        MicrocodeUpdate = 0x0D,
        /// Reading encrypted data.
        ReadingEncrypted = 0x0E,
        /// Writing encrypted data.
        WritingEncrypted = 0x0F,
    }
}

macro_rules! flags {
    ($( $(#[$meta:meta])* $name:ident = $byte:literal . $bit:literal, )*) => {
        /// Log page 11h of a drive: its state, to be watched without disturbing it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[doc(alias = "very high frequency data")]
        #[doc(alias = "VHF")]
        pub struct DriveStatus {
            $( $(#[$meta])* pub $name: bool, )*
            /// What the drive is doing; a code without meaning counts as [`DriveActivity::Other`].
            pub activity: DriveActivity,
        }

        impl DriveStatus {
            fn from_bytes(bytes: &[u8]) -> Self {
                let code = u8_at(bytes, 2).unwrap_or(0);
                Self {
                    $( $name: bit_at(bytes, $byte, $bit), )*
                    activity: DriveActivity::from_code(code).unwrap_or(DriveActivity::Other),
                }
            }

            fn to_bytes(self) -> [u8; 4] {
                let mut bytes = [VALID, 0, self.activity.code(), 0];
                $( bytes[$byte] |= u8::from(self.$name) << $bit; )*
                bytes
            }
        }
    };
}

/// DINIT: the rest is valid.
const VALID: u8 = 0x01;

flags! {
    /// PAMR: the removal of the cartridge is prevented.
    removal_prevented = 0 . 7,
    /// HUI: a host asked for the unload that is going on.
    host_initiated_unload = 0 . 6,
    /// MACC: the cartridge's memory can be read.
    memory_accessible = 0 . 5,
    /// CMPR: data are compressed.
    compression = 0 . 4,
    /// WRTP: the cartridge is write protected.
    write_protected = 0 . 3,
    /// CRQST: the drive would like to be cleaned.
    cleaning_requested = 0 . 2,
    /// CRQRD: the drive must be cleaned.
    cleaning_required = 0 . 1,
    /// INXTN: the state is changing.
    in_transition = 1 . 7,
    /// RAA: the robot may take the cartridge or put one in: what a changer's ACCESS shows, later.
    robotic_access_allowed = 1 . 5,
    /// MPRSNT: there is a cartridge.
    medium_present = 1 . 4,
    /// MSTD: it is seated.
    seated = 1 . 2,
    /// MTHRD: its tape is threaded.
    threaded = 1 . 1,
    /// MOUNTED: it can be read or written.
    mounted = 1 . 0,
    /// TDDEC: the drive works with encryption.
    encryption = 3 . 5,
    /// EPP: encryption parameters are present.
    encryption_parameters = 3 . 4,
    /// ESR: the drive wants something of the key manager.
    encryption_service = 3 . 3,
    /// RRQST: the drive asks for recovery.
    recovery_requested = 3 . 2,
    /// INTFC: an interface changed.
    interface_changed = 3 . 1,
    /// TAFC: a TapeAlert flag changed.
    alert_changed = 3 . 0,
}

impl DriveStatus {
    /// Page code.
    pub const PAGE: u8 = 0x11;

    /// Reads the page. `None` if it is another page, is cut before the state, or the drive says that it does not
    /// know its state yet.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let page = LogPage::of(Self::PAGE, data).ok()?;
        let value = page.value(0).filter(|value| value.len() >= 4 && bit_at(value, 0, 0))?;
        Some(Self::from_bytes(value))
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        writer.list(0, &self.to_bytes());
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_drive_is_read_bit_by_bit() {
        // Memory accessible, cleaning requested, valid; in transition, present, seated; loading; alert changed.
        let data = [0x11, 0, 0, 8, 0, 0, 0x03, 4, 0x25, 0x94, 0x02, 0x01];
        let expected = DriveStatus {
            memory_accessible: true,
            cleaning_requested: true,
            in_transition: true,
            medium_present: true,
            seated: true,
            activity: DriveActivity::Loading,
            alert_changed: true,
            ..DriveStatus::default()
        };
        assert_eq!(DriveStatus::parse(&data), Some(expected));
        let mut buffer = [0xEE; 12];
        assert_eq!(expected.write(&mut buffer), 12);
        assert_eq!(buffer, data);
    }

    #[test]
    fn a_state_that_is_not_valid_is_none() {
        let mut data = [0x11, 0, 0, 8, 0, 0, 0x03, 4, 0x01, 0x11, 0x00, 0x00];
        assert!(DriveStatus::parse(&data).is_some_and(|state| state.mounted));
        for end in 0..12 {
            assert_eq!(DriveStatus::parse(&data[..end]), None, "{end} bytes");
        }
        data[10] = 0x77;
        assert_eq!(DriveStatus::parse(&data).map(|state| state.activity), Some(DriveActivity::Other));
        data[8] = 0x80;
        assert_eq!(DriveStatus::parse(&data), None);
    }

    #[test]
    fn every_bit_survives_both_ways() {
        for at in [0, 1, 3] {
            for bit in 0..8 {
                let mut bytes = [VALID, 0, 0, 0];
                bytes[at] |= 1u8 << bit;
                let known = DriveStatus::from_bytes(&bytes).to_bytes();
                let reserved = matches!((at, bit), (1, 6 | 3) | (3, 6 | 7));
                assert_eq!(known == bytes, !reserved, "byte {at} bit {bit}");
            }
        }
    }
}
