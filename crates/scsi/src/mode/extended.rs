use crate::ShortData;
use crate::bytes::bit_at;

macro_rules! capabilities {
    ($( $(#[$meta:meta])* $name:ident = $byte:literal . $bit:literal, )*) => {
        /// Mode page 1Fh subpage 41h, extended device capabilities (SMC-3). Few devices have it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct ExtendedCapabilities {
            $( $(#[$meta])* pub $name: bool, )*
        }

        impl ExtendedCapabilities {
            fn from_page(page: &[u8]) -> Self {
                Self { $( $name: bit_at(page, $byte, $bit), )* }
            }

            fn set(&self, page: &mut [u8; Self::LENGTH]) {
                $( page[$byte] |= u8::from(self.$name) << $bit; )*
            }
        }
    };
}

capabilities! {
    /// MVPRV: moves to ports can be prevented.
    ports_preventable = 4 . 5,
    /// MVCL: a move closes a port.
    move_closes_port = 4 . 4,
    /// MVOP: a move opens a port.
    move_opens_port = 4 . 3,
    /// USRCL: people can close a port.
    user_closes_port = 4 . 2,
    /// USROP: people can open a port.
    user_opens_port = 4 . 1,
    /// IEST: the state of ports is reported.
    port_state_reported = 4 . 0,
    /// DTETA: drives are emptied when a door is opened.
    drives_emptied_on_access = 5 . 4,
    /// RSSEA: the source address that is reported is where the cartridge goes back to.
    returns_to_source = 5 . 3,
    /// MVTRY: a move carries a tray.
    moves_trays = 5 . 2,
    /// IEMGZ: ports are in magazines.
    port_magazines = 5 . 1,
    /// SMGZ: slots are in magazines.
    storage_magazines = 5 . 0,
    /// TREXC: EXCHANGE MEDIUM really exchanges.
    true_exchange = 6 . 2,
    /// LCKIE: PREVENT ALLOW MEDIUM REMOVAL locks the ports.
    locks_ports = 6 . 1,
    /// LCKD: PREVENT ALLOW MEDIUM REMOVAL locks the doors.
    locks_doors = 6 . 0,
    /// SPMER: the host has to unload a drive before a move out of it.
    source_eject_required = 7 . 2,
    /// DPMER: the host has to unload a drive before a move into it.
    destination_eject_required = 7 . 1,
    /// PEPOS: the robot goes to a position before the eject.
    pre_eject_position = 7 . 0,
    /// UCST: cleaning cartridges are kept apart.
    cleaning_storage = 8 . 0,
}

impl ExtendedCapabilities {
    /// Page code.
    pub const PAGE: u8 = 0x1F;
    /// Subpage code.
    pub const SUBPAGE: u8 = 0x41;
    /// Bytes of the page, header included.
    pub const LENGTH: usize = 20;
    /// SPF: the header has a subpage code and a length of two bytes.
    const SUBPAGE_FORMAT: u8 = 0x40;

    /// Reads the page; `page` starts at its header of four bytes. Capabilities that are missing are none.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than five bytes: then it says nothing.
    pub fn parse(page: &[u8]) -> Result<Self, ShortData> {
        ShortData::check(page, 5)?;
        Ok(Self::from_page(page))
    }

    /// The page with its header.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut page = [0; Self::LENGTH];
        page[0] = Self::PAGE | Self::SUBPAGE_FORMAT;
        page[1] = Self::SUBPAGE;
        page[3] = Self::LENGTH as u8 - 4;
        self.set(&mut page);
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_lie_where_the_standard_puts_them() {
        let capabilities = ExtendedCapabilities {
            move_opens_port: true,
            returns_to_source: true,
            locks_ports: true,
            source_eject_required: true,
            cleaning_storage: true,
            ..ExtendedCapabilities::default()
        };
        let page = capabilities.to_bytes();
        assert_eq!(page[..9], [0x5F, 0x41, 0, 16, 0x08, 0x08, 0x02, 0x04, 0x01]);
        assert_eq!(ExtendedCapabilities::parse(&page), Ok(capabilities));
        assert_eq!(ExtendedCapabilities::parse(&page[..4]), Err(ShortData { needed: 5, got: 4 }));
    }

    #[test]
    fn every_defined_bit_survives_both_ways_and_no_other_is_read() {
        let known = [(4, 0x3F), (5, 0x1F), (6, 0x07), (7, 0x07), (8, 0x01)];
        for (at, mask) in known {
            let mut page = ExtendedCapabilities::default().to_bytes();
            page[at] = 0xFF;
            let read = ExtendedCapabilities::parse(&page).expect("whole");
            page[at] = mask;
            assert_eq!(read.to_bytes(), page, "byte {at}");
        }
    }
}
