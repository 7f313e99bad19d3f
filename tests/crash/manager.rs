//! The whole of it: a manager on a simulated library, the power cut at each sync of its store, and the next manager on what
//! the disk holds. What the first one had told somebody is still so, and each cartridge is where the catalogue says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use autochanger::catalog::MotionState;
use autochanger::clock::ManualClock;
use autochanger::store::RedbStore;
use autochanger::transport::sim::SimulatedLibrary;
use autochanger::{
    Cancellation, HistoryFilter, Manager, Place, RequestId, RestartPolicy, Role, Session, State, Ticket,
    TicketOutcome, Waiting,
};

use crate::common::{self, MOVE_MEDIUM, within};
use crate::disk::TestDisk;
use crate::power::{Power, Unsynced};
use crate::recorded::new_store;

/// A story of this length syncs far less often; more would be a circle.
const MAX_SYNCS: usize = 400;

/// What the callers of the first manager were told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Promises>>);

#[derive(Clone, Default)]
struct Promises {
    accepted: Vec<RequestId>,
    ended: Vec<(RequestId, State)>,
    cancelled: Vec<RequestId>,
}

impl Told {
    fn note(&self, note: impl FnOnce(&mut Promises)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn promises(&self) -> Promises {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn accepted<T: TicketOutcome>(&self, ticket: Ticket<T>) -> Ticket<T> {
        self.note(|promises| promises.accepted.push(ticket.id()));
        ticket
    }

    async fn ended<T: TicketOutcome>(&self, mut ticket: Ticket<T>) {
        let _ = ticket.wait().await;
        let state = ticket.state();
        if state.is_final() {
            self.note(|promises| promises.ended.push((ticket.id(), state)));
        }
    }
}

/// Mounts, a wait for a drive, a cancel, a dismount, an inventory: each kind of transaction that there is.
async fn story(session: Session, told: Told) -> Option<()> {
    let first = told.accepted(session.mount("VT0001L8").drive(500).submit().await.ok()?);
    let second = told.accepted(session.mount("VT0002L8").drive(501).submit().await.ok()?);
    told.ended(first).await;
    let waiting = told.accepted(session.mount("VT0003L8").submit().await.ok()?);
    let cancelled = session.cancel_library_request(waiting.id()).await.ok()?;
    if let Cancellation::Cancelled = cancelled {
        told.note(|promises| promises.cancelled.push(waiting.id()));
    }
    told.ended(second).await;
    told.ended(waiting).await;
    let inventory = told.accepted(session.inventory().submit().await.ok()?);
    let back = told.accepted(session.dismount("VT0001L8").submit().await.ok()?);
    told.ended(inventory).await;
    told.ended(back).await;
    let third = told.accepted(session.mount("VT0004L8").submit().await.ok()?);
    told.ended(third).await;
    Some(())
}

struct World {
    library: SimulatedLibrary,
    clock: ManualClock,
}

impl World {
    async fn start(&self, disk: &TestDisk, policy: RestartPolicy) -> (Manager, Session) {
        let store = RedbStore::open_disk(disk.clone()).expect("what the disk holds opens");
        let manager =
            common::builder(&self.library).store_with(store).clock(self.clock.clone()).restart(policy);
        let manager = manager.open().await.expect("the manager opens");
        let session = manager.session("backup").role(Role::Administrator).open().expect("a session opens");
        (manager, session)
    }

    /// Tells the story until the power is cut, and finds out what is left of it. Whether it was cut at all.
    async fn cut_at(&self, first: &[u8], sync: usize, how: Unsynced, policy: RestartPolicy) -> bool {
        let disk = TestDisk::new(first.to_vec());
        let (manager, session) = self.start(&disk, RestartPolicy::Resume).await;
        disk.stand_still_after(sync);
        let told = Told::default();
        let life = async {
            within(manager.ready()).await.expect("the library is ready");
            story(session, told.clone()).await.expect("nothing is refused");
        };
        let was_cut = within(async {
            tokio::select! {
                () = disk.stands_still() => true,
                () = life => false,
            }
        })
        .await;
        let promises = told.promises();
        disk.cut();
        within(manager.shutdown()).await;

        let mut power = Power::on(first);
        disk.log().iter().for_each(|op| power.pass(op));
        self.assert_kept(power.cut(how), &promises, policy).await;
        was_cut
    }

    async fn assert_kept(&self, left: Vec<u8>, promises: &Promises, policy: RestartPolicy) {
        let (manager, session) = self.start(&TestDisk::new(left), policy).await;
        within(manager.ready()).await.expect("the library is ready");
        self.calm(&session).await;

        let all = HistoryFilter { limit: HistoryFilter::MAX_LIMIT, ..HistoryFilter::default() };
        let requests = session.requests(all).await.expect("the store answers");
        let state = |id: &RequestId| requests.iter().find(|one| one.id == *id).map(|one| one.state.clone());
        for id in &promises.accepted {
            assert!(state(id).is_some(), "request {id} was accepted");
        }
        for (id, end) in &promises.ended {
            assert_eq!(state(id).as_ref(), Some(end), "request {id} had ended");
        }
        for id in &promises.cancelled {
            assert!(matches!(state(id), Some(State::Cancelled { .. })), "request {id} was cancelled");
            assert_eq!(session.motions(*id).await.expect("the store answers"), [], "nothing moved for {id}");
        }

        let mut intents = BTreeMap::new();
        for request in &requests {
            for motion in session.motions(request.id).await.expect("the store answers") {
                assert_ne!(motion.state, MotionState::Open, "all is calm");
                *intents.entry((motion.source.address.0, motion.destination.address.0)).or_insert(0) += 1;
            }
        }
        for (motion, sent) in self.moves() {
            let intended = intents.get(&motion).copied().unwrap_or(0);
            assert!(sent <= intended, "{motion:?} was sent {sent} times and intended {intended} times");
        }

        for cartridge in session.cartridges(None).await.expect("the engine answers") {
            let barcode = cartridge.barcode.expect("all have one");
            let Place::Element(place) = cartridge.place else {
                panic!("{barcode} is in {}", cartridge.place)
            };
            assert_eq!(self.library.find(&barcode), Some(place.address), "{barcode}");
        }
        within(manager.shutdown()).await;
    }

    /// How often each MOVE MEDIUM was sent: source and destination as the command has them (SMC-3 clause 6.6).
    fn moves(&self) -> BTreeMap<(u16, u16), usize> {
        let mut moves = BTreeMap::new();
        for entry in self.library.log().iter().filter(|entry| entry.opcode() == Some(MOVE_MEDIUM)) {
            let address = |at: usize| u16::from_be_bytes([entry.cdb()[at], entry.cdb()[at + 1]]);
            *moves.entry((address(4), address(6))).or_insert(0) += 1;
        }
        moves
    }

    /// Until nothing is live: time passes, and whoever waits for somebody is cancelled.
    async fn calm(&self, session: &Session) {
        within(async {
            loop {
                let live = session.live_requests().await.expect("the engine answers");
                if live.is_empty() {
                    return;
                }
                for request in live {
                    if let State::Waiting(Waiting::Owner | Waiting::Drive) = request.state {
                        let _ = session.cancel_library_request(request.id).await;
                    }
                }
                self.clock.advance(Duration::from_secs(60));
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn wherever_the_power_is_cut_the_next_manager_keeps_what_the_first_one_promised() {
    let first = new_store();
    for sync in 0..MAX_SYNCS {
        let ways = [
            (Unsynced::Lost, RestartPolicy::Resume),
            (Unsynced::Mixed(sync as u64), RestartPolicy::CancelUnfinished),
        ];
        let mut was_cut = false;
        for (how, policy) in ways {
            let world = World { library: common::library(), clock: ManualClock::new() };
            was_cut |= world.cut_at(&first, sync, how, policy).await;
        }
        if !was_cut {
            assert!(sync > 20, "the story has more transactions than were seen: {sync} syncs");
            return;
        }
    }
    panic!("the story does not end");
}

/// The test above can fail: a disk on which nothing stayed.
#[tokio::test]
#[should_panic(expected = "was accepted")]
async fn a_disk_that_kept_nothing_is_found_out() {
    let first = new_store();
    let world = World { library: common::library(), clock: ManualClock::new() };
    let (manager, session) = world.start(&TestDisk::new(first.clone()), RestartPolicy::Resume).await;
    within(manager.ready()).await.expect("the library is ready");
    let told = Told::default();
    within(story(session, told.clone())).await.expect("nothing is refused");
    within(manager.shutdown()).await;
    world.assert_kept(first, &told.promises(), RestartPolicy::Resume).await;
}
