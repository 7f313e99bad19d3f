//! tgt's changer and drive: values read off the hexadecimal by eye.

use autochanger_scsi::*;

use crate::by_hand::*;

#[test]
fn tgt_says_who_it_is() {
    let file = capture("tgt/inquiry.txt");
    let inquiry = StandardInquiry::parse(file.record("INQUIRY standard alloc=96").data()).expect("header");
    assert_eq!([inquiry.vendor(), inquiry.product(), inquiry.revision()], ["STK", "L700", "0010"]);
    assert_eq!((inquiry.version(), inquiry.available(), inquiry.vendor_specific().len()), (5, 66, 30));
    let pages = vpd::SupportedPages::parse(file.record("INQUIRY VPD 00").data()).expect("header");
    assert!(pages.pages().eq([0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2]));
    let serial = vpd::UnitSerial::parse(file.record("INQUIRY VPD 80").data()).expect("header");
    assert_eq!((serial.serial(), serial.raw().len()), ("BED0000001", 36));
    let page = vpd::DeviceIdentification::parse(file.record("INQUIRY VPD 83").data()).expect("header");
    let designators: Vec<_> = page.designators().collect();
    assert_eq!(designators[0].text(), Some("IET     00010003"));
    assert_eq!((designators[1].kind, designators[1].bytes), (3, &[0x30, 0, 0, 1, 0, 0, 0, 3][..]));
    assert_eq!((designators[2].kind, designators[2].bytes.len()), (3, 16));
    assert_eq!(designators.len(), 3);
}

#[test]
fn tgt_lists_its_logical_units() {
    let list = LunList::parse(capture("tgt/inquiry.txt").record("REPORT LUNS").data()).expect("header");
    assert_eq!(list.luns().filter_map(lun_number).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn tgt_sends_all_its_mode_pages() {
    let file = capture("tgt/modesense.txt");
    let all = ModeParameters::parse6(file.record("MODE SENSE(6) page 3f dbd=1").data()).expect("header");
    let codes: Vec<_> = all.pages().map(|page| (page.code, page.subpage)).collect();
    let expected = [(0x00, 0), (0x0A, 0), (0x0A, 1), (0x1A, 0), (0x1C, 0), (0x1D, 0), (0x1E, 0), (0x1F, 0)];
    assert_eq!(codes, expected);
    let addresses = ElementAddressAssignment {
        transport: ElementRange::new(1, 1),
        storage: ElementRange::new(1000, 20),
        import_export: ElementRange::new(10, 4),
        drive: ElementRange::new(500, 2),
    };
    for name in ["MODE SENSE(6) page 1d dbd=1", "MODE SENSE(6) page 1d dbd=0"] {
        let parameters = ModeParameters::parse6(file.record(name).data()).expect("header");
        let page = parameters.page(0x1D, 0).expect("sent");
        assert_eq!(ElementAddressAssignment::parse(page), Ok(addresses), "{name}");
    }
    let abilities = DeviceCapabilities::parse(all.page(0x1F, 0).expect("sent")).expect("whole");
    for (from, to) in ElementType::ALL.into_iter().flat_map(|from| ElementType::ALL.map(|to| (from, to))) {
        assert!(abilities.stores(from) && abilities.can_move(from, to) && abilities.can_exchange(from, to));
    }
}

#[test]
fn tgt_reports_end_eight_bytes_early_and_lose_the_last_serial_number() {
    let file = capture("tgt/res.txt");
    let record = file.record("READ ELEMENT STATUS type=drive voltag=1 dvcid=1 curdata=1");
    let report = ElementStatus::parse(record.data()).expect("header");
    assert!(report.is_truncated());
    let drives = elements(record);
    assert_eq!(drives.iter().map(|drive| drive.address().0).collect::<Vec<_>>(), [500, 501]);
    let id = drives[0].device_id().expect("asked for");
    assert_eq!(
        (id.vendor(), id.product(), id.serial()),
        (Some("HP"), Some("LTO3 ULTRIUM"), Some("HUM1A00001"))
    );
    assert!(drives[0].is_complete() && !drives[1].is_complete());
    assert_eq!(drives[1].device_id(), None);
    assert!(drives.iter().all(|drive| !drive.full() && !drive.access() && label(drive).is_none()));

    let slots = elements(file.record("READ ELEMENT STATUS type=storage voltag=1 dvcid=0 curdata=1"));
    assert_eq!((slots.len(), slots[19].address().0, slots[19].is_complete()), (20, 1019, false));
    let labels: Vec<_> = slots.iter().filter_map(label).collect();
    let expected =
        ["VT0001L3", "VT0002L3", "VT0003L3", "VT0004L3", "VT0005L3", "VT0006L3", "VT0007L3", "VT0008L3"];
    assert_eq!(labels, expected);
    assert!(slots.iter().enumerate().all(|(index, slot)| slot.full() == (index < 8) && !slot.access()));
    // It names the robot as the source of the first cartridge.
    assert_eq!((slots[0].source(), slots[1].source()), (Some(ElementAddress(1)), None));

    // Without tags, only eight bytes are left of the robot's descriptor: too few.
    assert_eq!(elements(file.record("READ ELEMENT STATUS type=mte voltag=0 dvcid=0 curdata=1")).len(), 0);
    let robot = elements(file.record("READ ELEMENT STATUS type=mte voltag=1 dvcid=0 curdata=1"));
    assert_eq!((robot.len(), robot[0].address().0, robot[0].is_complete()), (1, 1, false));
    assert_eq!(elements(file.record("READ ELEMENT STATUS type=all start=65535")).len(), 0);
}

#[test]
fn tgt_changer_and_drive_agree() {
    let file = capture("tgt/interplay.txt");
    let inquiry = StandardInquiry::parse(file.record("INQUIRY").data()).expect("header");
    assert_eq!(
        (inquiry.device_type(), inquiry.vendor(), inquiry.product()),
        (DeviceType::Tape, "HP", "LTO3 ULTRIUM")
    );
    let unit = vpd::UnitSerial::parse(file.record("VPD 80").data()).expect("header");
    let drives = elements(file.record_after("MOVE 1000->500", "then READ ELEMENT STATUS drive"));
    assert_eq!((unit.serial(), serial(&drives[0])), ("HUM1A00001", Some("HUM1A00001")));
    assert_eq!((label(&drives[0]), drives[0].source()), (Some("VT0001L3"), Some(ElementAddress(1000))));
    // A drive whose load failed shows the label of a cartridge that it does not have.
    let drives = elements(file.record_after("MOVE 1001->500", "then READ ELEMENT STATUS drive"));
    assert_eq!((drives[0].full(), label(&drives[0])), (false, Some("VT0002L3")));
    let slots = elements(file.record("then slot 1001"));
    // Of the next slot only eight bytes were left: too few.
    assert_eq!((slots.len(), slots[0].full(), label(&slots[0])), (1, true, Some("VT0002L3")));
    assert_eq!(label(&elements(file.record("READ ELEMENT STATUS ie"))[0]), Some("NEW001L3"));

    let refusal = |name| sense(file.record(name));
    assert_eq!(refusal("TEST UNIT READY"), Sense::new(SenseKey::NotReady, 0x3A, 0x00));
    assert_eq!(refusal("TEST UNIT READY 1"), Sense::new(SenseKey::UnitAttention, 0x29, 0x00));
    assert_eq!(refusal("MOVE 500->1000 while prevented"), illegal_request(0x53, 0x02));
    assert_eq!(refusal("MOVE 1001->500"), Sense::new(SenseKey::HardwareError, 0x15, 0x01));
    let moves = capture("tgt/move.txt");
    let nowhere = sense(moves.record("MOVE to an address that does not exist"));
    assert_eq!(nowhere, illegal_request(0x24, 0x00));
}

#[test]
fn tgt_lists_its_commands_with_and_without_timeouts() {
    let file = capture("tgt/inquiry.txt");
    let list = |name| SupportedCommands::parse(file.record(name).data()).expect("header");
    let plain: Vec<_> = list("REPORT SUPPORTED OPERATION CODES all").commands().collect();
    let opcodes: Vec<_> = plain.iter().map(|command| command.opcode).collect();
    assert_eq!(opcodes, [0x00, 0x03, 0x07, 0x12, 0x1A, 0x37, 0x5A, 0xA0, 0xA3, 0xA5, 0xB8]);
    assert_eq!((plain[8].service_action, plain[8].cdb_length), (Some(0x0C), 12));
    assert!(plain.iter().all(|command| command.timeouts.is_none()));
    let timed: Vec<_> = list("REPORT SUPPORTED OPERATION CODES all + timeouts").commands().collect();
    assert!(timed.iter().map(|command| command.opcode).eq(opcodes));
    assert!(timed.iter().all(|command| command.timeouts == Some(CommandTimeouts::default())));
    let one = file.record("REPORT SUPPORTED OPERATION CODES one b8").data();
    let one = OneCommand::parse(one).expect("header");
    assert_eq!((one.support, one.usage, one.timeouts), (CommandSupport::Standard, &[0; 12][..], None));
}
