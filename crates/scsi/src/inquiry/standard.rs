use super::DeviceType;
use crate::ShortData;
use crate::bytes::{Sink, bit_at, printable_prefix, slice_at, u8_at};

/// Bytes without which standard INQUIRY data says nothing: type, version, length.
const INDISPENSABLE: usize = 5;

/// Standard INQUIRY data.
#[derive(Clone, Copy, Debug)]
pub struct StandardInquiry<'a> {
    data: &'a [u8],
}

impl<'a> StandardInquiry<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than five bytes. Text that is missing after them is empty.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, INDISPENSABLE)?;
        Ok(Self { data })
    }

    /// 0: a device is connected; 1: none is, but could be; 3: none can be.
    pub fn peripheral_qualifier(&self) -> u8 {
        self.byte(0) >> 5
    }

    /// What kind of device it is.
    pub fn device_type(&self) -> DeviceType {
        DeviceType::from(self.byte(0))
    }

    /// RMB: the medium is removable.
    pub fn removable(&self) -> bool {
        bit_at(self.data, 1, 7)
    }

    /// The standard that the device claims: 2 SCSI-2, 3 SPC, 4 SPC-2, 5 SPC-3, 6 SPC-4.
    pub fn version(&self) -> u8 {
        self.byte(2)
    }

    /// How long the data is that the device has, in bytes; ask again with this allocation for all of it.
    pub fn available(&self) -> usize {
        INDISPENSABLE + usize::from(self.byte(4))
    }

    /// MCHNGR: an attached changer answers through this logical unit.
    pub fn mchngr(&self) -> bool {
        bit_at(self.data, 6, 3)
    }

    /// Vendor, trimmed, up to the first byte that is not printable ASCII.
    pub fn vendor(&self) -> &'a str {
        printable_prefix(slice_at(self.data, 8, 8))
    }

    /// Product, as the vendor.
    pub fn product(&self) -> &'a str {
        printable_prefix(slice_at(self.data, 16, 16))
    }

    /// Revision of the firmware, as the vendor.
    pub fn revision(&self) -> &'a str {
        printable_prefix(slice_at(self.data, 32, 4))
    }

    /// Bytes 36 and on, whose meaning is the vendor's, as far as the device vouches for them.
    pub fn vendor_specific(&self) -> &'a [u8] {
        slice_at(slice_at(self.data, 0, self.available()), 36, usize::MAX)
    }

    fn byte(&self, at: usize) -> u8 {
        u8_at(self.data, at).unwrap_or(0)
    }
}

/// What a target answers to a standard INQUIRY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandardInquiryData<'a> {
    /// 0: a device is connected; 1: none is, but could be; 3: none can be.
    pub peripheral_qualifier: u8,
    /// What kind of device it is.
    pub device_type: DeviceType,
    /// RMB: the medium is removable.
    pub removable: bool,
    /// The standard that the device claims: 2 SCSI-2, 3 SPC, 4 SPC-2, 5 SPC-3, 6 SPC-4.
    pub version: u8,
    /// MCHNGR: an attached changer answers through this logical unit.
    pub mchngr: bool,
    /// CMDQUE: the device takes several commands at a time.
    pub command_queue: bool,
    /// At most eight bytes.
    pub vendor: &'a str,
    /// At most sixteen bytes.
    pub product: &'a str,
    /// At most four bytes.
    pub revision: &'a str,
    /// Bytes 36 and on; at most 219.
    pub vendor_specific: &'a [u8],
}

impl Default for StandardInquiryData<'_> {
    /// A connected medium changer of SPC-3 without names.
    fn default() -> Self {
        Self {
            peripheral_qualifier: 0,
            device_type: DeviceType::Changer,
            removable: true,
            version: 5,
            mchngr: false,
            command_queue: false,
            vendor: "",
            product: "",
            revision: "",
            vendor_specific: &[],
        }
    }
}

/// The most bytes that one byte of additional length can announce after byte 36.
const MAX_VENDOR_SPECIFIC: usize = u8::MAX as usize - 31;

impl StandardInquiryData<'_> {
    /// Writes the data; returns how many bytes are in `buffer`. Text that is too long is cut.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let vendor_specific = slice_at(self.vendor_specific, 0, MAX_VENDOR_SPECIFIC);
        let mut sink = Sink::new(buffer);
        sink.put(&[
            self.peripheral_qualifier << 5 | u8::from(self.device_type),
            u8::from(self.removable) << 7,
            self.version,
            0x02,
            31 + vendor_specific.len() as u8,
            0,
            u8::from(self.mchngr) << 3,
            u8::from(self.command_queue) << 1,
        ]);
        sink.put_padded(self.vendor.as_bytes(), 8, b' ');
        sink.put_padded(self.product.as_bytes(), 16, b' ');
        sink.put_padded(self.revision.as_bytes(), 4, b' ');
        sink.put(vendor_specific);
        sink.written()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGER: StandardInquiryData<'static> = StandardInquiryData {
        peripheral_qualifier: 0,
        device_type: DeviceType::Changer,
        removable: true,
        version: 6,
        mchngr: true,
        command_queue: true,
        vendor: "ACME",
        product: "LIBRARY 8000",
        revision: "1.0",
        vendor_specific: b"SN01",
    };

    #[test]
    fn what_a_target_writes_an_initiator_reads() {
        let mut buffer = [0; 64];
        let length = CHANGER.write(&mut buffer);
        assert_eq!(length, 40);
        let inquiry = StandardInquiry::parse(&buffer[..length]).expect("whole");
        assert_eq!(inquiry.device_type(), DeviceType::Changer);
        assert_eq!((inquiry.peripheral_qualifier(), inquiry.version(), inquiry.available()), (0, 6, 40));
        assert!(inquiry.removable() && inquiry.mchngr());
        assert_eq!(
            (inquiry.vendor(), inquiry.product(), inquiry.revision()),
            ("ACME", "LIBRARY 8000", "1.0")
        );
        assert_eq!(inquiry.vendor_specific(), b"SN01");
    }

    #[test]
    fn data_cut_by_the_allocation_announces_its_whole_length() {
        let mut buffer = [0; 10];
        assert_eq!(CHANGER.write(&mut buffer), 10);
        assert_eq!(buffer, [0x08, 0x80, 6, 2, 35, 0, 0x08, 0x02, b'A', b'C']);
        let inquiry = StandardInquiry::parse(&buffer).expect("five bytes suffice");
        assert_eq!((inquiry.vendor(), inquiry.product(), inquiry.available()), ("AC", "", 40));
        assert_eq!(StandardInquiry::parse(&buffer[..4]).err(), Some(ShortData { needed: 5, got: 4 }));
    }

    #[test]
    fn text_ends_where_it_is_no_longer_printable() {
        let mut buffer = [0; 36];
        CHANGER.write(&mut buffer);
        buffer[8..16].copy_from_slice(b"AB\xC4CDEFG");
        buffer[16..32].copy_from_slice(b"NUL PADDED\0\0\0\0\0\0");
        let inquiry = StandardInquiry::parse(&buffer).expect("whole");
        assert_eq!((inquiry.vendor(), inquiry.product()), ("AB", "NUL PADDED"));
    }
}
