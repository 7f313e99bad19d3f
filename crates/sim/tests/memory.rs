//! What a drive tells of itself and of the cartridge in it: memory chip, position, densities.

mod common;

use autochanger_scsi::attribute_id::*;
use autochanger_scsi::{
    Attribute, AttributeFormat, AttributeIds, AttributeWriter, Attributes, Cdb, DensityReport, LoadUnload,
    Locate10, LongPosition, PositionForm, ReadAttribute, ReadAttributeAction, ReadPosition,
    ReportDensitySupport, Rewind, TapePosition, WriteAttribute,
};

use common::*;

fn attributes(first: u16) -> Cdb {
    ReadAttribute { first, allocation: 65_536, ..ReadAttribute::default() }.cdb()
}

fn list(attributes: &[(u16, AttributeFormat, &[u8])]) -> Vec<u8> {
    let mut buffer = vec![0; 40_000];
    let mut writer = AttributeWriter::new(&mut buffer);
    for (id, format, value) in attributes {
        writer.attribute(&Attribute { id: *id, read_only: false, format: *format, value });
    }
    let length = writer.finish();
    buffer.truncate(length);
    buffer
}

impl Rig {
    fn write(&mut self, data: &[u8]) -> (u8, u8, u8) {
        let command = WriteAttribute { length: data.len() as u32, ..WriteAttribute::default() };
        code(&self.send_out(1, command.cdb(), data))
    }

    #[track_caller]
    fn text(&mut self, id: u16) -> Option<String> {
        let data = good(self.send(1, attributes(0)));
        Attributes::parse(&data).unwrap().get(id).and_then(|it| it.text()).map(str::to_owned)
    }

    fn load(&mut self, slot: u16) {
        self.moves(slot, 500);
        assert_eq!(code(&self.send(1, ready())), (6, 0x28, 0x00));
    }
}

fn barcode(label: &str) -> Vec<u8> {
    list(&[(BARCODE, AttributeFormat::Ascii, format!("{label:32}").as_bytes())])
}

#[test]
fn the_memory_goes_with_its_cartridge() {
    let mut rig = rig();
    rig.load(1000);
    assert_eq!(rig.text(BARCODE), None);
    assert_eq!(rig.write(&barcode("VT0001L8")), (0, 0, 0));
    assert_eq!(rig.text(BARCODE).as_deref(), Some("VT0001L8"));
    assert_eq!(rig.text(MEDIUM_SERIAL).as_deref(), Some("SIMVT0001L8"));
    rig.moves(500, 1000);
    rig.load(1001);
    assert_eq!(rig.text(BARCODE), None);
    rig.moves(500, 1001);
    rig.load(1000);
    assert_eq!(rig.text(BARCODE).as_deref(), Some("VT0001L8"));
    let data = good(rig.send(1, attributes(0)));
    let all = Attributes::parse(&data).unwrap();
    assert!(all.is_well_formed());
    assert_eq!(all.get(LOAD_COUNT).and_then(|it| it.number()), Some(2));
    let ids: Vec<u16> = all.iter().map(|it| it.id).collect();
    assert!(ids.is_sorted());
    let command =
        ReadAttribute { action: ReadAttributeAction::List, allocation: 4096, ..ReadAttribute::default() };
    let data = good(rig.send(1, command.cdb()));
    assert!(AttributeIds::parse(&data).unwrap().ids().eq(ids));
}

#[test]
fn to_begin_with_an_attribute_that_has_no_value_is_refused() {
    let mut rig = rig();
    rig.load(1000);
    let answer = rig.send(1, attributes(BARCODE));
    assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(8)));
    rig.write(&barcode("VT0001L8"));
    let data = good(rig.send(1, attributes(BARCODE)));
    assert!(Attributes::parse(&data).unwrap().iter().map(|it| it.id).eq([BARCODE]));
    // Written without bytes, it is gone.
    assert_eq!(rig.write(&list(&[(BARCODE, AttributeFormat::Ascii, b"")])), (0, 0, 0));
    assert_eq!(rig.text(BARCODE), None);
}

#[test]
fn a_list_with_one_wrong_attribute_changes_nothing() {
    let mut rig = rig();
    rig.load(1000);
    let good = (BARCODE, AttributeFormat::Ascii, &[b'X'; 32][..]);
    let wrong: [(u16, AttributeFormat, &[u8]); 4] = [
        (HOST_NAME, AttributeFormat::Ascii, b"too short"),
        (HOST_NAME, AttributeFormat::Binary, &[b'X'; 80]),
        (APPLICATION_NAME, AttributeFormat::Ascii, &[b'X'; 32]),
        (0x0C00, AttributeFormat::Binary, b"x"),
    ];
    for wrong in wrong {
        assert_eq!(rig.write(&list(&[good, wrong])), (5, 0x26, 0x00), "{wrong:?}");
        assert_eq!(rig.text(BARCODE), None);
    }
    let mut cut = list(&[good]);
    cut.truncate(30);
    assert_eq!(rig.write(&cut), (5, 0x26, 0x00));
    assert_eq!(rig.write(&list(&[(MANUFACTURER, AttributeFormat::Ascii, b"FORGED  ")])), (5, 0x26, 0x00));
    // The chip has 16 KiB.
    let large = list(&[(0x0BF0, AttributeFormat::Binary, &[7; 16_385])]);
    assert_eq!(rig.write(&large), (5, 0x55, 0x06));
}

#[test]
fn the_memory_is_read_while_the_cartridge_sits_in_the_throat() {
    let mut rig = rig();
    assert_eq!(code(&rig.send(1, attributes(0))), (2, 0x3A, 0x00));
    rig.load(1000);
    good(rig.send(1, LoadUnload::default().cdb()));
    assert_eq!(code(&rig.send(1, ready())), (2, 0x3A, 0x04));
    good(rig.send(1, attributes(0)));
}

#[test]
fn a_tape_is_at_its_beginning_and_stays_there() {
    let mut rig = rig();
    let short = ReadPosition::default().cdb();
    let locate = |block| Locate10 { block, ..Locate10::default() }.cdb();
    for command in [short, Rewind::default().cdb(), locate(0)] {
        assert_eq!(code(&rig.send(1, command)), (2, 0x3A, 0x00));
    }
    rig.load(1000);
    good(rig.send(1, Rewind::default().cdb()));
    good(rig.send(1, locate(0)));
    assert_eq!(code(&rig.send(1, locate(1))), (8, 0x00, 0x05));
    let position = TapePosition::parse(&good(rig.send(1, short))).unwrap();
    assert_eq!((position.beginning, position.block), (true, Some(0)));
    let long = ReadPosition { form: PositionForm::Long, allocation: 0 }.cdb();
    let position = LongPosition::parse(&good(rig.send(1, long))).unwrap();
    assert_eq!((position.beginning, position.file), (true, Some(0)));
}

#[test]
fn a_drive_tells_its_formats_and_those_of_its_cartridge() {
    let mut rig = rig();
    let ask = |medium| ReportDensitySupport { medium, medium_types: false, allocation: 1024 }.cdb();
    let codes = |data: Vec<u8>| {
        let report = DensityReport::parse(&data).unwrap();
        report.densities().map(|density| density.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(good(rig.send(1, ask(false)))), [0x5C, 0x5E]);
    assert_eq!(code(&rig.send(1, ask(true))), (2, 0x3A, 0x00));
    rig.load(1000);
    assert_eq!(codes(good(rig.send(1, ask(true)))), [0x5E]);
}
