use core::fmt;

use super::{DeviceId, ElementAddress, ElementType, FIXED, MediumType};
use crate::bytes::{bit_at, slice_at, u8_at, u16_at};
use crate::volume_tag::TAG_LENGTH;
use crate::{AdditionalSense, VolumeTag};

/// One element in a report: a borrowed descriptor. What the descriptor is too short to tell is `false` or
/// `None`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    raw: &'a [u8],
    element_type: ElementType,
    address: ElementAddress,
    complete: bool,
    primary_tag: bool,
    alternate_tag: bool,
}

/// The parallel SCSI address that a library tells of a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScsiAddress {
    /// The drive's bus address, if ID VALID.
    pub bus_address: Option<u8>,
    /// The drive's logical unit, if LU VALID.
    pub lun: Option<u8>,
    /// NOT BUS: the drive is on another bus than the changer.
    pub other_bus: bool,
}

impl<'a> Element<'a> {
    /// Takes a descriptor of a page whose flags announce tags and whose descriptors have `length` bytes.
    pub(super) fn new(
        raw: &'a [u8],
        element_type: ElementType,
        length: usize,
        primary: bool,
        alternate: bool,
    ) -> Option<Self> {
        let address = ElementAddress(u16_at(raw, 0)?);
        let (primary_tag, alternate_tag) = Self::believable_tags(raw, length, primary, alternate);
        Some(Self { raw, element_type, address, complete: raw.len() >= length, primary_tag, alternate_tag })
    }

    /// Which of the announced tags can be there. Devices announce tags for which the descriptor has no room,
    /// or in whose place it has an identifier.
    fn believable_tags(raw: &[u8], length: usize, primary: bool, alternate: bool) -> (bool, bool) {
        let fits = |tags: usize| FIXED + TAG_LENGTH * tags <= length;
        let is_tag = |at| !DeviceId::is_at_start_of(slice_at(raw, at, usize::MAX), length.saturating_sub(at));
        let primary = primary && fits(1) && is_tag(FIXED);
        let alternate_at = FIXED + TAG_LENGTH * usize::from(primary);
        let alternate = alternate && fits(1 + usize::from(primary)) && is_tag(alternate_at);
        (primary, alternate)
    }

    /// What the element is for: of the page that it is in.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// The element's address.
    pub fn address(&self) -> ElementAddress {
        self.address
    }

    /// FULL: it holds a cartridge.
    pub fn full(&self) -> bool {
        bit_at(self.raw, 2, 0)
    }

    /// ACCESS: the robot can reach it. Not told of transport elements. Of a drive: it is empty, or the
    /// cartridge is ejected; some devices set it late, some never.
    pub fn access(&self) -> bool {
        bit_at(self.raw, 2, 3)
    }

    /// EXCEPT: something is out of order with this element, and what. It is no sense data of the command, and
    /// by itself no reason to give the element up.
    pub fn exception(&self) -> Option<AdditionalSense> {
        let byte = |at| u8_at(self.raw, at).unwrap_or(0);
        bit_at(self.raw, 2, 2).then(|| AdditionalSense::new(byte(4), byte(5)))
    }

    /// IMPEXP of an import/export element: the operator put the cartridge there, not the robot.
    pub fn import_export(&self) -> bool {
        self.port_bit(1)
    }

    /// EXENAB of an import/export element: cartridges can leave here.
    pub fn export_enabled(&self) -> bool {
        self.port_bit(4)
    }

    /// INENAB of an import/export element: cartridges can enter here.
    pub fn import_enabled(&self) -> bool {
        self.port_bit(5)
    }

    /// CMC of an import/export element: exports go to a connected changer.
    pub fn connected_changer(&self) -> bool {
        self.port_bit(6)
    }

    /// OIR of an import/export element: an operator is needed.
    pub fn operator_intervention(&self) -> bool {
        self.port_bit(7)
    }

    fn port_bit(&self, bit: u8) -> bool {
        self.element_type == ElementType::ImportExport && bit_at(self.raw, 2, bit)
    }

    /// ED: the element is disabled, for example because its magazine is out.
    pub fn disabled(&self) -> bool {
        bit_at(self.raw, 9, 3)
    }

    /// What kind of cartridge it holds.
    pub fn medium_type(&self) -> MediumType {
        MediumType::from(u8_at(self.raw, 9).unwrap_or(0))
    }

    /// INVERT: the cartridge was turned over on its way here. Only valid with a source.
    pub fn inverted(&self) -> bool {
        bit_at(self.raw, 9, 6)
    }

    /// Where the cartridge was before, if SVALID. A hint: it may be full again, or no slot at all.
    pub fn source(&self) -> Option<ElementAddress> {
        if bit_at(self.raw, 9, 7) { u16_at(self.raw, 10).map(ElementAddress) } else { None }
    }

    /// The cartridge's label; `None` if it is blank, unreadable or not reported. Empty elements may still
    /// show the label of the last cartridge: ask [`Element::full`] first.
    pub fn volume_tag(&self) -> Option<VolumeTag<'a>> {
        self.raw_volume_tag().and_then(VolumeTag::parse)
    }

    /// The label on the cartridge's other side, or what the vendor puts there.
    pub fn alternate_volume_tag(&self) -> Option<VolumeTag<'a>> {
        self.raw_alternate_volume_tag().and_then(VolumeTag::parse)
    }

    /// The 36 bytes of the primary volume tag, if reported; fewer where the report was cut.
    pub fn raw_volume_tag(&self) -> Option<&'a [u8]> {
        self.primary_tag.then(|| slice_at(self.raw, FIXED, TAG_LENGTH))
    }

    /// The 36 bytes of the alternate volume tag, if reported; fewer where the report was cut.
    pub fn raw_alternate_volume_tag(&self) -> Option<&'a [u8]> {
        let at = FIXED + TAG_LENGTH * usize::from(self.primary_tag);
        self.alternate_tag.then(|| slice_at(self.raw, at, TAG_LENGTH))
    }

    /// The drive's parallel SCSI address, if the library tells one.
    pub fn scsi_address(&self) -> Option<ScsiAddress> {
        let flags = u8_at(self.raw, 6)?;
        let bus_address = if flags & 0x20 != 0 { u8_at(self.raw, 7) } else { None };
        let lun = (flags & 0x10 != 0).then_some(flags & 0x07);
        if self.element_type != ElementType::Drive || (bus_address.is_none() && lun.is_none()) {
            return None;
        }
        Some(ScsiAddress { bus_address, lun, other_bus: flags & 0x80 != 0 })
    }

    /// The identifier of the device in the element, reported of drives if asked for, by some devices also
    /// unasked.
    pub fn device_id(&self) -> Option<DeviceId<'a>> {
        DeviceId::parse(self.after_tags())
    }

    /// What follows the tags: the identifier with its header, then bytes of the vendor.
    pub fn after_tags(&self) -> &'a [u8] {
        let tags = usize::from(self.primary_tag) + usize::from(self.alternate_tag);
        slice_at(self.raw, FIXED + TAG_LENGTH * tags, usize::MAX)
    }

    /// The descriptor as it came.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether all of the descriptor was transferred. If not, ask again from this address.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Element")
            .field("type", &self.element_type)
            .field("address", &self.address.0)
            .field("full", &self.full())
            .field("access", &self.access())
            .field("exception", &self.exception())
            .field("source", &self.source())
            .field("volume_tag", &self.volume_tag())
            .field("device_id", &self.device_id())
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}
