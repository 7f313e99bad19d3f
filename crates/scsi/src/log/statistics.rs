use super::{LogPage, LogPageWriter};
use crate::ShortData;

/// How many counters there are.
const COUNTERS: usize = 24;

/// DU and a counter of fixed length.
const CONTROL: u8 = 0x00;

macro_rules! counters {
    ($( $(#[$meta:meta])* $name:ident = $code:literal, )*) => {
        /// Log page 14h of a changer: what it has done since it was made. `None` is a counter that it does not have.
        ///
        /// A drive's page 14h is another one.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct ChangerStatistics {
            $( $(#[$meta])* pub $name: Option<u64>, )*
        }

        impl ChangerStatistics {
            fn counters(&self) -> [(u16, Option<u64>); COUNTERS] {
                [$( ($code, self.$name) ),*]
            }

            fn counter(&mut self, code: u16) -> Option<&mut Option<u64>> {
                match code {
                    $( $code => Some(&mut self.$name), )*
                    _ => None,
                }
            }
        }
    };
}

counters! {
    /// Moves.
    moves = 0x00,
    /// Cartridges picked.
    picks = 0x01,
    /// Picks that needed another try.
    pick_retries = 0x02,
    /// Cartridges placed.
    places = 0x03,
    /// Places that needed another try.
    place_retries = 0x04,
    /// Volume tags that the device read.
    tags_read = 0x05,
    /// Volume tags that it could not read.
    tags_invalid = 0x06,
    /// Times that a door of the library was opened.
    door_opens = 0x07,
    /// Times that a port was opened.
    port_opens = 0x08,
    /// Scans of all elements.
    inventories = 0x09,
    /// Errors of the robot that it did not recover from.
    transport_unrecovered = 0x0A,
    /// Errors of the robot that it recovered from.
    transport_recovered = 0x0B,
    /// Errors along the X axis, unrecovered.
    x_unrecovered = 0x0C,
    /// Errors along the X axis, recovered.
    x_recovered = 0x0D,
    /// Errors along the Y axis, unrecovered.
    y_unrecovered = 0x0E,
    /// Errors along the Y axis, recovered.
    y_recovered = 0x0F,
    /// Errors along the Z axis, unrecovered.
    z_unrecovered = 0x10,
    /// Errors along the Z axis, recovered.
    z_recovered = 0x11,
    /// Errors of rotation, unrecovered.
    rotation_unrecovered = 0x12,
    /// Errors of rotation, recovered.
    rotation_recovered = 0x13,
    /// Errors of turning a medium over, unrecovered.
    inversion_unrecovered = 0x14,
    /// Errors of turning a medium over, recovered.
    inversion_recovered = 0x15,
    /// Auxiliary errors, unrecovered.
    auxiliary_unrecovered = 0x16,
    /// Auxiliary errors, recovered.
    auxiliary_recovered = 0x17,
}

impl ChangerStatistics {
    /// Page code.
    pub const PAGE: u8 = 0x14;

    /// Reads the page. Counters may have any length; vendors' parameters are overlooked.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &[u8]) -> Result<Self, ShortData> {
        let page = LogPage::of(Self::PAGE, data)?;
        let mut statistics = Self::default();
        for parameter in page.parameters() {
            if let Some(counter) = statistics.counter(parameter.code) {
                *counter = parameter.number();
            }
        }
        Ok(statistics)
    }

    /// Writes the page with its header, counters of 32 bits, those that are `None` left out; returns how many bytes
    /// are in `buffer`. A larger number is written as the largest that fits, as a counter stops there.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let mut writer = LogPageWriter::new(Self::PAGE, buffer);
        for (code, counter) in self.counters() {
            if let Some(counter) = counter {
                let counter = u32::try_from(counter).unwrap_or(u32::MAX);
                writer.parameter(code, CONTROL, &counter.to_be_bytes());
            }
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_as_they_were_written() {
        let statistics = ChangerStatistics {
            moves: Some(7),
            picks: Some(0),
            inventories: Some(0x0102_0304),
            auxiliary_recovered: Some(1),
            ..ChangerStatistics::default()
        };
        let mut buffer = [0xEE; 256];
        let length = statistics.write(&mut buffer);
        assert_eq!(length, 4 + 4 * 8);
        assert_eq!(buffer[..12], [0x14, 0, 0, 32, 0, 0, 0, 4, 0, 0, 0, 7]);
        assert_eq!(buffer[28..36], [0, 0x17, 0, 4, 0, 0, 0, 1]);
        assert_eq!(ChangerStatistics::parse(&buffer[..length]), Ok(statistics));
    }

    #[test]
    fn counters_of_other_lengths_and_of_vendors_do_no_harm() {
        let page = [0x14, 0, 0, 15, 0, 0, 0, 2, 1, 0, 0x80, 0, 0, 0, 0, 3, 0, 1, 9];
        let statistics = ChangerStatistics::parse(&page).expect("header");
        assert_eq!((statistics.moves, statistics.places, statistics.picks), (Some(256), Some(9), None));
    }
}
