//! The main job through a `Session` on tgt's changer: what is there is seen, mounts and dismounts go where they should,
//! a cancel does not wait for the arm, and what hands did is found out.
#![cfg(all(feature = "iscsi", feature = "sim"))]

mod beds;
mod common;
#[path = "tgt_session/hand.rs"]
mod hand;
#[path = "tgt_session/labels.rs"]
mod labels;
#[path = "tgt_session/ports.rs"]
mod ports;
#[path = "store/temp.rs"]
mod temp;
#[path = "kill/truth.rs"]
mod truth;

use std::collections::BTreeMap;
use std::time::Duration;

use autochanger::catalog::MotionState;
use autochanger::id::Device;
use autochanger::request::{CancelledBy, ElementName, Outcome};
use autochanger::scsi::{Inquiry, StandardInquiry, vpd::UnitSerial};
use autochanger::transport::{Command, Completion, Transport};
use autochanger::view::Quirk;
use autochanger::{
    Cancellation, ElementAddress, ElementType, Ending, HistoryFilter, LibraryConfig, Manager, Mounted, Place,
    Refusal, RequestError, Role, Session, State, SubmitError, Timing, Waiting,
};
use beds::proxy::{Holding, Proxy};
use beds::{TgtBed, TgtOptions};
use common::{MOVE_MEDIUM, READ_ELEMENT_STATUS, until, within};
use temp::TempDir;

const SOON: Duration = Duration::from_secs(10);

/// tgt's library behind a proxy, with a manager and an administrator's session.
struct Setting {
    bed: TgtBed,
    proxy: Proxy,
    manager: Manager,
    session: Session,
    _locks: TempDir,
}

impl Setting {
    async fn new(options: TgtOptions) -> Self {
        Self::with(options, |config| config).await
    }

    async fn with(options: TgtOptions, set_up: impl FnOnce(LibraryConfig) -> LibraryConfig) -> Self {
        let bed = TgtBed::start(options);
        let (proxy, locks) = (Proxy::start(bed.port()).await, TempDir::new());
        let timing = Timing {
            retry_min: Duration::from_millis(10),
            port_poll: Duration::from_millis(50),
            ..Timing::default()
        };
        let config = set_up(LibraryConfig::new(bed.url_through(proxy.port())).timing(timing));
        let builder = Manager::builder().library(config).lock_directory(locks.file(""));
        let manager = builder.open().await.expect("the manager opens");
        within(manager.ready()).await.expect("the library becomes ready");
        let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
        Self { bed, proxy, manager, session, _locks: locks }
    }

    /// What the device says that is where, asked past manager and proxy.
    async fn contents(&self) -> BTreeMap<String, ElementName> {
        let url = self.bed.url();
        tokio::task::spawn_blocking(move || truth::contents(&url)).await.expect("it is read")
    }

    /// What the catalogue says that is where.
    async fn catalogue(&self) -> BTreeMap<String, ElementName> {
        let cartridges = within(self.session.cartridges(None)).await.expect("the session is open");
        let place = |place: &Place| match place {
            Place::Element(element) => Some(*element),
            _ => None,
        };
        cartridges
            .iter()
            .filter_map(|known| Some((known.barcode.as_deref()?.to_owned(), place(&known.place)?)))
            .collect()
    }

    async fn mount(&self, barcode: &str) -> Mounted {
        within(self.session.mount(barcode)).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The catalogue agrees with the device, and both with `before`.
    async fn end(self, before: &BTreeMap<String, ElementName>) {
        assert_eq!(&self.contents().await, before, "every cartridge is where it was");
        assert_eq!(&self.catalogue().await, before, "the catalogue knows it");
        assert!(within(self.session.live_requests()).await.expect("the session is open").is_empty());
        within(self.manager.shutdown()).await;
    }
}

fn slot(address: u16) -> ElementName {
    ElementName { kind: ElementType::Storage, address: ElementAddress(address) }
}

fn port(address: u16) -> ElementName {
    ElementName { kind: ElementType::ImportExport, address: ElementAddress(address) }
}

fn in_drive(address: u16) -> ElementName {
    ElementName { kind: ElementType::Drive, address: ElementAddress(address) }
}

fn barcode(number: u16) -> String {
    format!("VT{number:04}L3")
}

async fn inventory_of(slots: u16, drives: u16, cartridges: u16) {
    let ports = 4;
    let setting = Setting::new(TgtOptions { slots, drives, ports, cartridges, chap: None }).await;
    let inventory = within(setting.session.inventory()).await.expect("the inventory is read");
    assert_eq!(inventory.elements, u32::from(slots) + u32::from(drives) + u32::from(ports) + 1);
    assert_eq!(inventory.cartridges, u32::from(cartridges));
    assert_eq!((inventory.appeared, inventory.missing), (0, 0), "opening had seen them all");

    let libraries = within(setting.session.libraries()).await.expect("the session is open");
    let counts = libraries[0].counts;
    assert_eq!((counts.slots, counts.drives, counts.ports, counts.transports), (slots, drives, ports, 1));
    assert_eq!(libraries[0].id, Some(inventory.library));
    let identity = libraries[0].identity.as_ref().expect("it was identified");
    assert_eq!((&*identity.vendor, &*identity.product), ("STK", "L700"));

    let seen = within(setting.session.slots(libraries[0].id)).await.expect("the session is open");
    let stored: Vec<_> = seen.iter().filter(|seen| seen.element.kind == ElementType::Storage).collect();
    assert_eq!(stored.len(), usize::from(slots));
    for (n, seen) in (0..slots).zip(stored) {
        let label = (n < cartridges).then(|| barcode(n + 1));
        assert_eq!(seen.element.address, ElementAddress(setting.bed.slot(n)));
        assert_eq!((seen.full, seen.barcode.as_deref()), (label.is_some(), label.as_deref()));
    }
    let before = setting.contents().await;
    assert_eq!(before.len(), usize::from(cartridges));
    setting.end(&before).await;
}

#[tokio::test]
async fn an_inventory_of_20_slots_tells_every_element_and_cartridge() {
    inventory_of(20, 2, 8).await;
}

#[tokio::test]
async fn an_inventory_of_a_full_library_tells_the_last_slots_cartridge_too() {
    inventory_of(20, 1, 20).await;
}

#[tokio::test]
async fn an_inventory_of_1000_slots_tells_every_element_and_cartridge() {
    inventory_of(1000, 2, 1000).await;
}

/// The serial number that a device tells itself.
async fn own_serial(device: &dyn Transport) -> String {
    let inquiry = Inquiry { vpd: Some(0x80), allocation: 255 }.cdb();
    let answer: Completion = device.execute(Command::reading(inquiry, 255, SOON)).await.expect("it answers");
    UnitSerial::parse(&answer.data).expect("a serial number page").serial().to_owned()
}

#[tokio::test]
async fn every_drive_is_matched_to_its_lun_by_serial_number() {
    for count in [1, 2, 4] {
        let setting = Setting::new(TgtOptions { drives: count, ..TgtOptions::default() }).await;
        let before = setting.contents().await;
        let drives = within(setting.session.drives(None)).await.expect("the session is open");
        assert_eq!(drives.len(), usize::from(count));
        for (n, drive) in (0..count).zip(&drives) {
            assert_eq!(drive.element, ElementAddress(setting.bed.drive(n)));
            assert_eq!(drive.serial.as_deref(), Some(&*format!("DRV{:07}", n + 1)), "{drive:?}");
            assert_eq!(drive.device, Some(Device::Sibling(n + 1)), "{drive:?}");
        }
        for (n, drive) in (0..count).zip(&drives) {
            let tape = within(setting.session.mount(barcode(n + 1)).drive(drive.element)).await;
            let tape = tape.expect("mounted");
            assert_eq!((tape.drive(), tape.serial()), (drive.element, drive.serial.as_deref()));
            let way = tape.transport().expect("the way to the drive is known");
            assert_eq!(Some(&*own_serial(&*way).await), drive.serial.as_deref());
            within(tape.dismount()).await.expect("dismounted");
        }
        setting.end(&before).await;
    }
}

#[tokio::test]
async fn cycles_of_mount_and_dismount_cost_one_move_each_and_end_where_they_began() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    // What is in place costs nothing more: the first cycle may still hear of power-ons.
    let tape = setting.mount(&barcode(1)).await;
    within(tape.dismount()).await.expect("dismounted");
    let (moves, looks) = (setting.proxy.count(MOVE_MEDIUM), setting.proxy.count(READ_ELEMENT_STATUS));
    let cycles = 10;
    for cycle in 0..cycles {
        let label = barcode(1 + cycle % 8);
        let tape = within(setting.session.mount(&label).drive(500 + cycle % 2)).await.expect("mounted");
        assert_eq!(tape.barcode(), Some(label.as_str()));
        assert_eq!(setting.catalogue().await[&label], in_drive(500 + cycle % 2));
        let back = within(tape.dismount()).await.expect("dismounted");
        assert_eq!(back.slot(), Some(before[&label].address), "it found its slot");
    }
    let commands = 2 * usize::from(cycles);
    assert_eq!(setting.proxy.count(MOVE_MEDIUM) - moves, commands);
    assert!(setting.proxy.count(READ_ELEMENT_STATUS) - looks <= commands, "at most one look for a move");
    setting.end(&before).await;
}

#[tokio::test]
async fn a_mount_by_id_is_the_cartridge_with_that_id() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    let cartridges = within(setting.session.cartridges(None)).await.expect("the session is open");
    let wanted = cartridges
        .iter()
        .find(|known| known.barcode.as_deref() == Some("VT0005L3"))
        .expect("it is in the library");
    let tape = within(setting.session.mount(wanted.id).read_only()).await.expect("mounted");
    assert_eq!((tape.cartridge(), tape.barcode()), (wanted.id, Some("VT0005L3")));
    assert_eq!(setting.contents().await["VT0005L3"], in_drive(tape.drive().0));
    within(setting.session.dismount(wanted.id)).await.expect("dismounted");
    setting.end(&before).await;
}

#[tokio::test]
async fn a_named_drive_is_used_and_one_that_is_not_there_is_refused_with_those_that_are() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    let tape = within(setting.session.mount("VT0002L3").drive(501)).await.expect("mounted");
    assert_eq!(tape.drive(), ElementAddress(501));
    assert_eq!(setting.contents().await["VT0002L3"], in_drive(501));
    within(tape.dismount()).await.expect("dismounted");

    let refused = setting.session.mount("VT0002L3").drive(1000).submit().await.expect_err("1000 is a slot");
    assert!(
        matches!(refused, SubmitError::Refused(Refusal::NoSuchElement { address: 1000, .. })),
        "{refused}"
    );
    assert!(refused.to_string().contains("500, 501"), "{refused}");
    setting.end(&before).await;
}

#[tokio::test]
async fn a_dismount_to_a_named_slot_goes_there_and_a_full_one_fails_and_moves_nothing() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    let tape = setting.mount("VT0001L3").await;
    let failed = within(tape.dismount().to(1001)).await.expect_err("VT0002L3 is there");
    assert!(failed.to_string().contains("1001"), "{failed}");
    assert_eq!(setting.contents().await["VT0002L3"], slot(1001));
    assert_eq!(setting.contents().await["VT0001L3"], in_drive(tape.drive().0));

    let back = within(tape.dismount().to(1015)).await.expect("dismounted");
    assert_eq!(back.slot(), Some(ElementAddress(1015)));
    assert_eq!(setting.contents().await["VT0001L3"], slot(1015));
    let tape = setting.mount("VT0001L3").await;
    within(tape.dismount().to(1000)).await.expect("dismounted");
    setting.end(&before).await;
}

#[tokio::test]
async fn an_unknown_cartridge_is_refused_with_what_to_do() {
    let setting = Setting::new(TgtOptions::default()).await;
    let refused = setting.session.mount("NOSUCH").submit().await.expect_err("there is none");
    assert!(matches!(refused, SubmitError::Refused(Refusal::CartridgeNotFound { .. })), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("NOSUCH") && text.contains("inventory"), "{text}");
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 0);
    within(setting.manager.shutdown()).await;
}

#[tokio::test]
async fn a_waiting_mount_is_cancelled_while_the_arm_moves_something_else() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    setting.proxy.hold(Holding::Commands);
    let moving = setting.session.mount("VT0001L3").submit().await.expect("accepted");
    setting.proxy.until_count(MOVE_MEDIUM, 1).await;
    let waiting = setting.session.mount("VT0002L3").submit().await.expect("accepted");
    let id = waiting.id();
    let answer = within(setting.session.cancel(id).reason("called off")).await;
    assert!(matches!(answer, Ok(Cancellation::Cancelled)), "{answer:?}");
    assert_eq!(moving.state(), State::InProcess, "the answer did not wait for the move's end");
    let told = within(waiting).await.expect_err("it was cancelled");
    let RequestError::Cancelled { by: CancelledBy::Session { application, reason }, .. } = &told else {
        panic!("{told}")
    };
    assert_eq!((&**application, reason.as_deref()), ("backup", Some("called off")));

    setting.proxy.hold(Holding::Nothing);
    let tape = within(moving).await.expect("the other one is not touched");
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 1, "nothing moved for the cancelled one");
    // It may have been prepared while the arm was busy; an intent that is given up was never sent.
    let motions = within(setting.session.motions(id)).await.expect("it is known");
    assert!(motions.iter().all(|motion| motion.state == MotionState::NotSent), "{motions:?}");
    within(tape.dismount()).await.expect("dismounted");
    setting.end(&before).await;
}

#[tokio::test]
async fn a_mount_that_is_cancelled_while_the_arm_moves_its_cartridge_is_stopped_in_the_drive() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    setting.proxy.hold(Holding::Commands);
    let mount = setting.session.mount("VT0001L3").drive(501).submit().await.expect("accepted");
    setting.proxy.until_count(MOVE_MEDIUM, 1).await;
    let answer = within(setting.session.cancel_library_request(mount.id())).await;
    let Ok(Cancellation::Stopping(verdict)) = answer else { panic!("{answer:?}") };
    assert_eq!(mount.state(), State::InProcess, "the answer did not wait for the move's end");
    setting.proxy.hold(Holding::Nothing);
    let place = Some(Place::Element(in_drive(501)));
    assert_eq!(within(verdict).await.expect("a verdict"), Ending::Stopped { place: place.clone() });
    let told = within(mount).await.expect_err("it was stopped");
    assert!(matches!(&told, RequestError::Stopped { place: at, .. } if *at == place), "{told}");
    assert_eq!(setting.contents().await["VT0001L3"], in_drive(501), "nothing was moved back");
    assert!(within(setting.session.mounts()).await.expect("the session is open").is_empty());

    let back = within(setting.session.dismount("VT0001L3")).await.expect("dismounted");
    assert_eq!(back.slot(), Some(ElementAddress(1000)));
    setting.end(&before).await;
}

#[tokio::test]
async fn two_mounts_take_the_two_drives_and_a_third_waits_for_one() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    let one = setting.session.mount("VT0001L3").submit().await.expect("accepted");
    let two = setting.session.mount("VT0002L3").submit().await.expect("accepted");
    let three = setting.session.mount("VT0003L3").submit().await.expect("accepted");
    let (one, two) = (within(one).await.expect("mounted"), within(two).await.expect("mounted"));
    assert_ne!(one.drive(), two.drive());
    until(&three, |state| *state == State::Waiting(Waiting::Drive)).await;
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 2);

    within(two.dismount()).await.expect("dismounted");
    let three = within(three).await.expect("a drive is free now");
    assert_eq!(three.drive(), two.drive());
    let mounts = within(setting.session.mounts()).await.expect("the session is open");
    let mut mounted: Vec<_> = mounts.iter().map(|mount| mount.id).collect();
    mounted.sort();
    let mut expected = [one.id(), three.id()];
    expected.sort();
    assert_eq!(mounted, expected);

    let (first, third) = tokio::join!(within(one.dismount()), within(three.dismount()));
    assert_eq!(first.expect("dismounted").slot(), Some(ElementAddress(1000)));
    assert_eq!(third.expect("dismounted").slot(), Some(ElementAddress(1002)));
    setting.end(&before).await;
}

#[tokio::test]
async fn many_clients_at_once_share_two_drives_and_bring_everything_back() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    let mut clients = Vec::new();
    for number in 1..=8 {
        let session = setting.session.clone();
        clients.push(tokio::spawn(async move {
            for _ in 0..3 {
                let tape = session.mount(barcode(number)).await.expect("mounted");
                tape.dismount().await.expect("dismounted");
            }
        }));
    }
    for client in clients {
        within(client).await.expect("every client is served");
    }
    assert_eq!(setting.proxy.count(MOVE_MEDIUM), 2 * 3 * 8);
    let filter = HistoryFilter::default();
    let requests = within(setting.session.requests(filter)).await.expect("the store answers");
    assert_eq!(requests.len(), 2 * 3 * 8);
    assert!(requests.iter().all(|request| matches!(
        request.state,
        State::Passed(Outcome::Mounted { .. } | Outcome::Dismounted { .. })
    )));
    setting.end(&before).await;
}

#[tokio::test]
async fn a_mounted_medium_is_the_callers_own_to_use() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    let tape = setting.mount("VT0001L3").await;
    let drive = tape.transport().expect("the way to the drive is known");
    let inquiry = Inquiry { vpd: None, allocation: 96 }.cdb();
    let answer = drive.execute(Command::reading(inquiry, 96, SOON)).await.expect("the drive answers");
    let standard = StandardInquiry::parse(&answer.data).expect("INQUIRY data");
    assert_eq!((standard.vendor(), standard.product()), ("HP", "LTO3 ULTRIUM"));
    assert_eq!(tape.os_device(), None, "a drive over iSCSI in user space has no name in /dev");
    within(tape.dismount()).await.expect("dismounted");
    setting.end(&before).await;
}

#[tokio::test]
async fn what_tgt_does_otherwise_than_the_standard_says_is_told() {
    let setting = Setting::new(TgtOptions::default()).await;
    let libraries = within(setting.session.libraries()).await.expect("the session is open");
    assert_eq!(libraries[0].quirks, [Quirk::ShortReports]);
}
