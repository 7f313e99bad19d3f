//! A tape drive that is not ours: every command that the codec has for drives, sent to one of tgt's over iSCSI. What that
//! drive has not is named as well, so that nobody takes it for vouched for.
#![cfg(feature = "iscsi")]

mod beds;

use std::sync::Arc;
use std::time::Duration;

use autochanger::transport::{self, Command, Completion, Transport};
use autochanger_scsi::*;
use beds::{TgtBed, TgtOptions};
use bytes::Bytes;

const SOON: Duration = Duration::from_secs(10);

/// The length of the blocks that are written.
const BLOCK: usize = 512;

/// tgt's library with a cartridge in its drive.
struct Setting {
    changer: Arc<dyn Transport>,
    drive: Arc<dyn Transport>,
    bed: TgtBed,
}

impl Setting {
    async fn new() -> Self {
        let bed = TgtBed::start(TgtOptions { slots: 4, drives: 1, ports: 0, cartridges: 1, chap: None });
        let open = |url: String| transport::open(&url.parse().expect("a right URL")).expect("it is complete");
        let setting = Self { changer: open(bed.url()), drive: open(bed.drive_url(0)), bed };
        // A new session is told once that the target was started.
        for device in [&setting.changer, &setting.drive] {
            let answer = device.execute(Command::new(TestUnitReady {}.cdb(), SOON)).await.expect("an answer");
            assert_eq!(answer.sense().map(|sense| sense.code.asc), Some(0x29));
        }
        let answer = setting.arm(setting.bed.slot(0), setting.bed.drive(0)).await;
        assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
        setting
    }

    async fn arm(&self, source: u16, destination: u16) -> Completion {
        let command = MoveMedium {
            transport: ElementAddress(0),
            source: ElementAddress(source),
            destination: ElementAddress(destination),
            invert: false,
        };
        self.changer.execute(Command::new(command.cdb(), SOON)).await.expect("an answer")
    }

    async fn ask(&self, command: impl Into<TapeCommand>, data_in: u32, data_out: &[u8]) -> Completion {
        let cdb = command.into().cdb();
        let data_out = Bytes::copy_from_slice(data_out);
        let command = Command { data_out, data_in, ..Command::new(cdb, SOON) };
        self.drive.execute(command).await.expect("an answer")
    }

    /// The data of a command that the drive carries out.
    async fn good(&self, command: impl Into<TapeCommand>, data_in: u32, data_out: &[u8]) -> Bytes {
        let command = command.into();
        let answer = self.ask(command, data_in, data_out).await;
        assert_eq!(answer.status, Status::Good, "{command:?}: {:?}", answer.sense());
        answer.data
    }
}

#[tokio::test]
async fn a_real_drive_says_who_it_is_how_it_is_set_and_what_it_can() {
    let setting = Setting::new().await;
    setting.good(TestUnitReady {}, 0, &[]).await;
    let sense = setting.good(RequestSense { descriptor: false, allocation: 252 }, 252, &[]).await;
    assert_eq!(Sense::parse(&sense).map(|sense| sense.key), Some(SenseKey::NoSense));

    let data = setting.good(Inquiry { vpd: None, allocation: 96 }, 96, &[]).await;
    let inquiry = StandardInquiry::parse(&data).expect("INQUIRY data");
    assert_eq!(inquiry.device_type(), DeviceType::Tape);
    assert_eq!((inquiry.vendor(), inquiry.product()), ("HP", "LTO3 ULTRIUM"));
    let data = setting.good(Inquiry { vpd: Some(0x80), allocation: 255 }, 255, &[]).await;
    assert_eq!(vpd::UnitSerial::parse(&data).expect("a serial number").serial(), "DRV0000001");
    let data = setting.good(ReportLuns { select: 0, allocation: 256 }, 256, &[]).await;
    let luns: Vec<_> = LunList::parse(&data).expect("a list").luns().map(lun_number).collect();
    assert_eq!(luns, [0, 1, 2, 3].map(Some), "tgt's own unit, the drive, the changer, the disk");

    // Page 10h, device configuration (SSC-3 clause 8.3.3), in both lengths.
    let six = ModeSense6 { page: 0x10, allocation: 255, ..ModeSense6::default() };
    let ten = ModeSense10 { page: 0x10, allocation: 255, ..ModeSense10::default() };
    let (six, ten) = (setting.good(six, 255, &[]).await, setting.good(ten, 255, &[]).await);
    let six = ModeParameters::parse6(&six).expect("parameters").page(0x10, 0).map(<[u8]>::to_vec);
    let ten = ModeParameters::parse10(&ten).expect("parameters").page(0x10, 0).map(<[u8]>::to_vec);
    assert!(six.as_ref().is_some_and(|page| page.len() == 16) && six == ten, "{six:02x?} {ten:02x?}");

    let all = ReportSupportedOperationCodes { allocation: 1024, ..Default::default() };
    let data = setting.good(all, 1024, &[]).await;
    let list = SupportedCommands::parse(&data).expect("a list");
    for opcode in
        [TestUnitReady::OPCODE, Read6::OPCODE, Write6::OPCODE, WriteFilemarks6::OPCODE, Rewind::OPCODE]
    {
        assert!(list.find(opcode, None).is_some(), "{opcode:02X}h is not listed");
    }
}

#[tokio::test]
async fn what_is_written_to_a_real_drive_is_read_again_up_to_its_filemark() {
    let setting = Setting::new().await;
    let write = Write6 { fixed: false, length: BLOCK as u32 };
    let read = Read6 { fixed: false, suppress_incorrect_length: false, length: BLOCK as u32 };
    for content in [7, 8] {
        setting.good(write, 0, &[content; BLOCK]).await;
    }
    setting.good(WriteFilemarks6 { immediate: false, count: 1 }, 0, &[]).await;
    setting.good(Rewind { immediate: false }, 0, &[]).await;
    for content in [7, 8] {
        assert_eq!(setting.good(read, BLOCK as u32, &[]).await, [content; BLOCK][..]);
    }
    let mark = setting.ask(read, BLOCK as u32, &[]).await;
    let sense = mark.sense().expect("a filemark is told by sense data");
    assert_eq!(
        (mark.status, sense.code.asc, sense.code.ascq),
        (Status::CheckCondition, 0x00, 0x01),
        "{sense}"
    );
    assert!(sense.filemark, "{sense:?}");
    let beyond = setting.ask(read, BLOCK as u32, &[]).await;
    assert_eq!(beyond.sense().map(|sense| sense.key), Some(SenseKey::BlankCheck));
}

#[tokio::test]
async fn a_real_drive_keeps_a_cartridge_that_is_held_and_gives_up_one_that_is_unloaded() {
    let setting = Setting::new().await;
    let (slot, drive) = (setting.bed.slot(0), setting.bed.drive(0));
    setting.good(PreventAllowMediumRemoval { prevent: true }, 0, &[]).await;
    let held = setting.arm(drive, slot).await;
    assert_eq!(held.sense().map(|sense| (sense.code.asc, sense.code.ascq)), Some((0x53, 0x02)));
    setting.good(PreventAllowMediumRemoval { prevent: false }, 0, &[]).await;
    setting.good(LoadUnload::default(), 0, &[]).await;
    let taken = setting.arm(drive, slot).await;
    assert_eq!(taken.status, Status::Good, "{:?}", taken.sense());
    let empty = setting.ask(TestUnitReady {}, 0, &[]).await;
    assert_eq!(empty.sense().map(|sense| sense.code.asc), Some(0x3A));
}

/// tgt answers READ POSITION, too, but always as at the beginning.
#[tokio::test]
async fn a_real_drive_answers_read_position_and_it_can_be_read() {
    let setting = Setting::new().await;
    let data = setting.good(ReadPosition::default(), 20, &[]).await;
    TapePosition::parse(&data).expect("a position");
}

#[tokio::test]
async fn what_this_real_drive_does_not_have_it_refuses_by_operation_code() {
    let setting = Setting::new().await;
    let keys = PersistentReserveIn { action: PersistentReserveInAction::ReadKeys, allocation: 255 };
    let register = PersistentReserveOut {
        action: PersistentReserveOutAction::Register,
        scope: 0,
        kind: ReservationType::WriteExclusive.code(),
        length: 24,
    };
    let values = ReadAttribute {
        action: ReadAttributeAction::Values,
        element: ElementAddress(0),
        volume: 0,
        partition: 0,
        first: 0,
        allocation: 1024,
        cache: false,
    };
    let write = WriteAttribute {
        write_through: false,
        element: ElementAddress(0),
        volume: 0,
        partition: 0,
        length: 24,
    };
    let density = ReportDensitySupport { medium: false, medium_types: false, allocation: 255 };
    let cases: [(TapeCommand, u32, &[u8]); 7] = [
        (Locate10::default().into(), 0, &[]),
        (density.into(), 255, &[]),
        (LogSense { page: 0, allocation: 255, ..LogSense::default() }.into(), 255, &[]),
        (keys.into(), 255, &[]),
        (register.into(), 0, &[0; 24]),
        (values.into(), 1024, &[]),
        (write.into(), 0, &[0; 24]),
    ];
    for (command, data_in, data_out) in cases {
        let answer = setting.ask(command, data_in, data_out).await;
        let sense = answer.sense().unwrap_or_else(|| panic!("{command:?}: {:?}", answer.status));
        assert_eq!((sense.key, sense.code.asc), (SenseKey::IllegalRequest, 0x20), "{command:?}: {sense}");
    }
}
