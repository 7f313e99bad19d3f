//! What a library says that it is: INQUIRY, its pages, and the geometry of its mode pages.

use super::*;

impl Certify {
    pub(super) async fn identity(&mut self) -> Result<()> {
        self.title("Identity");
        let inquiry = self.ask(Inquiry { vpd: None, allocation: 96 }.cdb(), 96).await??;
        let standard = StandardInquiry::parse(&inquiry.data)?;
        if standard.device_type() != DeviceType::Changer {
            let (kind, hint) = (standard.device_type(), self.changer_beside().await);
            return Err(format!("{} is a {kind}, not a medium changer{hint}", self.device.device()).into());
        }
        self.fact(format!(
            "INQUIRY: {} {} {}, version {}, {} bytes",
            standard.vendor(),
            standard.product(),
            standard.revision(),
            standard.version(),
            inquiry.data.len()
        ));
        // Also told here: whether it is ready, and whether somebody else holds it.
        let ready = self.ask(TestUnitReady {}.cdb(), 0).await?;
        self.fact(format!("TEST UNIT READY: {}", ready.map_or_else(|why| why, |_| "ready".into())));
        let pages = match self.vpd(0x00).await? {
            Ok(page) => parsed(SupportedPages::parse(&page.data))
                .map_or_else(|why| why, |list| format!("{:02X?}", list.pages().collect::<Vec<_>>())),
            Err(why) => why,
        };
        self.fact(format!("VPD pages: {pages}"));
        match self.vpd(0x80).await?.map(|page| {
            UnitSerial::parse(&page.data).map(|page| page.serial().to_owned()).unwrap_or_default()
        }) {
            Ok(serial) => {
                say!("   serial number {serial}");
                self.fact(format!("VPD 80h: a serial number of {} characters", serial.len()));
            }
            Err(why) => self.fact(format!("VPD 80h: {why}")),
        }
        let identification = match self.vpd(0x83).await? {
            Ok(page) => parsed(DeviceIdentification::parse(&page.data)).map_or_else(
                |why| why,
                |own| {
                    let kinds = own.designators().map(|own| {
                        format!("type {} of {} bytes for {}", own.kind, own.bytes.len(), own.association)
                    });
                    kinds.collect::<Vec<_>>().join(", ")
                },
            ),
            Err(why) => why,
        };
        self.fact(format!("VPD 83h: {identification}"));
        Ok(())
    }

    /// Which unit of the same target is the changer.
    async fn changer_beside(&self) -> String {
        let Ok(Ok(report)) =
            self.ask(ReportLuns { select: 0, allocation: ROOM.into() }.cdb(), ROOM.into()).await
        else {
            return String::new();
        };
        let Ok(list) = LunList::parse(&report.data) else { return String::new() };
        for unit in list.luns().filter_map(lun_number).filter_map(|lun| self.device.sibling(lun)) {
            let command = Command::reading(Inquiry { vpd: None, allocation: 96 }.cdb(), 96, QUICK);
            let Ok(Ok(inquiry)) = answer(&*unit, command).await else { continue };
            let standard = StandardInquiry::parse(&inquiry.data);
            if standard.is_ok_and(|standard| standard.device_type() == DeviceType::Changer) {
                return format!("; {} is one", unit.device());
            }
        }
        String::new()
    }

    pub(super) async fn geometry(&mut self) -> Result<Option<DeviceCapabilities>> {
        self.title("Geometry");
        let mut capabilities = None;
        for page in [0x1D, 0x1E, 0x1F] {
            let six =
                ModeSense6 { page, disable_block_descriptors: true, allocation: 255, ..Default::default() };
            let ten =
                ModeSense10 { page, disable_block_descriptors: true, allocation: 255, ..Default::default() };
            let (six, ten) = (self.ask(six.cdb(), 255).await?, self.ask(ten.cdb(), 255).await?);
            let six = six.map(|data| Some(ModeParameters::parse6(&data.data).ok()?.page(page, 0)?.to_vec()));
            let ten = ten.map(|data| Some(ModeParameters::parse10(&data.data).ok()?.page(page, 0)?.to_vec()));
            let word = |answer: &std::result::Result<Option<Vec<u8>>, String>| match answer {
                Ok(Some(page)) => format!("{} bytes", page.len()),
                Ok(None) => "GOOD without the page".to_owned(),
                Err(why) => why.clone(),
            };
            let same = match (&six, &ten) {
                (Ok(Some(six)), Ok(Some(ten))) if six != ten => ", and they differ",
                _ => "",
            };
            if !same.is_empty() {
                self.quirk(format!("page {page:02X}h differs between MODE SENSE(6) and (10)"));
            }
            for (length, answer) in [(6, &six), (10, &ten)] {
                if matches!(answer, Ok(None)) {
                    self.quirk(format!("MODE SENSE({length}) answers GOOD without page {page:02X}h"));
                }
            }
            self.fact(format!("page {page:02X}h: MODE SENSE(6) {}, (10) {}{same}", word(&six), word(&ten)));
            let Some(bytes) = six.ok().flatten().or(ten.ok().flatten()) else { continue };
            if let (0x1D, Ok(map)) = (page, ElementAddressAssignment::parse(&bytes)) {
                let ranges = ElementType::ALL
                    .map(|kind| format!("{} {kind} from {}", map.range(kind).count, map.range(kind).first));
                self.fact(format!("geometry: {}", ranges.join(", ")));
                self.map = Some(map);
            }
            if page == 0x1F {
                capabilities = DeviceCapabilities::parse(&bytes).ok();
            }
        }
        Ok(capabilities)
    }
}
