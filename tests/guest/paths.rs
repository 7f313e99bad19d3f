//! Two ways to one library, one of them at least through a real kernel: a way that goes is left for the other, and what was
//! under way is settled there and not sent again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use autochanger::transport::sg;
use autochanger::transport::sim::{self, Hold, SimulatedLibrary};
use autochanger::view::PathState;
use autochanger::virtual_library::{DEFAULT_NAME, VirtualLibrary};
use autochanger::{LibraryConfig, Manager, Role, Session};

use super::bed::Guest;
use super::inside::{PATIENCE, delete, shell, until};
use super::proxy::Proxy;

const MOVE_MEDIUM: u8 = 0xA5;

const DRIVES: u16 = 2;

const TAPE: &str = "VT0001L8";

/// A library in this process, that the kernel is logged in to twice: straight, and over a cable that can be cut.
struct Bed {
    library: SimulatedLibrary,
    served: VirtualLibrary,
    cable: Option<Proxy>,
    /// The changer's node over the cable.
    over_cable: PathBuf,
    /// The changer's node without it.
    straight: PathBuf,
}

impl Bed {
    /// What it does to the kernel blocks, while the library is served by another thread.
    async fn start() -> Self {
        let portal: SocketAddr =
            std::env::var("PORTAL").expect("the guest has a portal").parse().expect("an address");
        let description = sim::Library::new().drives(DRIVES).cartridges("VT{:04}L8", 1..=4);
        let library = SimulatedLibrary::start(description.serial("TWOWAYS"));
        let served = VirtualLibrary::builder(library.clone()).listen(portal).start().await;
        let served = served.expect("the port is free");
        shell(". /run/host/initiator.sh; fail() { echo \"$*\" >&2; exit 1; }; login");
        let straight = changer_beside(None);
        let cable = Proxy::start(portal.port()).await;
        let node = format!("tool iscsiadm -m node -T {DEFAULT_NAME} -p 127.0.0.1:{}", cable.port());
        shell(&format!(". /run/host/initiator.sh; {node} -o new && {node} --login"));
        let over_cable = changer_beside(Some(&straight));
        Self { library, served, cable: Some(cable), over_cable, straight }
    }

    /// A manager that prefers the cable, and knows another way.
    async fn manager(&self, other: &str) -> (Manager, Session) {
        let config = LibraryConfig::new(format!("sg:{}", self.over_cable.display())).path(other);
        let manager = Manager::builder().library(config).open().await.expect("it opens");
        within(manager.ready()).await.expect("both ways lead there");
        let session = manager.session("guest").role(Role::Administrator).open().expect("a session");
        (manager, session)
    }

    fn straight(&self) -> String {
        format!("sg:{}", self.straight.display())
    }

    fn is_in_a_drive(&self) {
        let place = self.library.find(TAPE).map(|place| place.0);
        assert!(matches!(place, Some(500 | 501)), "{TAPE} is in {place:?}");
    }
}

/// The changer's node, once all that was logged in to is found; the other one where one is known.
fn changer_beside(known: Option<&PathBuf>) -> PathBuf {
    let ways = 1 + usize::from(known.is_some());
    let nodes = |class: &str, prefix: &str| {
        let entries = std::fs::read_dir(format!("/sys/class/{class}")).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)).count()
    };
    until("the kernel's drivers have found changer and drives", || {
        nodes("scsi_generic", "sg") == ways * usize::from(DRIVES + 1)
            && nodes("scsi_changer", "sch") == ways
            && nodes("scsi_tape", "nst") >= ways * usize::from(DRIVES)
    });
    let changers = sg::discover().expect("sysfs is readable").into_iter().map(|changer| changer.unit.node);
    let [changer] = &changers.filter(|node| Some(node) != known).collect::<Vec<_>>()[..] else {
        panic!("one changer by each way")
    };
    changer.clone()
}

async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future.into_future()).await.expect("it comes to an end")
}

async fn other_way_is_used(manager: &Manager) {
    within(async {
        let mut events = manager.events();
        loop {
            let library = manager.libraries().await.expect("it is open").remove(0);
            let states: Vec<_> = library.paths.into_iter().map(|path| path.state).collect();
            if matches!(states[..], [PathState::Lost(_), PathState::Active]) {
                return;
            }
            let _ = events.next().await;
        }
    })
    .await;
}

fn in_guest<F: Future<Output = ()>>(name: &str, test: impl FnOnce() -> F) {
    Guest::new().nothing().run(name, || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(test());
    });
}

#[test]
fn a_changer_that_the_kernel_loses_is_reached_over_its_other_node() {
    in_guest("paths::a_changer_that_the_kernel_loses_is_reached_over_its_other_node", async || {
        let bed = Bed::start().await;
        let (manager, session) = bed.manager(&bed.straight()).await;
        let tape = within(session.mount(TAPE)).await.expect("mounted");
        bed.is_in_a_drive();
        delete(&bed.over_cable);
        within(tape.dismount()).await.expect("dismounted over the other node");
        assert_eq!((bed.library.moves_sent(), bed.library.moves_done()), (2, 2));
        other_way_is_used(&manager).await;
        within(manager.shutdown()).await;
        bed.served.shutdown().await;
    });
}

#[test]
fn a_move_whose_session_dies_in_the_kernel_is_settled_over_the_other_and_not_sent_again() {
    let name = "paths::a_move_whose_session_dies_in_the_kernel_is_settled_over_the_other_and_not_sent_again";
    in_guest(name, async || {
        let mut bed = Bed::start().await;
        let (manager, session) = bed.manager(&bed.straight()).await;
        // The cartridge is in the drive when the cable goes; the answer never comes, and nobody listens there any more.
        let gate = bed.library.hold(Hold::opcode(MOVE_MEDIUM).after_effect());
        let mount = session.mount(TAPE).submit().await.expect("accepted");
        within(gate.reached()).await;
        drop(bed.cable.take());
        let tape = within(mount).await.expect("mounted, as seen over the other session");
        gate.release();
        assert_eq!((bed.library.moves_sent(), bed.library.moves_done()), (1, 1));
        bed.is_in_a_drive();
        other_way_is_used(&manager).await;
        within(tape.dismount()).await.expect("dismounted over the other session");
        assert_eq!((bed.library.moves_sent(), bed.library.moves_done()), (2, 2));
        within(manager.shutdown()).await;
        bed.served.shutdown().await;
    });
}

#[test]
fn a_move_that_a_dying_session_did_not_deliver_is_made_once_over_the_other() {
    let name = "paths::a_move_that_a_dying_session_did_not_deliver_is_made_once_over_the_other";
    in_guest(name, async || {
        let mut bed = Bed::start().await;
        // The kernel cannot tell that it never arrived: it is in doubt until its time is over, and then sent.
        let timing = autochanger::Timing {
            motion: Duration::from_secs(10),
            recommended: false,
            ..autochanger::Timing::default()
        };
        let config = LibraryConfig::new(format!("sg:{}", bed.over_cable.display())).path(bed.straight());
        let builder = Manager::builder().library(config.timing(timing));
        let manager = builder.open().await.expect("it opens");
        within(manager.ready()).await.expect("both ways lead there");
        let session = manager.session("guest").role(Role::Administrator).open().expect("a session");
        bed.cable.as_ref().expect("it is whole").cut(super::proxy::Cut::BeforeCommand(MOVE_MEDIUM));
        let mount = session.mount(TAPE).submit().await.expect("accepted");
        bed.cable.as_ref().expect("it is whole").until_count(MOVE_MEDIUM, 1).await;
        drop(bed.cable.take());
        within(mount).await.expect("mounted over the other session");
        assert_eq!((bed.library.moves_sent(), bed.library.moves_done()), (1, 1));
        bed.is_in_a_drive();
        within(manager.shutdown()).await;
        bed.served.shutdown().await;
    });
}

#[test]
fn a_library_is_reached_through_the_kernel_and_over_iscsi_of_our_own() {
    in_guest("paths::a_library_is_reached_through_the_kernel_and_over_iscsi_of_our_own", async || {
        let bed = Bed::start().await;
        let (manager, session) = bed.manager(&bed.served.url().to_string()).await;
        let tape = within(session.mount(TAPE)).await.expect("mounted through the kernel");
        assert!(tape.os_device().is_some(), "the kernel's drive is known");
        delete(&bed.over_cable);
        within(tape.dismount()).await.expect("dismounted over iSCSI");
        assert_eq!((bed.library.moves_sent(), bed.library.moves_done()), (2, 2));
        other_way_is_used(&manager).await;
        let again = within(session.mount(TAPE)).await.expect("mounted over iSCSI");
        bed.is_in_a_drive();
        within(again.dismount()).await.expect("dismounted");
        within(manager.shutdown()).await;
        bed.served.shutdown().await;
    });
}
