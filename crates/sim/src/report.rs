//! READ ELEMENT STATUS: what the library says is where.

use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::{
    AdditionalSense, DeviceId, ElementAddress, ElementPageOptions, ElementRecord, ElementStatusWriter,
    ElementType, InvalidField, MediumType, ReadElementStatus, Sense, SenseKey,
};

use crate::answer::{Answer, illegal, sense};
use crate::changer::{bad_address, bad_bit};
use crate::device::Device;
use crate::identity::{DRIVE_ID_LENGTH, DRIVE_NAME_LENGTH, DRIVE_SERIAL_LENGTH, Lun};
use crate::quirk::Quirk;
use crate::shelves::{Medium, Shelf};

/// Bytes of the header of a report, and of each of its pages.
const HEADER: usize = 8;
/// How many bytes tgt leaves out at the end.
const TGT_SHORTFALL: usize = 8;
/// What a report is filled up to at most, whatever the allocation length.
const MAX_PADDING: usize = 64 * 1024;
/// What stands where a label was not read.
const GARBAGE: &[u8] = b"\x07\xFF\xC3\xA4 \x1B[0m";
/// The label that an empty element still shows.
const STALE: &[u8] = b"GONE00L8";
/// Bytes behind the last page that are none.
const TRAILING: [u8; 6] = [0xA5; 6];

/// Elements of one layout, as they will be written.
struct Page<'a> {
    options: ElementPageOptions,
    records: Vec<ElementRecord<'a>>,
}

impl Device {
    pub(crate) fn read_element_status(&self, command: ReadElementStatus, room: u32) -> Result<Answer, Sense> {
        self.check_report(command, room)?;
        let ids = self.drive_identifiers(command);
        let pages = self.pages(command, &ids)?;
        self.written_pages(command, &pages, room).map(Answer::data)
    }

    /// Refuses what some libraries refuse.
    fn check_report(&self, command: ReadElementStatus, room: u32) -> Result<(), Sense> {
        let has = |quirk| self.quirks.has(quirk);
        let drives_only = command.element_type == Some(ElementType::Drive);
        let refuses_ids = has(Quirk::NoDvcid)
            || (has(Quirk::DvcidDrivesOnly) && !drives_only)
            || (has(Quirk::NoVoltagWithDvcid) && command.volume_tags);
        if command.device_ids && refuses_ids {
            return Err(bad_bit(6, 0));
        }
        if command.device_ids && !command.volume_tags && has(Quirk::DvcidOnlyWithVoltag) {
            return Err(bad_bit(1, 4));
        }
        if command.current_data && has(Quirk::RejectCurdata) {
            return Err(bad_bit(6, 1));
        }
        if command.volume_tags && has(Quirk::RejectVoltag) {
            return Err(bad_bit(1, 4));
        }
        if command.volume_tags && has(Quirk::VoltagHardwareError) {
            return Err(sense(SenseKey::HardwareError, 0x44, 0x00));
        }
        if command.element_type.is_some() && has(Quirk::AllTypesOnly) {
            return Err(bad_bit(1, 3));
        }
        let absent = |kind| self.shelves.group(kind).is_empty();
        if command.element_type.is_some_and(absent) && has(Quirk::RejectAbsentType) {
            return Err(bad_bit(1, 3));
        }
        let unknown = command.start.0 != 0
            && (self.layout.locate(command.start).is_none() || self.is_absent(command.start));
        if unknown && has(Quirk::RejectUnknownStart) {
            return Err(illegal(0x24, 0x00));
        }
        let most = self.quirks.number(Quirk::MaxElementsAsked(0)).unwrap_or(u16::MAX);
        let there = self.chosen(ReadElementStatus { count: u16::MAX, ..command });
        let exact = there.iter().map(|(_, elements)| elements.len()).sum();
        if command.count > most || (has(Quirk::ExactCount) && usize::from(command.count) > exact) {
            return Err(bad_byte(4));
        }
        if command.allocation > room && has(Quirk::AllocationWithinTransfer) {
            return Err(bad_byte(7));
        }
        Ok(())
    }

    /// The elements that are asked for, by type, with their indexes.
    fn chosen(&self, command: ReadElementStatus) -> Vec<(ElementType, Vec<(usize, &Shelf)>)> {
        let all = self.quirks.has(Quirk::TypesIgnored);
        let mut types: Vec<ElementType> = ElementType::ALL
            .into_iter()
            .filter(|kind| all || command.element_type.is_none_or(|asked| asked == *kind))
            .filter(|kind| *kind != ElementType::Transport || !self.quirks.has(Quirk::TransportCountZero))
            .collect();
        if all || self.quirks.has(Quirk::AllTypesOnly) {
            types.sort_by_key(|kind| self.layout.range(*kind).first);
        }
        let most = self.quirks.number(Quirk::MaxElementsPerReport(0)).unwrap_or(u16::MAX);
        let mut left = usize::from(most.min(command.count));
        let mut chosen = Vec::new();
        for kind in types {
            let group = self.shelves.group(kind);
            let first = group.partition_point(|shelf| shelf.address < command.start);
            let elements: Vec<_> = group
                .iter()
                .enumerate()
                .skip(first)
                .filter(|(_, shelf)| !self.is_absent(shelf.address))
                .take(left)
                .collect();
            left -= elements.len();
            if !elements.is_empty() {
                chosen.push((kind, elements));
            }
        }
        chosen
    }

    /// The identifiers of all drives, where the report has them.
    fn drive_identifiers(&self, command: ReadElementStatus) -> Vec<Vec<u8>> {
        let asked = command.device_ids && !self.quirks.has(Quirk::DvcidIgnored);
        if !asked && !self.quirks.has(Quirk::DvcidUnasked) {
            return Vec::new();
        }
        (0..self.drives.len())
            .map(|index| match self.identifier_shape() {
                (1, _) => self.names.world_wide_name(index).to_vec(),
                (_, 0) => self.names.drive_serial(index).into_bytes(),
                _ => self.names.t10(Lun::Drive(index)),
            })
            .collect()
    }

    /// Code set and type of the drives' identifiers.
    fn identifier_shape(&self) -> (u8, u8) {
        match (self.quirks.has(Quirk::DvcidNaa), self.quirks.has(Quirk::DvcidSerialOnly)) {
            (true, _) => (1, 3),
            (false, true) => (2, 0),
            (false, false) => (2, 1),
        }
    }

    fn pages<'a>(&'a self, command: ReadElementStatus, ids: &'a [Vec<u8>]) -> Result<Vec<Page<'a>>, Sense> {
        let has = |quirk| self.quirks.has(quirk);
        let (code_set, id_type) = self.identifier_shape();
        let mut pages = Vec::new();
        for (kind, elements) in self.chosen(command) {
            let options = self.page_options(kind, command, !ids.is_empty());
            let mut records: Vec<_> = elements
                .iter()
                .map(|&(index, shelf)| {
                    let id =
                        ids.get(index).filter(|_| kind == ElementType::Drive && !self.is_empty_bay(index));
                    let id = id.map(|bytes| DeviceId { code_set, id_type, bytes });
                    let record = self.record(shelf, index, id);
                    match has(Quirk::DvcidHidesState) && command.device_ids {
                        true => ElementRecord {
                            full: false,
                            access: false,
                            tag: None,
                            except: Some(AdditionalSense::new(0x83, 0x00)),
                            ..record
                        },
                        false => record,
                    }
                })
                .collect();
            let first_slot = self.shelves.group(ElementType::Storage).first();
            if let Some(slot) = first_slot.filter(|_| has(Quirk::SlotAlsoPort))
                && kind == ElementType::ImportExport
            {
                records.push(self.record(slot, 0, None));
            }
            if has(Quirk::Unordered) {
                records.reverse();
            }
            if let Some(first) = records.first().copied().filter(|_| has(Quirk::RepeatedElement)) {
                records.insert(0, ElementRecord::new(first.address));
            }
            if has(Quirk::EmptyPage) {
                let options = ElementPageOptions { descriptor_length: Some(0), ..options };
                pages.push(Page { options, records: Vec::new() });
            }
            let split = self.quirks.number(Quirk::SplitPages(0)).filter(|most| *most > 0);
            let most = split.map_or(records.len(), usize::from).max(1);
            pages.extend(records.chunks(most).map(|records| Page { options, records: records.to_vec() }));
        }
        if pages.is_empty() && has(Quirk::AllTypesOnly) {
            return Err(bad_address(2));
        }
        Ok(pages)
    }

    fn page_options(&self, kind: ElementType, command: ReadElementStatus, ids: bool) -> ElementPageOptions {
        let mut options = ElementPageOptions::new(kind);
        options.volume_tags = command.volume_tags;
        if ids && kind == ElementType::Drive {
            options.identifier = Some(match self.identifier_shape() {
                (1, _) => DRIVE_NAME_LENGTH,
                (_, 0) => DRIVE_SERIAL_LENGTH,
                _ => DRIVE_ID_LENGTH,
            });
        }
        options.descriptor_length = self.quirks.number(Quirk::DescriptorLength(0));
        options.vendor_bytes =
            self.quirks.number(Quirk::VendorBytes(0)).and_then(|count| u8::try_from(count).ok()).unwrap_or(0);
        if self.quirks.has(Quirk::FalseAlternateTags) {
            options.flags = Some(u8::from(options.volume_tags) << 7 | 0x40);
        }
        if self.quirks.has(Quirk::NulTags) {
            options.blank = 0;
        }
        options
    }

    fn written_pages(
        &self,
        command: ReadElementStatus,
        pages: &[Page<'_>],
        room: u32,
    ) -> Result<Vec<u8>, Sense> {
        let has = |quirk| self.quirks.has(quirk);
        if command.volume_tags && has(Quirk::EmptyWithVoltag) {
            return Ok(vec![0; HEADER / 2]);
        }
        let total = pages
            .iter()
            .fold(HEADER, |sum, page| sum + HEADER + usize::from(page.options.length()) * page.records.len());
        if has(Quirk::ExactAllocation)
            && !matches!(usize::try_from(command.allocation), Ok(asked) if asked == HEADER || asked == total)
        {
            return Err(bad_byte(7));
        }
        let mut data = vec![0; total];
        let mut writer = ElementStatusWriter::new(&mut data);
        for page in pages {
            writer.page(page.options);
            for record in &page.records {
                writer.element(record);
            }
        }
        writer.finish();
        self.falsify(&mut data, pages);
        let mut allocation = usize::try_from(command.allocation).unwrap_or(usize::MAX);
        if has(Quirk::AllocationLow16) {
            allocation &= 0xFFFF;
        }
        if has(Quirk::PadToAllocation) {
            data.resize(data.len().max(allocation.min(MAX_PADDING)), 0);
        }
        if has(Quirk::ShortBy8) {
            data.truncate(total.saturating_sub(TGT_SHORTFALL));
        }
        let room = allocation.min(usize::try_from(room).unwrap_or(usize::MAX));
        data.truncate(if has(Quirk::CutAtDescriptor) { whole_descriptors(pages, room) } else { room });
        Ok(data)
    }

    /// Makes the counts of a report wrong, and adds what is no part of it.
    fn falsify(&self, data: &mut Vec<u8>, pages: &[Page<'_>]) {
        let has = |quirk| self.quirks.has(quirk);
        let one = pages.iter().find(|page| !page.records.is_empty()).map_or(0, |page| page.options.length());
        if has(Quirk::PageCountTooSmall) {
            let mut at = HEADER;
            for page in pages {
                let length = page.options.length();
                put(data, at + 5, &count_of(usize::from(length)));
                at += HEADER + usize::from(length) * page.records.len();
            }
        }
        if has(Quirk::TrailingBytes) {
            data.extend_from_slice(&TRAILING);
            let bytes = count_of(data.len() - HEADER);
            put(data, 5, &bytes);
        }
        if has(Quirk::WrongHeader) {
            put(data, 0, &[0xFF, 0xFF, 0x00, 0x00]);
        }
        if has(Quirk::ByteCountTooSmall) && one > 0 {
            put(data, 5, &count_of(HEADER + usize::from(one)));
        }
        if has(Quirk::ByteCountTooLarge) {
            let bytes = count_of(data.len() + 1000);
            put(data, 5, &bytes);
        }
    }

    pub(crate) fn record<'a>(
        &self,
        shelf: &'a Shelf,
        index: usize,
        device_id: Option<DeviceId<'a>>,
    ) -> ElementRecord<'a> {
        let cartridge = shelf.cartridge.as_ref();
        let port = shelf.element_type == ElementType::ImportExport;
        let ghost = self.is_ghost(shelf.address);
        let unscanned = self.quirks.has(Quirk::LabelsUnscanned) && self.service.inventories == 0;
        let slot = shelf.element_type == ElementType::Storage;
        let empty_bay = shelf.element_type == ElementType::Drive && self.is_empty_bay(index);
        let except = if ghost {
            Some(AdditionalSense::new(0x83, 0x02))
        } else if empty_bay {
            let exabyte = self.quirks.number(Quirk::GhostDrives(0)).is_some();
            Some(if exabyte { AdditionalSense::new(0x83, 0x04) } else { AdditionalSense::new(0x82, 0x00) })
        } else if unscanned && cartridge.is_some() {
            Some(AdditionalSense::new(0x83, 0x00))
        } else if slot && self.service.labels_doubtful {
            Some(AdditionalSense::new(0x83, 0x03))
        } else {
            None
        };
        let tag = cartridge.and_then(|cartridge| cartridge.barcode.as_deref()).map(str::as_bytes);
        let hidden = shelf.element_type == ElementType::Transport && self.quirks.has(Quirk::ArmWithoutLabel);
        let tag = match tag.filter(|_| !unscanned && !hidden) {
            None if cartridge.is_none() && self.quirks.has(Quirk::StaleTags) => Some(STALE),
            None if self.quirks.has(Quirk::GarbageTags) => Some(GARBAGE),
            tag => tag,
        };
        let longest = self.quirks.number(Quirk::LabelLength(0)).map_or(usize::MAX, usize::from);
        ElementRecord {
            full: cartridge.is_some(),
            except: self.exceptions.get(&shelf.address).copied().or(except),
            access: match shelf.element_type {
                ElementType::Transport => false,
                ElementType::Storage => !ghost,
                ElementType::ImportExport => !self.is_open(shelf.address),
                ElementType::Drive => {
                    !empty_bay
                        && self
                            .drives
                            .get(index)
                            .is_some_and(|drive| drive.accessible() && !self.access_lags(drive))
                }
            },
            disabled: ghost,
            import_export: port && cartridge.is_some_and(|cartridge| cartridge.by_operator),
            import_enabled: port,
            export_enabled: port,
            source: cartridge.and_then(|cartridge| self.source_told(cartridge.source)),
            tag: tag.map(|tag| tag.get(..longest).unwrap_or(tag)),
            medium_type: match cartridge.map(|cartridge| cartridge.medium) {
                None => MediumType::Unspecified,
                Some(Medium::Data) => MediumType::Data,
                Some(Medium::Cleaning) => MediumType::Cleaning,
            },
            device_id,
            ..ElementRecord::new(shelf.address)
        }
    }

    /// What is told of where a cartridge was before.
    fn source_told(&self, source: Option<ElementAddress>) -> Option<ElementAddress> {
        let has = |quirk| self.quirks.has(quirk);
        if has(Quirk::NoSource) {
            None
        } else if has(Quirk::SourceIsFull) {
            let mut slots = self.shelves.group(ElementType::Storage).iter();
            slots.find(|slot| slot.cartridge.is_some()).map(|slot| slot.address)
        } else if has(Quirk::SourceIsDrive) {
            self.drives.first().map(|drive| drive.address)
        } else if has(Quirk::SourceIsNowhere) {
            (0..u16::MAX).rev().map(ElementAddress).find(|address| self.layout.locate(*address).is_none())
        } else {
            source
        }
    }
}

/// How many of the bytes that there is room for end with a descriptor, or with a header where none fits.
fn whole_descriptors(pages: &[Page<'_>], room: usize) -> usize {
    let mut end = HEADER;
    for page in pages {
        let length = usize::from(page.options.length());
        let begin = end + HEADER;
        if begin > room {
            break;
        }
        let fits = (room - begin).checked_div(length).unwrap_or(usize::MAX).min(page.records.len());
        end = begin + fits * length;
        if fits < page.records.len() {
            break;
        }
    }
    end.min(room)
}

/// INVALID FIELD IN CDB, pointing at a byte.
fn bad_byte(byte: u8) -> Sense {
    Sense::invalid_field(InvalidField { byte, bit: None })
}

fn count_of(bytes: usize) -> [u8; 3] {
    let [_, high, middle, low] = u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    [high, middle, low]
}

fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in data.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}
