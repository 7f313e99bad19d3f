//! SEND VOLUME TAG and REQUEST VOLUME ELEMENT ADDRESS: cartridges are found by their labels.

use alloc::collections::BTreeSet;

use autochanger_scsi::{
    ElementAddress, ElementPageOptions, ElementStatusWriter, ElementType, RequestVolumeElementAddress,
    SendVolumeTag, Sense, VolumeElements, VolumeTagAction, VolumeTagTemplate,
};

use crate::answer::{Answer, Unit, illegal, transfer, written};
use crate::changer::bad_bit;
use crate::device::Device;

/// What a SEND VOLUME TAG has found.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    action: VolumeTagAction,
    found: BTreeSet<ElementAddress>,
}

/// Bytes of the header of a report, and of each of its pages.
const HEADER: usize = 8;

impl Device {
    pub(crate) fn send_volume_tag(
        &mut self,
        unit: Unit,
        command: SendVolumeTag,
        list: &[u8],
    ) -> Result<Answer, Sense> {
        if !command.action.translates() {
            return Err(bad_bit(5, 4));
        }
        let template = match VolumeTagTemplate::parse(list) {
            Ok(template) if usize::from(command.length) == VolumeTagTemplate::LENGTH => template,
            // PARAMETER LIST LENGTH ERROR.
            _ => return Err(illegal(0x1A, 0x00)),
        };
        // No cartridge here has an alternate tag, and no sequence number but 0.
        let primary = !matches!(
            command.action,
            VolumeTagAction::TranslateAlternate | VolumeTagAction::TranslateAlternateAnySequence
        );
        let any_sequence = matches!(
            command.action,
            VolumeTagAction::TranslateAllAnySequence | VolumeTagAction::TranslatePrimaryAnySequence
        );
        let possible = primary && (any_sequence || template.minimum_sequence == 0);
        let shelves = self.shelves.all().filter(|shelf| {
            possible
                && shelf.address >= command.start
                && command.element_type.is_none_or(|asked| asked == shelf.element_type)
        });
        let fits = |barcode: &str| template.fits(barcode.as_bytes());
        let found = shelves
            .filter(|shelf| shelf.cartridge.as_ref().and_then(|it| it.barcode.as_deref()).is_some_and(fits))
            .map(|shelf| shelf.address)
            .collect();
        self.service.searches.insert(unit, Search { action: command.action, found });
        Ok(Answer::good())
    }

    pub(crate) fn volume_elements(
        &self,
        unit: Unit,
        command: RequestVolumeElementAddress,
        room: u32,
    ) -> Result<Answer, Sense> {
        // COMMAND SEQUENCE ERROR where nothing was searched for.
        let search = self.service.searches.get(&unit).ok_or(illegal(0x2C, 0x00))?;
        let most =
            HEADER * 5 + search.found.len() * usize::from(options(ElementType::Storage, true).length());
        let data = written(most, |buffer| {
            let mut writer = ElementStatusWriter::new(buffer);
            let mut left = usize::from(command.count);
            for element_type in ElementType::ALL {
                if command.element_type.is_some_and(|asked| asked != element_type) {
                    continue;
                }
                let group = self.shelves.group(element_type).iter().enumerate();
                let mut hits = group
                    .filter(|(_, shelf)| {
                        shelf.address >= command.start && search.found.contains(&shelf.address)
                    })
                    .take(left)
                    .peekable();
                if hits.peek().is_none() {
                    continue;
                }
                writer.page(options(element_type, command.volume_tags));
                for (index, shelf) in hits {
                    writer.element(&self.record(shelf, index, None));
                    left -= 1;
                }
            }
            let length = writer.finish();
            VolumeElements::mark(buffer, search.action);
            length
        });
        Ok(transfer(data, command.allocation, room))
    }
}

fn options(element_type: ElementType, volume_tags: bool) -> ElementPageOptions {
    ElementPageOptions { volume_tags, ..ElementPageOptions::new(element_type) }
}
