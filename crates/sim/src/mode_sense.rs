//! MODE SENSE: the addresses, the arms and what the library can do with its elements.

use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::{
    DeviceCapabilities, ElementAddressAssignment, ElementRange, ElementType, ExtendedCapabilities,
    InvalidField, ModeParametersWriter, ModeSense6, ModeSense10, PageControl, Sense, TransportGeometry,
    TransportInfo,
};

use crate::answer::{Answer, illegal, transfer, written};
use crate::device::Device;
use crate::quirk::Quirk;

/// MODE SENSE, whichever length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModeSense {
    page: u8,
    subpage: u8,
    control: PageControl,
    allocation: u32,
    ten: bool,
    descriptors: bool,
}

impl From<ModeSense6> for ModeSense {
    fn from(it: ModeSense6) -> Self {
        let ModeSense6 { page, subpage, control, allocation, .. } = it;
        let descriptors = !it.disable_block_descriptors;
        Self { page, subpage, control, allocation: u32::from(allocation), ten: false, descriptors }
    }
}

impl From<ModeSense10> for ModeSense {
    fn from(it: ModeSense10) -> Self {
        let ModeSense10 { page, subpage, control, allocation, .. } = it;
        let descriptors = !it.disable_block_descriptors;
        Self { page, subpage, control, allocation: u32::from(allocation), ten: true, descriptors }
    }
}

/// Mode page code for all pages.
const ALL_PAGES: u8 = 0x3F;
/// Subpage code for all subpages.
const ALL_SUBPAGES: u8 = 0xFF;
/// Header, pages 1Dh, 1Fh and 1Fh subpage 41h, and page 1Eh with 127 arms.
const MODE_BUFFER: usize = 8 + 20 + 2 + 254 + 20 + 20;

impl Device {
    pub(crate) fn changer_mode(&self, command: ModeSense, room: u32) -> Result<Answer, Sense> {
        let missing = if command.ten { Quirk::ModeSense6Only } else { Quirk::ModeSense10Only };
        if self.quirks.has(missing) {
            return Err(illegal(0x20, 0x00));
        }
        if self.quirks.has(Quirk::RejectDbd) && !command.descriptors {
            return Err(Sense::invalid_field(InvalidField { byte: 1, bit: Some(3) }));
        }
        if self.quirks.has(Quirk::NoGeometryPage) && command.page == ElementAddressAssignment::PAGE {
            return Err(Sense::invalid_field(InvalidField { byte: 2, bit: Some(5) }));
        }
        let pages = [
            (
                ElementAddressAssignment::PAGE,
                0,
                written(MODE_BUFFER, |buffer| self.addresses().write(buffer)),
            ),
            (TransportGeometry::PAGE, 0, {
                let arms = vec![TransportInfo::default(); self.arms_reported()];
                written(MODE_BUFFER, |buffer| TransportGeometry::write(&arms, buffer))
            }),
            (DeviceCapabilities::PAGE, 0, written(MODE_BUFFER, |buffer| self.capabilities().write(buffer))),
            (
                ExtendedCapabilities::PAGE,
                ExtendedCapabilities::SUBPAGE,
                self.extended_capabilities().to_bytes().to_vec(),
            ),
        ];
        let described = self.quirks.has(Quirk::RejectDbd);
        mode_data(command, &pages, described, room)
    }

    /// A drive has the header and no page.
    pub(crate) fn tape_mode(&self, command: ModeSense, room: u32) -> Result<Answer, Sense> {
        mode_data(command, &[], false, room)
    }

    fn addresses(&self) -> ElementAddressAssignment {
        let range = |element_type| {
            let range = self.layout.range(element_type);
            ElementRange::new(range.first, range.count)
        };
        let mut storage = range(ElementType::Storage);
        storage.count -= self.quirks.number(Quirk::UncountedSlots(0)).unwrap_or(0).min(storage.count);
        let mut transport = range(ElementType::Transport);
        if self.quirks.has(Quirk::TransportCountZero) {
            transport.count = 0;
        }
        ElementAddressAssignment {
            transport,
            storage,
            import_export: range(ElementType::ImportExport),
            drive: range(ElementType::Drive),
        }
    }

    fn arms_reported(&self) -> usize {
        if self.quirks.has(Quirk::TransportCountZero) { 0 } else { self.arms.len() }
    }

    fn extended_capabilities(&self) -> ExtendedCapabilities {
        ExtendedCapabilities {
            ports_preventable: true,
            true_exchange: !self.quirks.has(Quirk::NoExchange),
            locks_ports: true,
            locks_doors: true,
            source_eject_required: self.wants_host_unload(),
            ..ExtendedCapabilities::default()
        }
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let settable = [ElementType::Storage, ElementType::ImportExport, ElementType::Drive];
        let mut capabilities = DeviceCapabilities::default();
        capabilities.volume_tag_reader = true;
        capabilities.smc2_bits = true;
        for to in settable {
            capabilities = capabilities.with_store(to);
            for from in settable.into_iter().chain([ElementType::Transport]) {
                if self.may_carry(from, to) {
                    capabilities = capabilities.with_move(from, to);
                }
                if from != ElementType::Transport && !self.quirks.has(Quirk::NoExchange) {
                    capabilities = capabilities.with_exchange(from, to);
                }
            }
        }
        capabilities
    }
}

/// Answers with those of some pages (code, subpage, bytes) that were asked for.
fn mode_data(
    command: ModeSense,
    pages: &[(u8, u8, Vec<u8>)],
    described: bool,
    room: u32,
) -> Result<Answer, Sense> {
    if command.control == PageControl::Saved {
        // SAVING PARAMETERS NOT SUPPORTED.
        return Err(illegal(0x39, 0x00));
    }
    let all = command.page == ALL_PAGES;
    let asked = |code: u8, subpage: u8| {
        (all || code == command.page) && (command.subpage == ALL_SUBPAGES || subpage == command.subpage)
    };
    if !all && !pages.iter().any(|(code, ..)| *code == command.page) {
        return Err(Sense::invalid_field(InvalidField { byte: 2, bit: Some(5) }));
    }
    let found = pages.iter().any(|(code, subpage, _)| asked(*code, *subpage));
    if !found && !matches!(command.subpage, 0 | ALL_SUBPAGES) {
        return Err(Sense::invalid_field(InvalidField { byte: 3, bit: None }));
    }
    let mut data = written(MODE_BUFFER, |buffer| {
        let mut writer =
            if command.ten { ModeParametersWriter::ten(buffer) } else { ModeParametersWriter::six(buffer) };
        for (_, subpage, page) in pages.iter().filter(|(code, subpage, _)| asked(*code, *subpage)) {
            let mut page = page.clone();
            if command.control == PageControl::Changeable {
                // Nothing is: the masks are zero.
                let header = if *subpage == 0 { 2 } else { 4 };
                page.iter_mut().skip(header).for_each(|byte| *byte = 0);
            }
            writer.page(&page);
        }
        writer.finish()
    });
    if described {
        insert_descriptor(&mut data, command.ten);
    }
    Ok(transfer(data, command.allocation, room))
}

/// Puts a block descriptor between the header and the pages.
fn insert_descriptor(data: &mut Vec<u8>, ten: bool) {
    const LENGTH: u8 = 8;
    let (header, counts): (usize, &[usize]) = if ten { (8, &[1, 7]) } else { (4, &[0, 3]) };
    for at in counts {
        if let Some(count) = data.get_mut(*at) {
            *count = count.saturating_add(LENGTH);
        }
    }
    let at = header.min(data.len());
    data.splice(at..at, [0; LENGTH as usize]);
}
