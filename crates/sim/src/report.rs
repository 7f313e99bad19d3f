//! READ ELEMENT STATUS: what the library says is where.

use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::{
    DeviceId, ElementPageOptions, ElementRecord, ElementStatusWriter, ElementType, MediumType,
    ReadElementStatus, Sense,
};

use crate::answer::Answer;
use crate::changer::bad_bit;
use crate::device::Device;
use crate::identity::{DRIVE_ID_LENGTH, Lun};
use crate::shelves::{Medium, Shelf};

/// Bytes of the header of a report, and of each of its pages.
const HEADER: usize = 8;
/// How many bytes tgt leaves out at the end.
const TGT_SHORTFALL: usize = 8;

impl Device {
    pub(crate) fn read_element_status(&self, command: ReadElementStatus, room: u32) -> Result<Answer, Sense> {
        self.check_report(command)?;
        let most = self.quirks.max_elements_per_report.unwrap_or(u16::MAX).min(command.count);
        let mut left = usize::from(most);
        let mut pages = Vec::new();
        for element_type in ElementType::ALL {
            if command.element_type.is_some_and(|asked| asked != element_type)
                || (element_type == ElementType::Transport && self.quirks.transport_count_zero)
            {
                continue;
            }
            let group = self.shelves.group(element_type);
            let first = group.partition_point(|shelf| shelf.address < command.start);
            let count = left.min(group.len().saturating_sub(first));
            left -= count;
            if count > 0 {
                let mut options = ElementPageOptions::new(element_type);
                options.volume_tags = command.volume_tags;
                if command.device_ids && element_type == ElementType::Drive {
                    options.identifier = Some(DRIVE_ID_LENGTH);
                }
                pages.push((options, first, group.get(first..).unwrap_or(&[]).get(..count).unwrap_or(&[])));
            }
        }
        let total = pages.iter().fold(HEADER, |sum, (options, _, shelves)| {
            sum + HEADER + usize::from(options.length()) * shelves.len()
        });
        let transferred = total.min(usize::try_from(command.allocation.min(room)).unwrap_or(usize::MAX));
        let mut data = vec![0; transferred];
        let mut writer = ElementStatusWriter::new(&mut data);
        for (options, first, shelves) in pages {
            writer.page(options);
            for (offset, shelf) in shelves.iter().enumerate() {
                let id = options.identifier.filter(|length| *length > 0);
                let id = id.map(|_| self.names.t10(Lun::Drive(first + offset)));
                let device_id = id.as_deref().map(|bytes| DeviceId { code_set: 2, id_type: 1, bytes });
                writer.element(&self.record(shelf, first + offset, device_id));
            }
        }
        writer.finish();
        if self.quirks.short_by_8 {
            data.truncate(total.saturating_sub(TGT_SHORTFALL));
        }
        Ok(Answer::data(data))
    }

    fn check_report(&self, command: ReadElementStatus) -> Result<(), Sense> {
        let quirks = &self.quirks;
        let drives_only = command.element_type == Some(ElementType::Drive);
        let refuses_ids = quirks.no_dvcid
            || (quirks.dvcid_drives_only && !drives_only)
            || (quirks.no_voltag_with_dvcid && command.volume_tags);
        if command.device_ids && refuses_ids {
            return Err(bad_bit(6, 0));
        }
        if command.current_data && quirks.reject_curdata {
            return Err(bad_bit(6, 1));
        }
        Ok(())
    }

    pub(crate) fn record<'a>(
        &self,
        shelf: &'a Shelf,
        index: usize,
        device_id: Option<DeviceId<'a>>,
    ) -> ElementRecord<'a> {
        let cartridge = shelf.cartridge.as_ref();
        let port = shelf.element_type == ElementType::ImportExport;
        ElementRecord {
            full: cartridge.is_some(),
            except: self.exceptions.get(&shelf.address).copied(),
            access: match shelf.element_type {
                ElementType::Transport => false,
                ElementType::Storage => true,
                ElementType::ImportExport => !self.is_open(shelf.address),
                ElementType::Drive => self.drives.get(index).is_some_and(|drive| drive.accessible()),
            },
            import_export: port && cartridge.is_some_and(|cartridge| cartridge.by_operator),
            import_enabled: port,
            export_enabled: port,
            source: cartridge.and_then(|cartridge| cartridge.source),
            tag: cartridge.and_then(|cartridge| cartridge.barcode.as_deref()).map(str::as_bytes),
            medium_type: match cartridge.map(|cartridge| cartridge.medium) {
                None => MediumType::Unspecified,
                Some(Medium::Data) => MediumType::Data,
                Some(Medium::Cleaning) => MediumType::Cleaning,
            },
            device_id,
            ..ElementRecord::new(shelf.address)
        }
    }
}
