//! Reports as a target writes them.

use super::{DeviceId, ElementAddress, ElementType, FIXED, HEADER, ID_HEADER, MediumType, ScsiAddress};
use crate::AdditionalSense;
use crate::bytes::{Sink, slice_at};
use crate::volume_tag::TAG_LENGTH;

/// Bytes of the identifier within a volume tag.
const TAG_IDENTIFIER: usize = 32;

/// How the descriptors of a page are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementPageOptions {
    /// The type of the elements.
    pub element_type: ElementType,
    /// PVOLTAG: descriptors have a primary volume tag.
    pub volume_tags: bool,
    /// AVOLTAG: descriptors have an alternate volume tag.
    pub alternate_volume_tags: bool,
    /// Descriptors have an identifier header and room for an identifier of so many bytes (0: the header
    /// only). `None` leaves out the header, too.
    pub identifier: Option<u8>,
    /// Zero bytes at the end of each descriptor, as vendors have them.
    pub vendor_bytes: u8,
    /// Cuts or pads descriptors to so many bytes, whatever they hold.
    pub descriptor_length: Option<u16>,
    /// Says this in the page's flag byte, whatever the descriptors hold.
    pub flags: Option<u8>,
    /// What blank volume tags and identifiers are filled with: devices use spaces or zeros.
    pub blank: u8,
}

impl ElementPageOptions {
    /// Descriptors of 16 bytes: no tags, an empty identifier header.
    pub const fn new(element_type: ElementType) -> Self {
        Self {
            element_type,
            volume_tags: false,
            alternate_volume_tags: false,
            identifier: Some(0),
            vendor_bytes: 0,
            descriptor_length: None,
            flags: None,
            blank: b' ',
        }
    }

    /// Bytes of each descriptor.
    pub fn length(&self) -> u16 {
        let tags = usize::from(self.volume_tags) + usize::from(self.alternate_volume_tags);
        let identifier = self.identifier.map_or(0, |length| ID_HEADER + usize::from(length));
        let natural = FIXED + TAG_LENGTH * tags + identifier + usize::from(self.vendor_bytes);
        self.descriptor_length.unwrap_or(natural as u16)
    }

    fn flags(&self) -> u8 {
        let natural = u8::from(self.volume_tags) << 7 | u8::from(self.alternate_volume_tags) << 6;
        self.flags.unwrap_or(natural)
    }
}

/// What a target says of one element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ElementRecord<'a> {
    /// The element's address.
    pub address: ElementAddress,
    /// FULL.
    pub full: bool,
    /// ACCESS.
    pub access: bool,
    /// EXCEPT and its codes.
    pub except: Option<AdditionalSense>,
    /// IMPEXP.
    pub import_export: bool,
    /// EXENAB.
    pub export_enabled: bool,
    /// INENAB.
    pub import_enabled: bool,
    /// CMC.
    pub connected_changer: bool,
    /// OIR.
    pub operator_intervention: bool,
    /// ED.
    pub disabled: bool,
    /// Kind of cartridge.
    pub medium_type: MediumType,
    /// INVERT.
    pub inverted: bool,
    /// SVALID and the source address.
    pub source: Option<ElementAddress>,
    /// Identifier of the primary volume tag, at most 32 bytes; the page decides whether it is reported.
    pub tag: Option<&'a [u8]>,
    /// Identifier of the alternate volume tag.
    pub alternate_tag: Option<&'a [u8]>,
    /// Parallel SCSI address of a drive.
    pub scsi_address: Option<ScsiAddress>,
    /// Identifier of the drive; the page decides whether it is reported and how long it may be.
    pub device_id: Option<DeviceId<'a>>,
}

impl ElementRecord<'_> {
    /// An empty element.
    pub fn new(address: ElementAddress) -> Self {
        Self { address, ..Self::default() }
    }

    fn flags(&self) -> u8 {
        u8::from(self.full)
            | u8::from(self.import_export) << 1
            | u8::from(self.except.is_some()) << 2
            | u8::from(self.access) << 3
            | u8::from(self.export_enabled) << 4
            | u8::from(self.import_enabled) << 5
            | u8::from(self.connected_changer) << 6
            | u8::from(self.operator_intervention) << 7
    }

    fn fixed(&self) -> [u8; FIXED] {
        let mut data = [0; FIXED];
        [data[0], data[1]] = self.address.0.to_be_bytes();
        data[2] = self.flags();
        if let Some(code) = self.except {
            [data[4], data[5]] = [code.asc, code.ascq];
        }
        if let Some(address) = self.scsi_address {
            data[6] = u8::from(address.other_bus) << 7
                | u8::from(address.bus_address.is_some()) << 5
                | address.lun.map_or(0, |lun| 0x10 | lun & 0x07);
            data[7] = address.bus_address.unwrap_or(0);
        }
        data[9] = u8::from(self.source.is_some()) << 7
            | u8::from(self.inverted) << 6
            | u8::from(self.disabled) << 3
            | u8::from(self.medium_type);
        if let Some(source) = self.source {
            [data[10], data[11]] = source.0.to_be_bytes();
        }
        data
    }
}

/// Writes a report of READ ELEMENT STATUS.
///
/// Counts are those of the whole report even where the buffer is shorter, as a target has it that transfers
/// the smaller of what it has and what was allocated.
pub struct ElementStatusWriter<'b> {
    sink: Sink<'b>,
    lowest: Option<ElementAddress>,
    count: u16,
    page: Option<(usize, ElementPageOptions)>,
}

impl<'b> ElementStatusWriter<'b> {
    /// Starts a report without elements.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        let mut sink = Sink::new(buffer);
        sink.fill(0, HEADER);
        Self { sink, lowest: None, count: 0, page: None }
    }

    /// Starts a page; the elements that follow are in it.
    pub fn page(&mut self, options: ElementPageOptions) -> &mut Self {
        self.end_page();
        self.page = Some((self.sink.total(), options));
        let [high, low] = options.length().to_be_bytes();
        self.sink.put(&[options.element_type.code(), options.flags(), high, low, 0, 0, 0, 0]);
        self
    }

    /// Adds an element to the page. Before the first page it is lost.
    pub fn element(&mut self, record: &ElementRecord<'_>) -> &mut Self {
        let Some((_, options)) = self.page else { return self };
        let start = self.sink.total();
        let length = usize::from(options.length());
        self.sink.put(slice_at(&record.fixed(), 0, length));
        if options.volume_tags {
            self.put_tag(record.tag, options.blank, start + length);
        }
        if options.alternate_volume_tags {
            self.put_tag(record.alternate_tag, options.blank, start + length);
        }
        if let Some(room) = options.identifier {
            self.put_identifier(record.device_id, room, options.blank, start + length);
        }
        let end = start + length;
        self.sink.fill(0, end.saturating_sub(self.sink.total()));
        self.count = self.count.saturating_add(1);
        self.lowest = Some(self.lowest.map_or(record.address, |lowest| lowest.min(record.address)));
        self
    }

    /// Writes as much as a forced descriptor length leaves room for.
    fn put(&mut self, bytes: &[u8], end: usize) {
        let room = end.saturating_sub(self.sink.total());
        self.sink.put(slice_at(bytes, 0, room));
    }

    fn put_tag(&mut self, tag: Option<&[u8]>, blank: u8, end: usize) {
        let mut field = [0; TAG_LENGTH];
        let tag = tag.unwrap_or_default();
        let padding = if tag.is_empty() { blank } else { b' ' };
        for (index, to) in field.iter_mut().take(TAG_IDENTIFIER).enumerate() {
            *to = tag.get(index).copied().unwrap_or(padding);
        }
        self.put(&field, end);
    }

    fn put_identifier(&mut self, id: Option<DeviceId<'_>>, room: u8, blank: u8, end: usize) {
        let (code_set, id_type, bytes) = id.map_or((0, 0, &[][..]), |id| (id.code_set, id.id_type, id.bytes));
        let length = if id.is_some() { room } else { 0 };
        self.put(&[code_set & 0x0F, id_type & 0x0F, 0, length], end);
        for index in 0..usize::from(room) {
            let padding = if id.is_some() { blank } else { 0 };
            self.put(&[bytes.get(index).copied().unwrap_or(padding)], end);
        }
    }

    fn end_page(&mut self) {
        if let Some((start, _)) = self.page.take() {
            let count = self.sink.total().saturating_sub(start + HEADER);
            self.sink.patch(start + 5, &u24(count));
        }
    }

    /// Sets the counts; returns how many bytes are in the buffer.
    pub fn finish(mut self) -> usize {
        self.end_page();
        let [first_high, first_low] = self.lowest.unwrap_or_default().0.to_be_bytes();
        let [count_high, count_low] = self.count.to_be_bytes();
        self.sink.patch(0, &[first_high, first_low, count_high, count_low]);
        let bytes = u24(self.sink.total().saturating_sub(HEADER));
        self.sink.patch(5, &bytes);
        self.sink.written()
    }
}

/// A count of bytes in 24 bits; one that does not fit is as large as can be said.
fn u24(count: usize) -> [u8; 3] {
    const MAX: u32 = 0x00FF_FFFF;
    let [_, high, middle, low] = u32::try_from(count).unwrap_or(MAX).min(MAX).to_be_bytes();
    [high, middle, low]
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::ElementStatus;

    fn slot(address: u16) -> ElementRecord<'static> {
        ElementRecord {
            full: true,
            access: true,
            tag: Some(b"VT0001L8"),
            source: Some(ElementAddress(1001)),
            ..ElementRecord::new(ElementAddress(address))
        }
    }

    #[test]
    fn a_report_is_laid_out_as_the_standard_says() {
        let mut buffer = [0xEE; 128];
        let mut writer = ElementStatusWriter::new(&mut buffer);
        writer
            .page(ElementPageOptions { volume_tags: true, ..ElementPageOptions::new(ElementType::Storage) });
        writer.element(&slot(1000));
        let length = writer.finish();
        let mut expected = std::vec![0x03, 0xE8, 0, 1, 0, 0, 0, 60, 2, 0x80, 0, 52, 0, 0, 0, 52];
        expected.extend_from_slice(&[0x03, 0xE8, 9, 0, 0, 0, 0, 0, 0, 0x80, 0x03, 0xE9]);
        expected.extend_from_slice(b"VT0001L8                        ");
        expected.extend_from_slice(&[0; 8]);
        assert_eq!(buffer[..length], expected);
    }

    #[test]
    fn a_buffer_too_short_gets_the_beginning_of_the_same_report() {
        let write = |buffer: &mut [u8]| {
            let mut writer = ElementStatusWriter::new(buffer);
            for element_type in [ElementType::Storage, ElementType::Drive] {
                writer
                    .page(ElementPageOptions { volume_tags: true, ..ElementPageOptions::new(element_type) });
                writer.element(&slot(7)).element(&slot(5));
            }
            writer.finish()
        };
        let mut whole = [0; 512];
        let length = write(&mut whole);
        assert_eq!(whole[..8], [0, 5, 0, 4, 0, 0, 0, 224]);
        for size in 0..length {
            let mut short = std::vec![0; size];
            assert_eq!(write(&mut short), size);
            assert_eq!(short, whole[..size]);
        }
    }

    #[test]
    fn elements_are_read_as_they_were_written() {
        let id = DeviceId { code_set: 2, id_type: 1, bytes: b"ACME    LTO-8           SN00000001" };
        let drive = ElementRecord {
            except: Some(AdditionalSense::new(0x83, 0x04)),
            disabled: true,
            medium_type: MediumType::Worm,
            inverted: true,
            alternate_tag: Some(b"SIDE B"),
            scsi_address: Some(ScsiAddress { bus_address: Some(9), lun: None, other_bus: true }),
            device_id: Some(id),
            ..slot(256)
        };
        let options = ElementPageOptions {
            volume_tags: true,
            alternate_volume_tags: true,
            identifier: Some(34),
            vendor_bytes: 2,
            ..ElementPageOptions::new(ElementType::Drive)
        };
        assert_eq!(options.length(), 12 + 72 + 38 + 2);
        let mut buffer = [0; 256];
        let mut writer = ElementStatusWriter::new(&mut buffer);
        writer.page(options);
        writer.element(&drive);
        let length = writer.finish();
        let report = ElementStatus::parse(&buffer[..length]).expect("header");
        assert!(report.is_well_formed() && !report.is_truncated());
        let element = report.elements().next().expect("one");
        assert!(element.full() && element.access() && element.disabled() && element.inverted());
        assert_eq!((element.exception(), element.source()), (drive.except, drive.source));
        assert_eq!((element.medium_type(), element.scsi_address()), (drive.medium_type, drive.scsi_address));
        assert_eq!(element.volume_tag().map(|tag| tag.identifier()), Some("VT0001L8"));
        assert_eq!(element.alternate_volume_tag().map(|tag| tag.identifier()), Some("SIDE B"));
        assert_eq!(element.device_id(), Some(id));
    }

    #[test]
    fn a_target_can_lie_as_real_ones_do() {
        let id = DeviceId { code_set: 2, id_type: 0, bytes: b"DRV0701" };
        let mut buffer = [0; 128];
        let mut writer = ElementStatusWriter::new(&mut buffer);
        writer.page(ElementPageOptions {
            flags: Some(0xC0),
            identifier: Some(20),
            ..ElementPageOptions::new(ElementType::Drive)
        });
        writer.element(&ElementRecord { device_id: Some(id), ..slot(480) });
        let length = writer.finish();
        assert_eq!(buffer[8..12], [4, 0xC0, 0, 36]);
        let report = ElementStatus::parse(&buffer[..length]).expect("header");
        let serial = report.elements().next().and_then(|drive| drive.device_id()).and_then(|id| id.serial());
        assert_eq!(serial, Some("DRV0701"));
    }

    #[test]
    fn a_forced_length_cuts_and_pads_descriptors() {
        for forced in [4, 8, 12, 20, 52, 60] {
            let mut buffer = [0; 256];
            let mut writer = ElementStatusWriter::new(&mut buffer);
            writer.page(ElementPageOptions {
                volume_tags: true,
                descriptor_length: Some(forced),
                ..ElementPageOptions::new(ElementType::Storage)
            });
            writer.element(&slot(1)).element(&slot(2));
            let length = writer.finish();
            assert_eq!(length, 16 + 2 * usize::from(forced));
            let report = ElementStatus::parse(&buffer[..length]).expect("header");
            assert!(report.is_well_formed());
            let addresses: Vec<_> = report.elements().map(|slot| slot.address().0).collect();
            assert_eq!(addresses, [1, 2]);
        }
    }

    #[test]
    fn blank_tags_are_filled_as_asked() {
        let raw = |blank| {
            let mut buffer = [0xEE; 68];
            let mut writer = ElementStatusWriter::new(&mut buffer);
            writer.page(ElementPageOptions {
                volume_tags: true,
                blank,
                ..ElementPageOptions::new(ElementType::Storage)
            });
            writer.element(&ElementRecord::new(ElementAddress(3)));
            writer.finish();
            (buffer[28], buffer[59], buffer[60])
        };
        assert_eq!(raw(b' '), (b' ', b' ', 0));
        assert_eq!(raw(0), (0, 0, 0));
    }

    #[test]
    fn an_empty_report_is_a_header() {
        let mut buffer = [0xEE; 16];
        let length = ElementStatusWriter::new(&mut buffer).finish();
        assert_eq!(buffer[..length], [0; 8]);
    }
}
