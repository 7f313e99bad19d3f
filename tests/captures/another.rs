//! Captures of devices that are not in this directory: written here into a directory of their own, and checked as a user
//! has them checked, by this program as it is.
//!
//! Two made-up devices, with what is told of their like. One as a large library of IBM's: slots from 401h, ports from 301h,
//! drives from 101h, drive bays without a drive among the elements (82/00), no state beside identifiers. One as an
//! autoloader of HP's: no robot in the mode page, identifiers that are a serial number and come unasked, a flag for
//! alternate tags that are not there, holes between the slots.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use autochanger_scsi::*;
use autochanger_sim::{Device, Library, Outcome, Quirk};

use crate::temp::TempDir;

/// Room for any answer.
const ROOM: u32 = 65_535;

/// Writes records in the format of README.md.
struct Scribe {
    text: String,
    records: usize,
    reports: usize,
}

impl Scribe {
    fn new(remark: &str) -> Self {
        Self { text: format!("# {remark}\n"), records: 0, reports: 0 }
    }

    fn record(&mut self, name: &str, cdb: &Cdb, room: u32, status: u8, sense: &[u8], data: &[u8]) {
        let text = &mut self.text;
        let (got, residual) = (data.len(), room as usize - data.len());
        let bytes = cdb.as_bytes();
        write!(
            text,
            "== {name}\ncdb {}; in {room}\nstatus {status:02x} resid {residual} got {got} us 1\n",
            hex(bytes)
        )
        .expect("text grows");
        if !sense.is_empty() {
            writeln!(text, "sense {}", hex(sense)).expect("text grows");
        }
        for (row, chunk) in data.chunks(16).enumerate() {
            writeln!(text, "{:08x}  {}", row * 16, hex(chunk)).expect("text grows");
        }
        self.records += 1;
        self.reports += usize::from(cdb.opcode() == ReadElementStatus::OPCODE && status == 0);
    }

    /// What a simulated device answers.
    fn ask(&mut self, device: &mut Device, name: &str, cdb: Cdb) {
        let room = if has_data(&cdb) { ROOM } else { 0 };
        let key = device.submit(Duration::ZERO, 0, cdb.as_bytes(), &[], room);
        let Some(Outcome::Answered(answer)) = device.take(key) else { panic!("{name}: no answer") };
        self.record(name, &cdb, room, answer.status.into(), &answer.sense, &answer.data);
    }

    /// A report that no simulator gives.
    fn report(
        &mut self,
        name: &str,
        command: ReadElementStatus,
        write: impl FnOnce(&mut ElementStatusWriter<'_>),
    ) {
        let mut buffer = vec![0; ROOM as usize];
        let mut writer = ElementStatusWriter::new(&mut buffer);
        write(&mut writer);
        let length = writer.finish();
        self.record(name, &command.cdb(), ROOM, 0, &[], &buffer[..length]);
    }

    fn refusal(&mut self, name: &str, cdb: Cdb, sense: &[u8]) {
        self.record(name, &cdb, 0, Status::CheckCondition.into(), sense, &[]);
    }
}

fn has_data(cdb: &Cdb) -> bool {
    !matches!(cdb.opcode(), TestUnitReady::OPCODE | MoveMedium::OPCODE | PositionToElement::OPCODE)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x} ")).collect()
}

fn read(element_type: Option<ElementType>, device_ids: bool) -> ReadElementStatus {
    ReadElementStatus {
        element_type,
        start: ElementAddress(0),
        count: u16::MAX,
        volume_tags: true,
        current_data: false,
        device_ids,
        allocation: ROOM,
    }
}

fn sense(key: SenseKey, asc: u8, ascq: u8) -> Sense {
    Sense::new(key, asc, ascq)
}

/// What every changer is asked.
fn usual(scribe: &mut Scribe, device: &mut Device) {
    scribe.ask(device, "TEST UNIT READY, first", TestUnitReady {}.cdb());
    scribe.ask(device, "TEST UNIT READY", TestUnitReady {}.cdb());
    scribe.ask(device, "INQUIRY", Inquiry { vpd: None, allocation: 0xFFFF }.cdb());
    for page in [0x00, 0x80, 0x83] {
        let inquiry = Inquiry { vpd: Some(page), allocation: 0xFFFF };
        scribe.ask(device, &format!("INQUIRY page {page:02x}"), inquiry.cdb());
    }
    scribe.ask(device, "REPORT LUNS", ReportLuns { select: 0, allocation: ROOM }.cdb());
    for page in [0x1D, 0x1E, 0x1F, 0x3F] {
        let sense = ModeSense10 {
            page,
            disable_block_descriptors: true,
            allocation: 0xFFFF,
            ..ModeSense10::default()
        };
        scribe.ask(device, &format!("MODE SENSE(10) page {page:02x}"), sense.cdb());
    }
    for page in [0x00, 0x2E] {
        let log = LogSense { page, allocation: 0xFFFF, ..LogSense::default() };
        scribe.ask(device, &format!("LOG SENSE page {page:02x}"), log.cdb());
    }
    for kind in [None, Some(ElementType::Storage), Some(ElementType::ImportExport), Some(ElementType::Drive)]
    {
        scribe.ask(device, &format!("READ ELEMENT STATUS {kind:?}"), read(kind, false).cdb());
    }
    scribe.ask(
        device,
        "READ ELEMENT STATUS drives with identifiers",
        read(Some(ElementType::Drive), true).cdb(),
    );
    let full = MoveMedium {
        transport: ElementAddress(0),
        source: ElementAddress(0xFFF0),
        destination: ElementAddress(0xFFF1),
        invert: false,
    };
    scribe.ask(device, "MOVE MEDIUM between elements that are not there", full.cdb());
}

/// As an IBM TS4500 is told to be.
fn large() -> Scribe {
    let mut scribe =
        Scribe::new("a large library; layout mte=1 slot=0x401 nslot=40 ie=0x301 nie=8 dte=0x101 ndte=4");
    let library = Library::new().vendor("IBM").product("03584L22").serial("0000078H00210401");
    let library = library.first_arm(1).first_slot(0x401).first_port(0x301).first_drive(0x101);
    let library = library.slots(40).ports(8).drives(4).cartridges("A{:05}JD", 1..=12);
    let mut device = library.quirk(Quirk::DvcidDrivesOnly).build();
    usual(&mut scribe, &mut device);
    let options = ElementPageOptions { identifier: Some(34), ..ElementPageOptions::new(ElementType::Drive) };
    scribe.report(
        "READ ELEMENT STATUS drives, identifiers instead of states",
        read(Some(ElementType::Drive), true),
        |writer| {
            writer.page(options);
            for address in 0x101..=0x104u16 {
                let name = format!("IBM     ULT3580-TD8     00078{address:05}");
                let id = DeviceId { code_set: 2, id_type: 1, bytes: name.as_bytes() };
                writer.element(&ElementRecord {
                    except: Some(AdditionalSense { asc: 0x82, ascq: 0x00 }),
                    device_id: (address < 0x103).then_some(id),
                    ..ElementRecord::new(ElementAddress(address))
                });
            }
        },
    );
    scribe.refusal(
        "TEST UNIT READY, station open",
        TestUnitReady {}.cdb(),
        &sense(SenseKey::NotReady, 0x04, 0x84).to_fixed(),
    );
    let mut descriptor = [0; Sense::MAX_DESCRIPTOR];
    let length = sense(SenseKey::IllegalRequest, 0x3B, 0x81).write_descriptor(&mut descriptor);
    scribe.refusal("TEST UNIT READY, in descriptor format", TestUnitReady {}.cdb(), &descriptor[..length]);
    scribe
}

/// As an HP MSL is told to be.
fn small() -> Scribe {
    let mut scribe = Scribe::new("an autoloader");
    let library = Library::new().vendor("HP").product("MSL G3 Series").serial("MXA1234567");
    let library = library.first_arm(0).first_slot(0x20).first_port(0x1C0).first_drive(0x1E0);
    let library = library.slots(24).ports(1).drives(1).cartridges("HP{:04}L7", 1..=9);
    let mut device = library.quirk(Quirk::TransportCountZero).quirk(Quirk::NoExchange).build();
    usual(&mut scribe, &mut device);
    let page = ElementPageOptions {
        volume_tags: true,
        identifier: Some(10),
        // PVOLTAG and AVOLTAG, where there is room for the first only.
        flags: Some(0xC0),
        blank: 0,
        ..ElementPageOptions::new(ElementType::Drive)
    };
    scribe.report(
        "READ ELEMENT STATUS drives, serial numbers unasked",
        read(Some(ElementType::Drive), false),
        |writer| {
            writer.page(page);
            writer.element(&ElementRecord {
                full: true,
                source: Some(ElementAddress(0x23)),
                tag: Some(b"HP0004L7"),
                device_id: Some(DeviceId { code_set: 2, id_type: 0, bytes: b"HU1234567X" }),
                ..ElementRecord::new(ElementAddress(0x1E0))
            });
        },
    );
    let slots = ElementPageOptions {
        volume_tags: true,
        vendor_bytes: 2,
        ..ElementPageOptions::new(ElementType::Storage)
    };
    scribe.report(
        "READ ELEMENT STATUS slots with holes",
        read(Some(ElementType::Storage), false),
        |writer| {
            writer.page(slots);
            for address in [0x20, 0x21, 0x25, 0x2B] {
                writer
                    .element(&ElementRecord { access: true, ..ElementRecord::new(ElementAddress(address)) });
            }
        },
    );
    scribe.refusal(
        "TEST UNIT READY, robot full",
        TestUnitReady {}.cdb(),
        &sense(SenseKey::IllegalRequest, 0x3B, 0xA0).to_fixed(),
    );
    scribe
}

/// The tests that look at a user's records.
const RECORDS: &str = "every_record_decodes_and_is_consistent";
const CUT: &str = "data_cut_anywhere_is_read_without_a_panic";

/// Checks a directory as a user does; whether everything fitted, and what was said.
fn checked(directory: &Path, tests: &[&str]) -> (bool, String) {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program)
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .args(tests)
        .env("AUTOCHANGER_CAPTURES", directory)
        .output()
        .expect("this program starts again");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn counted(said: &str, kind: &str) -> usize {
    let mut lines = said.lines().filter_map(|line| line.trim_start().split_once(' '));
    lines.find(|(_, rest)| *rest == kind).and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}

#[test]
fn captures_of_devices_that_are_not_here_decode_without_a_change() {
    let directory = TempDir::new();
    let (large, small) = (large(), small());
    std::fs::create_dir(directory.file("large")).expect("it can be made");
    for (name, scribe) in [("large/all.txt", &large), ("small.txt", &small)] {
        std::fs::write(directory.file(name), &scribe.text).expect("it can be written");
    }
    let (fits, said) = checked(&directory.file(""), &[RECORDS, CUT]);
    assert!(fits, "{said}");
    assert_eq!(counted(&said, "record"), large.records + small.records, "{said}");
    // None is set aside as malformed.
    let reports = counted(&said, "element status report");
    assert_eq!(reports, large.reports + small.reports, "{said}");
    assert!(said.contains("     0 oddities"), "{said}");
    // Of the large one both mode pages that hold them; of the small one no layout is told.
    assert_eq!(counted(&said, "element addresses"), 2, "{said}");
    assert!(counted(&said, "labels") >= 12 + 9 && counted(&said, "sense data") >= 6, "{said}");
    assert_eq!(counted(&said, "log page"), 4, "{said}");
}

/// What devices do that is told as odd, as the simulator does it, and a word of what is told.
const ODD: [(Quirk, &str); 6] = [
    (Quirk::RepeatedElement, "is reported twice"),
    (Quirk::SlotAlsoPort, "is in two elements"),
    (Quirk::ByteCountTooLarge, "bytes of"),
    (Quirk::UncountedSlots(3), "is not in the layout"),
    (Quirk::EmptyWithVoltag, "no report"),
    (Quirk::NoAutosense, "with 0 bytes of sense data"),
];

/// What a device with a habit is asked; the layout is what its mode page says.
fn with_habit(quirk: Quirk) -> Scribe {
    let slots = if let Quirk::UncountedSlots(more) = quirk { 24 - more } else { 24 };
    let mut scribe = Scribe::new(&format!("layout mte=1 slot=1000 nslot={slots} ie=10 nie=4 dte=500 ndte=2"));
    let library = Library::new().slots(24).ports(4).drives(2).cartridges("VT{:04}L8", 1..=8);
    usual(&mut scribe, &mut library.quirk(quirk).build());
    scribe
}

#[test]
fn no_habit_of_a_device_is_a_fault_and_what_is_odd_is_told() {
    let directory = TempDir::new();
    for quirk in Quirk::ALL {
        let file = directory.file(&format!("{}.txt", quirk.name()));
        std::fs::write(file, with_habit(*quirk).text).expect("it can be written");
    }
    // One more, of which the simulator has only the half: a header that counts too many.
    let mut scribe = Scribe::new("a device that cannot count");
    let mut report = vec![0, 7, 0, 9, 0, 0, 0, 8 + 16, 2, 0, 0, 16, 0, 0, 0, 16];
    report.extend([0, 7, 8].iter().chain(&[0; 13]));
    let command = read(Some(ElementType::Storage), false).cdb();
    scribe.record("READ ELEMENT STATUS, one", &command, ROOM, 0, &[], &report);
    std::fs::write(directory.file("miscounted.txt"), &scribe.text).expect("it can be written");

    let (fits, said) = checked(&directory.file(""), &[RECORDS]);
    assert!(fits, "{said}");
    let told = |file: &str, word: &str| {
        let begin = format!("odd: {file}.txt, ");
        let odd = said.lines().any(|line| line.starts_with(&begin) && line.contains(word));
        assert!(odd, "{file}: {word:?} is missing in {said}");
    };
    told("miscounted", "1 elements where 9 are counted");
    for (quirk, word) in ODD {
        told(quirk.name(), word);
    }
}

#[test]
fn a_capture_that_cannot_be_read_is_named_with_its_record() {
    let directory = TempDir::new();
    let mut scribe = Scribe::new("a byte got lost");
    let command = read(Some(ElementType::Storage), false);
    scribe.record("READ ELEMENT STATUS, cut", &command.cdb(), ROOM, 0, &[], &[0; 8]);
    let text = scribe.text.replace("got 8", "got 9");
    std::fs::write(directory.file("cut.txt"), text).expect("it can be written");
    let (fits, said) = checked(&directory.file(""), &[RECORDS, CUT]);
    assert!(
        !fits && said.contains("cut.txt, READ ELEMENT STATUS, cut: 8 bytes of data-in instead of 9"),
        "{said}"
    );
}
