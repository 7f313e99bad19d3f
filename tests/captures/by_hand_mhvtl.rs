//! mhvtl's libraries: values read off the hexadecimal by eye.

use autochanger_scsi::*;

use crate::by_hand::*;
use crate::record::Capture;

/// What one of mhvtl's libraries is like.
struct Library {
    files: &'static str,
    names: [&'static str; 3],
    version: u8,
    serial: &'static str,
    designator: Option<&'static str>,
    storage: u16,
    import_export: u16,
    drive: u16,
    /// What the drives are by vendor and product, where the library tells.
    drive_names: Option<(&'static str, &'static str)>,
    drive_serials: [&'static str; 2],
    /// What labels begin with.
    labels: &'static str,
    /// Whether page 1Fh lets robots hold cartridges, knows bar-code readers, exchanges.
    abilities: [bool; 3],
}

const LIBRARIES: [Library; 5] = [
    Library {
        files: "mhvtl/ADIC-ADIC_Scalar_100",
        names: ["ADIC", "ADIC Scalar 100", "4.40"],
        version: 3,
        serial: "ADIC    XYZZY_01",
        designator: Some("ADIC    XYZZY_01"),
        storage: 4096,
        import_export: 16,
        drive: 256,
        drive_names: Some(("IBM", "ULT3580-TD5")),
        drive_serials: ["DRV0101", "DRV0102"],
        labels: "V01",
        abilities: [true, true, false],
    },
    Library {
        files: "mhvtl/HP-MSL6000_Series",
        names: ["HP", "MSL6000 Series", "0430"],
        version: 2,
        serial: "XYZZY_07",
        designator: Some("HP      MSL6000 Series  XYZZY_07"),
        storage: 32,
        import_export: 448,
        drive: 480,
        drive_names: None,
        drive_serials: ["DRV0701", "DRV0702"],
        labels: "V07",
        abilities: [true, true, false],
    },
    Library {
        files: "mhvtl/IBM-03584L32",
        names: ["IBM", "03584L32", "7363"],
        version: 3,
        serial: "XYZZY_04  \0\x000400",
        designator: Some("IBM     03584L32        XYZZY_04    0400"),
        storage: 1024,
        import_export: 768,
        drive: 257,
        drive_names: Some(("IBM", "ULT3580-TD5")),
        drive_serials: ["DRV0401", "DRV0402"],
        labels: "V04",
        abilities: [false, false, true],
    },
    Library {
        files: "mhvtl/SPECTRA-PYTHON",
        names: ["SPECTRA", "PYTHON", "1000"],
        version: 5,
        serial: "XYZZY_08",
        designator: None,
        storage: 4096,
        import_export: 16,
        drive: 256,
        drive_names: None,
        drive_serials: ["DRV0801", "DRV0802"],
        labels: "V08",
        abilities: [false, false, false],
    },
    Library {
        files: "mhvtl/STK-L700",
        names: ["STK", "L700", "550V"],
        version: 5,
        serial: "XYZZY_01",
        designator: None,
        storage: 1000,
        import_export: 10,
        drive: 500,
        drive_names: Some(("HP", "Ultrium 5-SCSI")),
        drive_serials: ["DRV0101", "DRV0102"],
        labels: "V01",
        abilities: [true, true, false],
    },
];

impl Library {
    fn file(&self, kind: &str) -> &'static Capture {
        capture(&format!("{}-{kind}.txt", self.files))
    }
}

#[test]
fn mhvtl_libraries_say_who_they_are() {
    for library in LIBRARIES {
        let file = library.file("inquiry");
        let inquiry =
            StandardInquiry::parse(file.record("INQUIRY standard alloc=96").data()).expect("header");
        assert_eq!([inquiry.vendor(), inquiry.product(), inquiry.revision()], library.names);
        assert_eq!(inquiry.device_type(), DeviceType::Changer);
        assert_eq!((inquiry.version(), inquiry.removable()), (library.version, true));
        let serial = vpd::UnitSerial::parse(file.record("INQUIRY VPD 80").data()).expect("header");
        assert_eq!(serial.serial(), library.serial);
        let Some(expected) = library.designator else {
            assert_eq!(file.record("INQUIRY VPD 83").data(), []);
            continue;
        };
        let page = vpd::DeviceIdentification::parse(file.record("INQUIRY VPD 83").data()).expect("header");
        let designators: Vec<_> = page.designators().collect();
        assert_eq!(designators.len(), 1, "the second one of an MSL is cut by the page's own length");
        assert_eq!((designators[0].code_set, designators[0].kind, designators[0].association), (2, 1, 0));
        assert_eq!(designators[0].text(), Some(expected));
    }
}

#[test]
fn mhvtl_libraries_say_where_their_elements_are_and_what_they_can() {
    for library in LIBRARIES {
        let file = library.file("modesense");
        let all =
            ModeParameters::parse10(file.record("MODE SENSE(10) page 3f dbd=1").data()).expect("header");
        assert_eq!(all.device_specific(), 0x10);
        let codes: Vec<_> = all.pages().map(|page| (page.code, page.subpage, page.bytes.len())).collect();
        assert_eq!(
            codes,
            [(0x02, 0, 16), (0x1A, 0, 38), (0x1C, 0, 12), (0x1D, 0, 20), (0x1E, 0, 4), (0x1F, 0, 20)]
        );
        let addresses = ElementAddressAssignment {
            transport: ElementRange::new(1, 1),
            storage: ElementRange::new(library.storage, 16),
            import_export: ElementRange::new(library.import_export, 4),
            drive: ElementRange::new(library.drive, 2),
        };
        let page = all.page(0x1D, 0).expect("sent");
        assert_eq!(ElementAddressAssignment::parse(page), Ok(addresses));
        let robots = TransportGeometry::parse(all.page(0x1E, 0).expect("sent")).expect("header");
        assert!(robots.transports().eq([TransportInfo { rotates: false, member: 0 }]));

        let six = ModeParameters::parse6(file.record("MODE SENSE(6) page 1f dbd=1").data()).expect("header");
        let abilities = DeviceCapabilities::parse(six.page(0x1F, 0).expect("sent")).expect("whole");
        let [robot_stores, reader, exchanges] = library.abilities;
        assert_eq!(abilities.stores(ElementType::Transport), robot_stores);
        assert_eq!(abilities.volume_tag_reader, reader);
        assert!(abilities.can_move(ElementType::Storage, ElementType::Drive));
        assert_eq!(abilities.can_exchange(ElementType::Storage, ElementType::Drive), exchanges);
        assert_eq!(abilities.can_move(ElementType::Storage, ElementType::Transport), robot_stores);
    }
}

#[test]
fn mhvtl_slots_hold_what_they_hold() {
    for library in LIBRARIES {
        let slots = elements(
            library.file("res").record("READ ELEMENT STATUS type=storage voltag=1 dvcid=0 curdata=1"),
        );
        let addresses: Vec<_> = slots.iter().map(|slot| slot.address().0).collect();
        assert_eq!(addresses, (library.storage..library.storage + 16).collect::<Vec<_>>());
        // Slots 0 to 5 hold data cartridges, slot 11 a cleaning cartridge.
        let expected: Vec<_> = (0..16)
            .map(|index| match index {
                0..6 => Some((format!("{}00{}L5", library.labels, index + 1), MediumType::Data)),
                11 => Some(("CLN001L1".to_string(), MediumType::Cleaning)),
                _ => None,
            })
            .collect();
        let read = |slot: &Element<'static>| label(slot).map(|label| (label.to_string(), slot.medium_type()));
        assert_eq!(slots.iter().map(read).collect::<Vec<_>>(), expected);
        assert!(slots.iter().all(|slot| slot.access() && slot.exception().is_none() && slot.is_complete()));
        assert!(slots.iter().all(|slot| slot.full() == slot.volume_tag().is_some()));
        // The first cartridge came from the last slot; the others never moved.
        let sources: Vec<_> = slots.iter().filter_map(Element::source).collect();
        assert_eq!(sources, [ElementAddress(library.storage + 15)]);
        assert!(slots[0].source().is_some());
    }
}

#[test]
fn mhvtl_ports_tell_that_imports_and_exports_are_possible() {
    for library in LIBRARIES {
        let file = library.file("res");
        let ports = elements(file.record("READ ELEMENT STATUS type=ie voltag=1 dvcid=0 curdata=1"));
        let addresses: Vec<_> = ports.iter().map(|port| port.address().0).collect();
        assert_eq!(addresses, (library.import_export..library.import_export + 4).collect::<Vec<_>>());
        for port in &ports {
            assert!(port.access() && port.import_enabled() && port.export_enabled() && !port.full());
            assert!(!port.operator_intervention() && !port.connected_changer());
            assert_eq!(label(port), None);
        }
        // Byte 2 is 38 of the first, 3A of the others: what the operator put there.
        assert_eq!(ports.iter().map(Element::import_export).collect::<Vec<_>>(), [false, true, true, true]);
    }
}

#[test]
fn mhvtl_drives_are_identified_though_tag_flags_lie() {
    for library in LIBRARIES {
        let file = library.file("res");
        for name in ["voltag=1 dvcid=1 curdata=1", "voltag=0 dvcid=1 curdata=1"] {
            let drives = elements(file.record(&format!("READ ELEMENT STATUS type=drive {name}")));
            let addresses: Vec<_> = drives.iter().map(|drive| drive.address().0).collect();
            assert_eq!(addresses, [library.drive, library.drive + 1]);
            for (drive, expected) in drives.iter().zip(library.drive_serials) {
                assert_eq!(serial(drive), Some(expected), "{} {name}", library.files);
                let id = drive.device_id().expect("asked for");
                assert_eq!(id.vendor().zip(id.product()), library.drive_names);
                assert!(!drive.full() && drive.access());
                assert_eq!((label(drive), drive.alternate_volume_tag(), drive.source()), (None, None, None));
                assert_eq!(drive.scsi_address(), None);
            }
        }
    }
}

#[test]
fn an_msl_identifies_its_drives_unasked_and_the_others_do_not() {
    for library in LIBRARIES {
        let file = library.file("res");
        let drives = elements(file.record("READ ELEMENT STATUS type=drive voltag=1 dvcid=0 curdata=1"));
        let found: Vec<_> = drives.iter().map(serial).collect();
        let unasked = library.files.contains("MSL");
        assert_eq!(found, library.drive_serials.map(|serial| unasked.then_some(serial)));
    }
}

#[test]
fn mhvtl_pages_come_in_the_order_of_addresses_whatever_their_type() {
    use ElementType::{Drive, ImportExport, Storage, Transport};
    let orders = [
        [Transport, ImportExport, Drive, Storage],
        [Transport, Storage, ImportExport, Drive],
        [Transport, Drive, ImportExport, Storage],
        [Transport, ImportExport, Drive, Storage],
        [Transport, ImportExport, Drive, Storage],
    ];
    for (library, order) in LIBRARIES.into_iter().zip(orders) {
        let record = library.file("res").record("READ ELEMENT STATUS type=all voltag=1 dvcid=1 curdata=1");
        let report = ElementStatus::parse(record.data()).expect("header");
        assert!(report.is_well_formed() && !report.is_truncated());
        assert!(report.pages().map(|page| page.element_type()).eq(order.map(Some)));
        assert_eq!((report.first_element().0, report.elements_available()), (1, 23));
        assert_eq!(report.elements().count(), 23);
    }
}

#[test]
fn a_report_that_counts_nothing_lists_everything_all_the_same() {
    for library in LIBRARIES {
        let record = library.file("res").record("READ ELEMENT STATUS type=storage number=0");
        let report = ElementStatus::parse(record.data()).expect("header");
        assert_eq!((report.elements_available(), report.elements().count()), (0, 16));
    }
}

#[test]
fn mhvtl_cartridges_are_found_where_they_were_moved() {
    for library in LIBRARIES {
        let file = library.file("move");
        let cartridge = format!("{}001L5", library.labels);
        let loaded = "MOVE slot->drive ok";
        let drives = elements(file.record_after(loaded, "then READ ELEMENT STATUS drive"));
        assert_eq!(label(&drives[0]), Some(cartridge.as_str()));
        assert!(drives[0].full() && !drives[0].access() && !drives[1].full() && drives[1].access());
        assert_eq!(drives[0].source(), Some(ElementAddress(library.storage)));
        assert_eq!((label(&drives[1]), drives[1].source()), (None, None));
        let slots = elements(file.record_after(loaded, "then READ ELEMENT STATUS storage"));
        assert_eq!((slots[0].full(), label(&slots[0]), slots[0].source()), (false, None, None));

        // Byte 2 of the port is 39: the robot put it there.
        let ports = elements(file.record_after("MOVE slot->I/E ok", "then READ ELEMENT STATUS ie"));
        assert_eq!(label(&ports[0]), Some(cartridge.as_str()));
        assert!(ports[0].full() && !ports[0].import_export());
        assert_eq!(ports[0].source(), Some(ElementAddress(library.storage)));
    }
}

#[test]
fn mhvtl_libraries_say_why_they_refuse() {
    // All sense data of mhvtl begins with F0: an information field, which is 0, is valid.
    let refused = |asc, ascq| Sense { information: Some(0), ..illegal_request(asc, ascq) };
    for library in LIBRARIES {
        let moves = library.file("move");
        let refusal = |name| sense(moves.record(name));
        assert_eq!(refusal("MOVE slot->full drive"), refused(0x3B, 0x0D));
        assert_eq!(refusal("MOVE slot->full slot"), refused(0x3B, 0x0D));
        assert_eq!(refusal("MOVE to itself (full)"), refused(0x3B, 0x0D));
        assert_eq!(refusal("MOVE empty slot->drive"), refused(0x3B, 0x0E));
        let address = refused(0x21, 0x01);
        assert_eq!(refusal("MOVE wrong transport element"), pointing_at(2, address));
        assert_eq!(refusal("MOVE from an address that does not exist"), pointing_at(4, address));
        assert_eq!(refusal("MOVE to an address that does not exist"), pointing_at(6, address));
        let field = refused(0x24, 0x00);
        assert_eq!(refusal("MOVE invert=1"), pointing_at(10, field));

        let elements = library.file("res");
        // C/D is set, but SKSV is not: the pointer means nothing.
        assert_eq!(sense(elements.record("READ ELEMENT STATUS type=5 (invalid)")), field);
        assert_eq!(
            sense(elements.record("READ ELEMENT STATUS byte 11 (control) NACA")),
            pointing_at(11, field)
        );
        let saved = library.file("modesense").record("MODE SENSE(6) page 1d saved");
        assert_eq!(sense(saved), refused(0x39, 0x00));
        let exchange = pointing_at(0, refused(0x20, 0x00));
        assert_eq!(sense(library.file("misc").record("EXCHANGE MEDIUM")), exchange);
        let inquiry = library.file("inquiry").record("INQUIRY page code without EVPD (invalid)");
        assert_eq!(sense(inquiry), pointing_at(1, field));
        // The unit attention of power-on, kept although TEST UNIT READY was good.
        let stale = Sense::parse(library.file("ua").record("REQUEST SENSE").data());
        assert_eq!(stale, Some(Sense::new(SenseKey::UnitAttention, 0x29, 0x00)));
    }
}

#[test]
fn a_list_of_logical_units_may_announce_more_than_there_are() {
    for library in LIBRARIES {
        let list = LunList::parse(library.file("inquiry").record("REPORT LUNS").data()).expect("header");
        assert_eq!((list.byte_count(), list.is_truncated()), (256, true));
        let numbers: Vec<_> = list.luns().filter_map(lun_number).collect();
        assert_eq!((numbers.len(), &numbers[..3]), (15, &[0, 1, 2][..]));
    }
}

#[test]
fn mhvtl_has_three_log_pages_and_no_alert() {
    for personality in
        ["ADIC-ADIC_Scalar_100", "HP-MSL6000_Series", "IBM-03584L32", "SPECTRA-PYTHON", "STK-L700"]
    {
        let file = capture(&format!("mhvtl/{personality}-misc.txt"));
        let pages = SupportedLogPages::parse(file.record("LOG SENSE page 00").data()).expect("header");
        assert!(pages.pages().eq([(0x00, 0), (0x0D, 0), (0x2E, 0)]));
        let temperature = Temperature::parse(file.record("LOG SENSE page 0d").data());
        assert_eq!(temperature, Ok(Temperature { celsius: Some(0), reference: None }));
        let alerts = TapeAlertPage::parse(file.record("LOG SENSE page 2e").data()).expect("header");
        assert_eq!((alerts.flags, alerts.present.bits()), (TapeAlertFlags::NONE, u64::MAX));
    }
}
