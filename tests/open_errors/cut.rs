//! A target that closes the connection, or dies, while it works: every request ends well or with a typed error, after
//! the elements were looked at, and no MOVE MEDIUM is sent without a durable intent of its own.

use std::time::Duration;

use autochanger::catalog::MotionState;
use autochanger::request::ElementName;
use autochanger::{
    Cancellation, ElementAddress, ElementType, EventKind, EventStream, FailureKind, LibraryConfig, Manager,
    PathFaultKind, Place, ReadyError, Refusal, RequestError, RequestId, Role, Session, State, SubmitError,
    Timing,
};

use crate::beds::proxy::{Cut, Holding, Proxy};
use crate::beds::{TgtBed, TgtOptions};
use crate::common::{LOAD_UNLOAD, MOVE_MEDIUM, READ_ELEMENT_STATUS, event, until, within};
use crate::temp::TempDir;
use crate::{becomes, is_gone, timing, truth};

const BARCODE: &str = "VT0001L3";

/// The time after which a move that was not answered is taken for not moved: each doubtful one takes as long.
const MOTION: Duration = Duration::from_millis(300);

/// A manager on tgt's library, with a proxy between.
struct Setting {
    bed: TgtBed,
    proxy: Proxy,
    manager: Manager,
    session: Session,
    _locks: TempDir,
}

impl Setting {
    async fn new() -> Self {
        let bed = TgtBed::start(TgtOptions { cartridges: 4, ..TgtOptions::default() });
        let (proxy, locks) = (Proxy::start(bed.port()).await, TempDir::new());
        let config = LibraryConfig::new(bed.url_through(proxy.port()))
            .timing(Timing { motion: MOTION, recommended: false, ..timing() })
            .name("the vault");
        let builder = Manager::builder().library(config).lock_directory(locks.file(""));
        let manager = builder.open().await.expect("the manager opens");
        within(manager.ready()).await.expect("the library becomes ready");
        let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
        Self { bed, proxy, manager, session, _locks: locks }
    }

    /// The motions of a request; there was one MOVE MEDIUM for each, and none besides.
    async fn motions(&self, requests: &[RequestId]) -> Vec<MotionState> {
        let mut states = Vec::new();
        for id in requests {
            let motions = within(self.session.motions(*id)).await.expect("the request is known");
            states.extend(motions.iter().map(|motion| motion.state));
        }
        let sent = states.iter().filter(|state| **state != MotionState::NotSent).count();
        assert_eq!(self.proxy.count(MOVE_MEDIUM), sent, "{states:?}");
        states
    }

    /// Where the device says that the cartridge is.
    async fn place(&self) -> ElementName {
        let url = self.bed.url();
        let contents = tokio::task::spawn_blocking(move || truth::contents(&url)).await.expect("it is read");
        contents[BARCODE]
    }

    async fn end(self) {
        within(self.manager.shutdown()).await;
    }
}

fn element(kind: ElementType, address: u16) -> ElementName {
    ElementName { kind, address: ElementAddress(address) }
}

async fn in_doubt(events: &mut EventStream, id: RequestId) {
    event(events, |kind| matches!(kind, EventKind::MotionInDoubt { request, .. } if *request == id)).await;
}

#[tokio::test]
async fn a_mount_whose_moves_answer_was_lost_passes_by_looking() {
    let setting = Setting::new().await;
    let mut events = setting.session.events();
    setting.proxy.cut(Cut::BeforeAnswer(MOVE_MEDIUM));
    let mount = setting.session.mount(BARCODE).drive(500).submit().await.expect("accepted");
    let id = mount.id();
    in_doubt(&mut events, id).await;
    let tape = within(mount).await.expect("the cartridge is seen in the drive");
    assert_eq!(tape.drive(), ElementAddress(500));
    assert_eq!(setting.motions(&[id]).await, [MotionState::Moved]);
    assert_eq!(setting.place().await, element(ElementType::Drive, 500));
    setting.end().await;
}

#[tokio::test]
async fn a_dismount_whose_moves_answer_was_lost_passes_by_looking() {
    let setting = Setting::new().await;
    let tape = within(setting.session.mount(BARCODE)).await.expect("mounted");
    setting.proxy.cut(Cut::BeforeAnswer(MOVE_MEDIUM));
    let back = within(tape.dismount()).await.expect("the cartridge is seen in its slot");
    assert_eq!(back.slot(), Some(ElementAddress(1000)));
    assert_eq!(setting.motions(&[tape.id(), back.id]).await, [MotionState::Moved; 2]);
    assert_eq!(setting.place().await, element(ElementType::Storage, 1000));
    setting.end().await;
}

#[tokio::test]
async fn a_move_that_never_arrived_is_settled_and_sent_once_more_by_a_new_intent() {
    let setting = Setting::new().await;
    setting.proxy.cut(Cut::BeforeCommand(MOVE_MEDIUM));
    let start = std::time::Instant::now();
    let tape = within(setting.session.mount(BARCODE)).await.expect("mounted in the end");
    assert!(start.elapsed() >= MOTION, "until then the target may still carry it out");
    assert_eq!(setting.motions(&[tape.id()]).await, [MotionState::NotMoved, MotionState::Moved]);
    setting.end().await;
}

#[tokio::test]
async fn a_mount_none_of_whose_moves_arrives_fails_with_the_path_and_where_the_cartridge_is() {
    let setting = Setting::new().await;
    let mount = setting.session.mount(BARCODE).submit().await.expect("accepted");
    let id = mount.id();
    let mut mount = std::pin::pin!(within(mount));
    let cutting = async {
        for count in 1.. {
            setting.proxy.cut(Cut::BeforeCommand(MOVE_MEDIUM));
            setting.proxy.until_count(MOVE_MEDIUM, count).await;
        }
    };
    let error = tokio::select! {
        ended = &mut mount => ended.expect_err("no move ever arrived"),
        () = cutting => unreachable!("it cuts for ever"),
    };
    let RequestError::Failed { failure, .. } = &error else { panic!("{error}") };
    assert_eq!(failure.kind, FailureKind::PathLost, "{error}");
    assert_eq!(failure.place, Some(Place::Element(element(ElementType::Storage, 1000))));
    let text = error.to_string();
    for word in ["the vault", BARCODE, "slot 1000", "check the connection"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let motions = setting.motions(&[id]).await;
    assert!(motions.len() > 1 && motions.iter().all(|state| *state == MotionState::NotMoved), "{motions:?}");
    assert_eq!(setting.place().await, element(ElementType::Storage, 1000));

    // The library serves on.
    let again = within(setting.session.mount(BARCODE)).await;
    again.expect("nobody cuts any more");
    setting.end().await;
}

#[tokio::test]
async fn an_unload_whose_answer_was_lost_is_no_obstacle_to_the_dismount() {
    let setting = Setting::new().await;
    let tape = within(setting.session.mount(BARCODE)).await.expect("mounted");
    setting.proxy.cut(Cut::BeforeAnswer(LOAD_UNLOAD));
    let back = within(tape.dismount()).await.expect("dismounted");
    // The new connection begins with a unit attention: a move that only heard of it did nothing, and says so.
    let motions = setting.motions(&[tape.id(), back.id]).await;
    let moved = motions.iter().filter(|state| **state == MotionState::Moved).count();
    assert_eq!(moved, 2, "{motions:?}");
    assert!(motions.iter().all(|state| matches!(state, MotionState::Moved | MotionState::NotMoved)));
    assert_eq!(setting.place().await, element(ElementType::Storage, 1000));
    setting.end().await;
}

#[tokio::test]
async fn a_connection_that_is_lost_while_nothing_moves_is_made_anew() {
    let setting = Setting::new().await;
    let before = setting.proxy.connections();
    setting.proxy.cut_now();
    let tape = within(setting.session.mount(BARCODE)).await.expect("mounted");
    assert_eq!(setting.proxy.connections(), before + 1);
    within(tape.dismount()).await.expect("dismounted");
    setting.end().await;
}

#[tokio::test]
async fn an_inventory_whose_connection_is_lost_is_read_again() {
    let setting = Setting::new().await;
    setting.proxy.cut(Cut::BeforeAnswer(READ_ELEMENT_STATUS));
    let inventory = within(setting.session.inventory()).await.expect("reading again does no harm");
    assert_eq!((inventory.cartridges, inventory.appeared, inventory.missing), (4, 0, 0));
    setting.end().await;
}

#[tokio::test]
async fn a_mount_that_is_in_doubt_can_be_stopped_and_is_stopped_where_it_is() {
    let setting = Setting::new().await;
    let mut events = setting.session.events();
    setting.proxy.cut(Cut::BeforeCommand(MOVE_MEDIUM));
    let mount = setting.session.mount(BARCODE).submit().await.expect("accepted");
    let id = mount.id();
    in_doubt(&mut events, id).await;
    let answer = within(setting.session.cancel_library_request(id)).await;
    let Ok(Cancellation::Stopping(verdict)) = answer else { panic!("{answer:?}") };
    within(verdict).await.expect("a verdict");
    let error = within(mount).await.expect_err("it was stopped");
    let slot = Place::Element(element(ElementType::Storage, 1000));
    assert!(matches!(&error, RequestError::Stopped { place, .. } if *place == Some(slot)), "{error}");
    assert_eq!(setting.motions(&[id]).await, [MotionState::NotMoved], "no second one for a stopped request");
    setting.end().await;
}

#[tokio::test]
async fn a_target_that_dies_in_the_middle_of_a_move_leaves_it_open() {
    let setting = Setting::new().await;
    let mut events = setting.session.events();
    setting.proxy.hold(Holding::Commands);
    let mount = setting.session.mount(BARCODE).submit().await.expect("accepted");
    setting.proxy.until_count(MOVE_MEDIUM, 1).await;
    setting.bed.kill();
    in_doubt(&mut events, mount.id()).await;
    // Well over the motion time-out, which alone proves nothing: only a look would, and nobody can look.
    tokio::time::sleep(2 * MOTION).await;
    assert_eq!(mount.state(), State::InProcess, "what became of the move is not known");
    assert_eq!(setting.motions(&[mount.id()]).await, [MotionState::Open]);
    // The end of the manager waits for no target; the ticket says what can be said.
    let id = mount.id();
    setting.end().await;
    assert_eq!(within(mount).await.expect_err("not known"), RequestError::ManagerClosed { id });
}

#[tokio::test]
async fn a_target_that_dies_in_the_middle_of_a_move_is_not_present() {
    let setting = Setting::new().await;
    let mut events = setting.session.events();
    setting.proxy.hold(Holding::Commands);
    let mount = setting.session.mount(BARCODE).submit().await.expect("accepted");
    setting.proxy.until_count(MOVE_MEDIUM, 1).await;
    setting.bed.kill();
    in_doubt(&mut events, mount.id()).await;
    becomes(&setting.manager, is_gone).await;
    let error =
        within(setting.manager.ready_within(Duration::from_millis(50))).await.expect_err("it is dead");
    let ReadyError::NotPresent { fault, .. } = &error else { panic!("{error}") };
    assert!(matches!(fault.kind, PathFaultKind::ConnectionLost | PathFaultKind::Unreachable), "{error}");
    assert!(error.to_string().contains("the vault"), "{error}");
    let refused = within(setting.session.mount("VT0002L3").submit()).await.expect_err("the library is gone");
    assert!(matches!(refused, SubmitError::Refused(Refusal::NotReady { .. })), "{refused}");
    setting.end().await;
}

#[tokio::test]
async fn a_mount_waits_out_a_target_that_is_gone_for_a_while() {
    let setting = Setting::new().await;
    let mut events = setting.session.events();
    setting.proxy.hold(Holding::Commands);
    let mount = setting.session.mount(BARCODE).submit().await.expect("accepted");
    setting.proxy.until_count(MOVE_MEDIUM, 1).await;
    // The target has carried it out; its answer, and those to the first looks, never arrive.
    for _ in 0..3 {
        setting.proxy.cut_now();
        in_doubt_or_lost(&mut events).await;
    }
    setting.proxy.hold(Holding::Nothing);
    until(&mount, |state| state.is_final()).await;
    let id = mount.id();
    within(mount).await.expect("the cartridge is seen in the drive");
    assert_eq!(setting.motions(&[id]).await, [MotionState::Moved]);
    setting.end().await;
}

/// Waits for the news of a cut, as far as there is any: a cut of a connection that carries nothing makes none.
async fn in_doubt_or_lost(events: &mut EventStream) {
    let news =
        event(events, |kind| matches!(kind, EventKind::MotionInDoubt { .. } | EventKind::Library { .. }));
    let _ = tokio::time::timeout(Duration::from_millis(100), news).await;
}
