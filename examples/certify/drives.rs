//! Which units of the target are the drives of the library, and how that can be known.

use autochanger::scsi::vpd::{DriveElement, LibrarySerial};

use super::*;

/// Logical units of one target that are asked: more than any library has, less than a target can claim.
const MAX_UNITS: usize = 512;

/// The ways by which a drive is matched to its element, counted.
#[derive(Default)]
struct Matched {
    units: usize,
    by_serial: usize,
    by_address: usize,
    wrongly: usize,
    by_library: usize,
}

impl Certify {
    /// Matches the tape drives behind the same target with the changer's drive elements.
    pub(super) async fn drives(&mut self) -> Result<()> {
        self.title("Drives");
        let elements = self.named_drives().await?;
        let own = self.vpd(0x80).await?.ok();
        let own = own.as_ref().and_then(|page| UnitSerial::parse(&page.data).ok()).map(|page| page.serial());
        let mut matched = Matched::default();
        for drive in self.tapes().await? {
            matched.units += 1;
            let page = async |page: u8| {
                let cdb = Inquiry { vpd: Some(page), allocation: 255 }.cdb();
                answer(&*drive, Command::reading(cdb, 255, QUICK)).await.map(std::result::Result::ok)
            };
            let serial = page(0x80).await?;
            let serial = serial.as_ref().and_then(|page| UnitSerial::parse(&page.data).ok());
            let known = serial.and_then(|page| elements.get(page.serial()).copied());
            matched.by_serial += usize::from(known.is_some());
            if let Some(page) = page(0xB4).await?
                && let Ok(Some(DriveElement(address))) = DriveElement::parse(&page.data)
            {
                matched.by_address += 1;
                matched.wrongly += usize::from(known.is_some_and(|known| known != address.0));
            }
            if let Some(page) = page(0xB3).await?
                && let Ok(library) = LibrarySerial::parse(&page.data)
            {
                matched.by_library += usize::from(Some(library.serial()) == own);
            }
        }
        self.fact(format!(
            "drives at the same target: {} units; {} of {} named elements have one by serial number; {} say their \
             element (VPD B4h), {} this library's serial number (VPD B3h)",
            matched.units,
            matched.by_serial,
            elements.len(),
            matched.by_address,
            matched.by_library
        ));
        if matched.wrongly > 0 {
            self.quirk(format!("{} drives say another element than the changer says", matched.wrongly));
        }
        Ok(())
    }

    /// The drive elements by the serial numbers that the changer reports.
    async fn named_drives(&self) -> Result<BTreeMap<String, u16>> {
        // Some refuse identifiers together with tags, some without them.
        for volume_tags in [false, true] {
            let cdb = ReadElementStatus {
                element_type: Some(ElementType::Drive),
                start: ElementAddress(0),
                count: u16::MAX,
                volume_tags,
                current_data: false,
                device_ids: true,
                allocation: self.most(),
            };
            let Ok(report) = self.ask(cdb.cdb(), self.most()).await? else { continue };
            let Ok(report) = ElementStatus::parse(&report.data) else { continue };
            let named = report.elements().filter(|element| element.element_type() == ElementType::Drive);
            let named = named.filter_map(|element| {
                let serial = element.device_id()?.serial().filter(|serial| !serial.is_empty())?.to_owned();
                Some((serial, element.address().0))
            });
            return Ok(named.collect());
        }
        Ok(BTreeMap::new())
    }

    /// The tape drives among the units of the changer's target.
    async fn tapes(&self) -> Result<Vec<Arc<dyn Transport>>> {
        let list = self.ask(ReportLuns { select: 0, allocation: ROOM.into() }.cdb(), ROOM.into()).await?;
        let Ok(list) = list else { return Ok(Vec::new()) };
        let Ok(list) = LunList::parse(&list.data) else { return Ok(Vec::new()) };
        let mut tapes = Vec::new();
        for lun in list.luns().filter_map(lun_number).take(MAX_UNITS) {
            let Some(unit) = self.device.sibling(lun) else { continue };
            let command = Command::reading(Inquiry { vpd: None, allocation: 96 }.cdb(), 96, QUICK);
            let Ok(inquiry) = answer(&*unit, command).await? else { continue };
            let standard = StandardInquiry::parse(&inquiry.data);
            if standard.is_ok_and(|standard| standard.device_type() == DeviceType::Tape) {
                tapes.push(unit);
            }
        }
        Ok(tapes)
    }
}
