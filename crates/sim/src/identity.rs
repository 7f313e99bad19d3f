//! Who the library and its drives say they are: INQUIRY, REPORT LUNS, and the sense data of a unit that is not there.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::vpd::{
    DEVICE_IDENTIFICATION, DRIVE_ELEMENT, Designator, DeviceIdentification, DriveElement, LIBRARY_SERIAL,
    LibrarySerial, MANUFACTURER_SERIAL, ManufacturerSerial, SUPPORTED_PAGES, SupportedPages,
    TAPE_CAPABILITIES, TapeCapabilities, UNIT_SERIAL, UnitSerial,
};
use autochanger_scsi::{
    DeviceType, ElementAddress, Inquiry, InvalidField, LunList, ReportLuns, RequestSense, Sense, SenseKey,
    StandardInquiryData, lun_from_number,
};

use crate::answer::{Answer, illegal, sense, transfer, written};
use crate::device::Device;
use crate::library::Identity;
use crate::quirk::Quirk;

/// A logical unit, as far as its identity goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lun {
    Changer,
    Drive(usize),
}

/// The names of library and drives.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) serial: String,
    vendor: String,
    product: String,
    pub(crate) revision: String,
    drive_vendor: String,
    drive_product: String,
    other_products: BTreeMap<usize, String>,
    /// Serial numbers of drives that were put in since, by the number of the bay from 0.
    other_serials: BTreeMap<usize, String>,
}

/// A T10 identifier with a serial number of 10 characters, as nearly all drives have it in DVCID.
pub(crate) const DRIVE_ID_LENGTH: u8 = 34;
/// Such a serial number alone.
pub(crate) const DRIVE_SERIAL_LENGTH: u8 = 10;

/// A world wide name.
pub(crate) const DRIVE_NAME_LENGTH: u8 = 8;

/// How much of the library's serial number goes into those of its drives.
const SERIAL_TAIL: usize = 5;

impl Names {
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            serial: identity.serial.unwrap_or_default(),
            vendor: identity.vendor,
            product: identity.product,
            revision: identity.revision,
            drive_vendor: identity.drive_vendor,
            drive_product: identity.drive_product,
            other_products: identity.other_products,
            other_serials: BTreeMap::new(),
        }
    }

    /// Another drive of the same product is in the bay.
    pub(crate) fn replace_drive(&mut self, index: usize, serial: &str) {
        self.other_serials.insert(index, String::from(serial));
    }

    /// The drives of two bays have changed places.
    pub(crate) fn swap_drives(&mut self, one: usize, other: usize) {
        let (first, second) = (self.drive_serial(one), self.drive_serial(other));
        let products = (self.product_of(one).clone(), self.product_of(other).clone());
        self.other_serials.extend([(one, second), (other, first)]);
        self.other_products.extend([(one, products.1), (other, products.0)]);
    }

    /// Ten characters: the end of the library's serial number, and the drive's number from 1, unless another drive was put in.
    pub(crate) fn drive_serial(&self, index: usize) -> String {
        if let Some(serial) = self.other_serials.get(&index) {
            return serial.clone();
        }
        let mut tail: Vec<char> = self.serial.chars().rev().filter(char::is_ascii_alphanumeric).collect();
        tail.truncate(SERIAL_TAIL);
        let tail: String = tail.into_iter().rev().collect();
        format!("{tail:0>SERIAL_TAIL$}{:05}", index.saturating_add(1))
    }

    pub(crate) fn product_of(&self, drive: usize) -> &String {
        self.other_products.get(&drive).unwrap_or(&self.drive_product)
    }

    /// The serial number that the library gave a drive's bay, where it gives them.
    pub(crate) fn logical_serial(&self, index: usize) -> String {
        format!("BAY{:07}", index.saturating_add(1))
    }

    /// A drive's world wide name (NAA, IEEE registered): of its serial number, so that it goes with the drive.
    pub(crate) fn world_wide_name(&self, index: usize) -> [u8; 8] {
        let hash = self
            .drive_serial(index)
            .bytes()
            .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let [a, b, c, d] = hash.to_be_bytes();
        [0x50, 0x05, 0x07, 0x60, a, b, c, d]
    }

    /// The revision of the firmware, in four characters.
    pub(crate) fn revision(&self) -> [u8; 4] {
        let mut revision = [b' '; 4];
        revision.iter_mut().zip(self.revision.bytes()).for_each(|(to, from)| *to = from);
        revision
    }

    /// A T10 vendor identifier (SPC-4 7.8.6.4): vendor 8, product 16, serial number.
    pub(crate) fn t10(&self, lun: Lun) -> Vec<u8> {
        let (vendor, product, serial) = match lun {
            Lun::Changer => (&self.vendor, &self.product, self.serial.clone()),
            Lun::Drive(index) => (&self.drive_vendor, self.product_of(index), self.drive_serial(index)),
        };
        format!("{vendor:<8.8}{product:<16.16}{serial}").into_bytes()
    }
}

const CHANGER_PAGES: &[u8] = &[SUPPORTED_PAGES, UNIT_SERIAL, DEVICE_IDENTIFICATION];
const DRIVE_PAGES: &[u8] = &[
    SUPPORTED_PAGES,
    UNIT_SERIAL,
    DEVICE_IDENTIFICATION,
    TAPE_CAPABILITIES,
    MANUFACTURER_SERIAL,
    LIBRARY_SERIAL,
    DRIVE_ELEMENT,
];
/// The longest INQUIRY data: a header and 255 bytes, with room for long designators.
const INQUIRY_BUFFER: usize = 1024;
impl Device {
    pub(crate) fn inquiry(&self, lun: Lun, command: Inquiry, room: u32) -> Result<Answer, Sense> {
        let device_type = match lun {
            Lun::Changer => DeviceType::Changer,
            Lun::Drive(_) => DeviceType::Tape,
        };
        let pages = match lun {
            Lun::Changer => CHANGER_PAGES,
            Lun::Drive(_) => DRIVE_PAGES,
        };
        let data = match command.vpd {
            None => {
                let (vendor, product) = match lun {
                    Lun::Changer => (&self.names.vendor, &self.names.product),
                    Lun::Drive(index) => (&self.names.drive_vendor, self.names.product_of(index)),
                };
                let standard = StandardInquiryData {
                    device_type,
                    command_queue: true,
                    vendor,
                    product,
                    revision: &self.names.revision,
                    ..StandardInquiryData::default()
                };
                written(INQUIRY_BUFFER, |buffer| standard.write(buffer))
            }
            Some(SUPPORTED_PAGES) => {
                written(INQUIRY_BUFFER, |buffer| SupportedPages::write(device_type, pages, buffer))
            }
            Some(UNIT_SERIAL) => {
                let serial = match lun {
                    Lun::Changer => self.names.serial.clone(),
                    Lun::Drive(index) if self.quirks.has(Quirk::LogicalSerials) => {
                        self.names.logical_serial(index)
                    }
                    Lun::Drive(index) => self.names.drive_serial(index),
                };
                written(INQUIRY_BUFFER, |buffer| UnitSerial::write(device_type, &serial, buffer))
            }
            Some(DEVICE_IDENTIFICATION) => {
                let bytes = self.names.t10(lun);
                let mut designators =
                    vec![Designator { code_set: 2, kind: 1, association: 0, bytes: &bytes }];
                let name = match lun {
                    Lun::Drive(index) if self.quirks.has(Quirk::DvcidNaa) => {
                        Some(self.names.world_wide_name(index))
                    }
                    _ => None,
                };
                designators.extend(name.as_ref().map(|name| Designator {
                    code_set: 1,
                    kind: 3,
                    association: 0,
                    bytes: name,
                }));
                written(INQUIRY_BUFFER, |buffer| {
                    DeviceIdentification::write(device_type, &designators, buffer)
                })
            }
            Some(page) => match lun {
                Lun::Drive(_)
                    if self.quirks.has(Quirk::NoDriveElementPage)
                        && matches!(page, LIBRARY_SERIAL | DRIVE_ELEMENT) =>
                {
                    return Err(Sense::invalid_field(InvalidField { byte: 2, bit: None }));
                }
                Lun::Drive(index) if pages.contains(&page) => {
                    written(INQUIRY_BUFFER, |buffer| self.drive_page(index, page, buffer))
                }
                _ => return Err(Sense::invalid_field(InvalidField { byte: 2, bit: None })),
            },
        };
        Ok(transfer(data, u32::from(command.allocation), room))
    }

    /// The pages that only drives have.
    fn drive_page(&self, index: usize, page: u8, buffer: &mut [u8]) -> usize {
        match page {
            TAPE_CAPABILITIES => TapeCapabilities::default().write(buffer),
            MANUFACTURER_SERIAL => ManufacturerSerial::write(&self.names.drive_serial(index), buffer),
            LIBRARY_SERIAL => LibrarySerial::write(&self.names.serial, buffer),
            _ => {
                let address = self.drives.get(index).map_or(ElementAddress(0), |drive| drive.address);
                DriveElement(address).write(buffer)
            }
        }
    }

    /// What a logical unit answers that is not there (SPC-4 6.6.2, 6.33, 6.39).
    pub(crate) fn absent_unit(&self, cdb: &[u8], room: u32) -> Answer {
        if let Ok(command) = Inquiry::decode(cdb)
            && command.vpd.is_none()
        {
            let nothing = StandardInquiryData {
                peripheral_qualifier: 3,
                device_type: DeviceType::NoDevice,
                removable: false,
                ..StandardInquiryData::default()
            };
            let data = written(INQUIRY_BUFFER, |buffer| nothing.write(buffer));
            return transfer(data, u32::from(command.allocation), room);
        }
        if let Ok(command) = ReportLuns::decode(cdb) {
            return self.report_luns(command, room);
        }
        let unsupported = illegal(0x25, 0x00);
        match RequestSense::decode(cdb) {
            Ok(command) => self.sense_data(command, Some(unsupported), room),
            Err(_) => Answer::check(&unsupported),
        }
    }

    pub(crate) fn report_luns(&self, command: ReportLuns, room: u32) -> Answer {
        /// SELECT REPORT: well-known logical units only, of which there are none.
        const WELL_KNOWN: u8 = 1;
        let last = if command.select == WELL_KNOWN { None } else { Some(self.drive_count()) };
        let there =
            |lun: &u16| usize::from(*lun).checked_sub(1).is_none_or(|index| !self.is_empty_bay(index));
        let luns = || last.into_iter().flat_map(|last| 0..=last).filter(there).filter_map(lun_from_number);
        let data = written(8 + 8 * luns().count(), |buffer| LunList::write(luns(), buffer));
        transfer(data, command.allocation, room)
    }

    /// Sense data as REQUEST SENSE returns it.
    pub(crate) fn sense_data(&self, command: RequestSense, pending: Option<Sense>, room: u32) -> Answer {
        let pending = pending.unwrap_or_else(|| sense(SenseKey::NoSense, 0x00, 0x00));
        let data = if command.descriptor {
            written(Sense::MAX_DESCRIPTOR, |buffer| pending.write_descriptor(buffer))
        } else {
            pending.to_fixed().to_vec()
        };
        transfer(data, u32::from(command.allocation), room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drive_serials_have_ten_characters_and_differ() {
        let names = |serial: &str| {
            let mut identity = crate::Library::new().identity;
            identity.serial = Some(serial.into());
            Names::new(identity)
        };
        assert_eq!(names("SIM-LIB_LL0").drive_serial(0), "IBLL000001");
        assert_eq!(names("7").drive_serial(11), "0000700012");
        assert_eq!(names("7").t10(Lun::Drive(0)).len(), usize::from(DRIVE_ID_LENGTH));
    }
}
