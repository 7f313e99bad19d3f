use crate::bytes::{Sink, bit_at, slice_at, u8_at};
use crate::{ElementType, ShortData};

/// One robot of mode page 1Eh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TransportInfo {
    /// It can turn over two-sided media.
    pub rotates: bool,
    /// Its number within its set of robots.
    pub member: u8,
}

/// Mode page 1Eh, transport geometry: one entry per robot.
#[derive(Clone, Copy, Debug)]
pub struct TransportGeometry<'a> {
    entries: &'a [u8],
}

impl<'a> TransportGeometry<'a> {
    /// Page code.
    pub const PAGE: u8 = 0x1E;

    /// Reads the page; `page` starts at its header.
    ///
    /// # Errors
    /// [`ShortData`] if the header of two bytes is not whole.
    pub fn parse(page: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(page, 2)?;
        Ok(Self { entries: slice_at(page, 2, usize::from(u8_at(page, 1).unwrap_or(0))) })
    }

    /// The robots, in the order of their addresses.
    pub fn transports(&self) -> impl ExactSizeIterator<Item = TransportInfo> + use<'a> {
        self.entries
            .chunks_exact(2)
            .map(|entry| TransportInfo { rotates: bit_at(entry, 0, 0), member: u8_at(entry, 1).unwrap_or(0) })
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`. It has room for 127 robots.
    pub fn write(transports: &[TransportInfo], buffer: &mut [u8]) -> usize {
        let transports = transports.get(..usize::from(u8::MAX / 2)).unwrap_or(transports);
        let mut sink = Sink::new(buffer);
        sink.put(&[Self::PAGE, transports.len() as u8 * 2]);
        for transport in transports {
            sink.put(&[u8::from(transport.rotates), transport.member]);
        }
        sink.written()
    }
}

/// Mode page 1Fh, device capabilities: what may be stored where and moved from where to where.
///
/// A hint. Devices claim moves that they refuse and leave out moves that they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeviceCapabilities {
    stores: u8,
    moves: [u8; 4],
    exchanges: [u8; 4],
    /// VTRP: the library has a reader for volume tags. Valid for SMC-2 devices.
    pub volume_tag_reader: bool,
    /// ACE: the library cleans drives by itself. Valid for SMC-2 devices.
    pub automatic_cleaning: bool,
    /// S2C: the two bits above are valid.
    pub smc2_bits: bool,
}

/// The bit of an element type in the capability bytes: transport 0, storage 1, import/export 2, drive 3.
fn mask(element_type: ElementType) -> u8 {
    1 << index(element_type)
}

fn index(element_type: ElementType) -> usize {
    element_type as usize - 1
}

/// The bits of a capability byte that are element types; the others belong to READ and WRITE ATTRIBUTE.
const TYPE_BITS: u8 = 0x0F;

impl DeviceCapabilities {
    /// Page code.
    pub const PAGE: u8 = 0x1F;
    /// Bytes of the page, header included. SCSI-2 devices send four fewer, which were reserved.
    pub const LENGTH: usize = 20;

    /// Reads the page; `page` starts at its header. Capabilities that are missing are none.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than eight bytes: without the move capabilities it says too little.
    pub fn parse(page: &[u8]) -> Result<Self, ShortData> {
        ShortData::check(page, 8)?;
        let byte = |at| u8_at(page, at).unwrap_or(0) & TYPE_BITS;
        Ok(Self {
            stores: byte(2),
            moves: [byte(4), byte(5), byte(6), byte(7)],
            exchanges: [byte(12), byte(13), byte(14), byte(15)],
            volume_tag_reader: bit_at(page, 3, 1),
            automatic_cleaning: bit_at(page, 3, 2),
            smc2_bits: bit_at(page, 3, 0),
        })
    }

    /// Whether elements of this type can hold a cartridge on their own.
    pub fn stores(&self, element_type: ElementType) -> bool {
        self.stores & mask(element_type) != 0
    }

    /// Whether MOVE MEDIUM goes from one type to the other.
    pub fn can_move(&self, from: ElementType, to: ElementType) -> bool {
        self.moves.get(index(from)).is_some_and(|bits| bits & mask(to) != 0)
    }

    /// Whether EXCHANGE MEDIUM goes from one type (source) to the other (first destination).
    pub fn can_exchange(&self, from: ElementType, to: ElementType) -> bool {
        self.exchanges.get(index(from)).is_some_and(|bits| bits & mask(to) != 0)
    }

    /// Adds a type that can hold cartridges.
    #[must_use]
    pub fn with_store(mut self, element_type: ElementType) -> Self {
        self.stores |= mask(element_type);
        self
    }

    /// Adds a move.
    #[must_use]
    pub fn with_move(mut self, from: ElementType, to: ElementType) -> Self {
        if let Some(bits) = self.moves.get_mut(index(from)) {
            *bits |= mask(to);
        }
        self
    }

    /// Adds an exchange.
    #[must_use]
    pub fn with_exchange(mut self, from: ElementType, to: ElementType) -> Self {
        if let Some(bits) = self.exchanges.get_mut(index(from)) {
            *bits |= mask(to);
        }
        self
    }

    /// Writes the page with its header; returns how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let flags = u8::from(self.smc2_bits)
            | u8::from(self.volume_tag_reader) << 1
            | u8::from(self.automatic_cleaning) << 2;
        let mut sink = Sink::new(buffer);
        sink.put(&[Self::PAGE, Self::LENGTH as u8 - 2, self.stores, flags]);
        sink.put(&self.moves);
        sink.fill(0, 4);
        sink.put(&self.exchanges);
        sink.fill(0, 4);
        sink.written()
    }
}

#[cfg(test)]
mod tests {
    use ElementType::{Drive, ImportExport, Storage, Transport};

    use super::*;

    #[test]
    fn capabilities_are_read_bit_by_bit() {
        // Store: slots and drives. Moves: slot to drive, drive to slot and port. Exchange: slot to drive.
        // Bits 7-6 belong to attributes.
        let page = [0x1F, 0x12, 0x0A, 0x07, 0x00, 0xC8, 0x00, 0x06, 0, 0, 0, 0, 0, 0x88, 0, 0, 0, 0, 0, 0];
        let expected = DeviceCapabilities {
            volume_tag_reader: true,
            automatic_cleaning: true,
            smc2_bits: true,
            ..DeviceCapabilities::default()
        }
        .with_store(Storage)
        .with_store(Drive)
        .with_move(Storage, Drive)
        .with_move(Drive, Storage)
        .with_move(Drive, ImportExport)
        .with_exchange(Storage, Drive);
        let capabilities = DeviceCapabilities::parse(&page).expect("whole");
        assert_eq!(capabilities, expected);
        assert!(capabilities.can_move(Drive, ImportExport) && !capabilities.can_move(ImportExport, Drive));
        assert!(capabilities.can_exchange(Storage, Drive) && !capabilities.can_exchange(Drive, Storage));
        assert!(capabilities.stores(Storage) && !capabilities.stores(Transport));
        let scsi2 = DeviceCapabilities::parse(&page[..16]).expect("without the reserved end");
        assert_eq!(scsi2, expected);
        assert_eq!(DeviceCapabilities::parse(&page[..7]), Err(ShortData { needed: 8, got: 7 }));
    }

    #[test]
    fn capabilities_are_read_as_they_were_written() {
        for from in ElementType::ALL {
            for to in ElementType::ALL {
                let capabilities =
                    DeviceCapabilities::default().with_store(to).with_move(from, to).with_exchange(to, from);
                let mut buffer = [0xEE; DeviceCapabilities::LENGTH];
                assert_eq!(capabilities.write(&mut buffer), DeviceCapabilities::LENGTH);
                assert_eq!(DeviceCapabilities::parse(&buffer), Ok(capabilities));
            }
        }
    }

    #[test]
    fn there_is_one_geometry_entry_per_robot() {
        let robots =
            [TransportInfo { rotates: true, member: 0 }, TransportInfo { rotates: false, member: 1 }];
        let mut buffer = [0xEE; 8];
        let length = TransportGeometry::write(&robots, &mut buffer);
        assert_eq!(buffer[..length], [0x1E, 4, 1, 0, 0, 1]);
        let page = TransportGeometry::parse(&buffer[..length]).expect("whole");
        assert!(page.transports().eq(robots));
        assert_eq!(TransportGeometry::parse(&buffer[..5]).expect("header").transports().len(), 1);
    }
}
