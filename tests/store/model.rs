//! Random changes: the file must hold what the maps in memory hold, also when the process ends at any moment.

use std::fs;

use autochanger::clock::WallTime;
use autochanger::store::{FaultFilter, HistoryFilter, MemoryStore, Purge, RedbStore, Store, Sweep};
use autochanger_engine::Change;
use autochanger_engine::catalog::{MotionState, Service};
use autochanger_engine::request::{Operation, Place, Request};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::samples::*;
use crate::temp::TempDir;

/// Few ids, so that the changes meet.
const IDS: u64 = 6;

/// When requests end. One does not say it, as a file of another program might not.
const ENDS: [Option<WallTime>; 4] = [Some(WallTime(10)), Some(WallTime(20)), Some(WallTime(30)), None];

fn change() -> impl Strategy<Value = Change> {
    let id = || 0..IDS;
    let state = prop::sample::select(states());
    let motion_state = prop::sample::select(vec![
        MotionState::Open,
        MotionState::Moved,
        MotionState::NotMoved,
        MotionState::NotSent,
        MotionState::Unknown,
        MotionState::InArm,
    ]);
    prop_oneof![
        id().prop_map(|n| Change::Library(library(n))),
        (id(), any::<u16>()).prop_map(|(n, at)| Change::Cartridge(cartridge(n, Place::Element(slot(at))))),
        (id(), state, 0..3, 0..ENDS.len()).prop_map(|(n, state, operation, end)| {
            let request = match operation {
                0 => mount_request(n, state),
                1 => dismount_request(n, state),
                _ => inventory_request(n, state),
            };
            Change::Request(Request { ended_at: request.ended_at.and(ENDS[end]), ..request })
        }),
        (id(), 1..4_u32, motion_state)
            .prop_map(|(n, sequence, state)| Change::Motion(motion(n, sequence, state))),
        id().prop_map(|n| Change::Mount(mount(n))),
        id().prop_map(|n| Change::MountEnded(request_id(n))),
        (id(), 500..503_u16, prop::sample::select(vec![Service::Enabled, Service::Paused]))
            .prop_map(|(n, element, service)| Change::Drive(drive_record(n, element, service))),
        (id(), 1..4_u32, 0..9_u64)
            .prop_map(|(n, sequence, number)| Change::Fault(fault(n, sequence, number))),
        id().prop_map(|n| Change::Cartridge(cleaning_cartridge(n))),
        id().prop_map(|n| Change::CartridgeGone(cartridge_id(n))),
    ]
}

fn filter() -> impl Strategy<Value = HistoryFilter> {
    let operations =
        vec![None, Some(Operation::Mount), Some(Operation::Dismount), Some(Operation::Inventory)];
    let applications = vec![None, Some("archive".into()), Some("nightly-backup".into())];
    (
        0..8_usize,
        prop::sample::select(applications),
        prop::sample::select(operations),
        prop::option::of(0..IDS),
    )
        .prop_map(|(limit, application, operation, before)| HistoryFilter {
            limit,
            application,
            operation,
            before: before.map(request_id),
        })
}

fn purge() -> impl Strategy<Value = Purge> {
    let id = || (0..IDS).prop_map(request_id);
    prop_oneof![
        (0..50_u64).prop_map(|at| Purge::EndedBefore(WallTime(at))),
        (0..IDS).prop_map(Purge::KeepNewest),
        vec(id(), 0..3).prop_map(Purge::Requests),
        (0..50_u64, any::<bool>(), prop::option::of((0..50_u64, id())), 0..4_usize).prop_map(
            |(before, keep_failed, after, at_most)| {
                let mut sweep = Sweep::before(WallTime(before));
                (sweep.keep_failed, sweep.at_most) = (keep_failed, at_most);
                sweep.after = after.map(|(at, id)| (WallTime(at), id));
                Purge::Sweep(sweep)
            }
        ),
    ]
}

fn fault_filters() -> impl Iterator<Item = FaultFilter> {
    let of_requests = (0..IDS).map(|n| FaultFilter::from(request_id(n)));
    let narrow = FaultFilter { drive: Some(500.into()), limit: 2, ..FaultFilter::from(library_id(1)) };
    of_requests.chain([FaultFilter::default(), cartridge_id(1).into(), narrow])
}

/// What happens after a batch.
#[derive(Debug, Clone)]
enum Then {
    GoOn,
    Purge(Purge),
    Reopen,
    /// The process is killed: what the file holds at this moment is all that is left.
    Kill,
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![Just(Then::GoOn), Just(Then::Reopen), Just(Then::Kill), purge().prop_map(Then::Purge),]
}

fn assert_same(memory: &mut MemoryStore, file: &mut RedbStore, filter: &HistoryFilter) {
    let (expected, found) = (memory.load().unwrap(), file.load().unwrap());
    assert_eq!(found.libraries, expected.libraries);
    assert_eq!(found.cartridges, expected.cartridges);
    assert_eq!(found.requests, expected.requests);
    assert_eq!(found.motions, expected.motions);
    assert_eq!(found.mounts, expected.mounts);
    assert_eq!(found.drives, expected.drives);
    for faults in fault_filters() {
        assert_eq!(file.faults(&faults).unwrap(), memory.faults(&faults).unwrap(), "{faults:?}");
    }
    assert_eq!(file.history(filter).unwrap(), memory.history(filter).unwrap());
    for id in (0..IDS).map(request_id) {
        assert_eq!(file.request(id).unwrap(), memory.request(id).unwrap());
        assert_eq!(file.motions(id).unwrap(), memory.motions(id).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_file_holds_what_memory_holds_across_closes_and_kills(
        batches in vec((vec(change(), 0..6), then()), 1..12),
        filter in filter(),
    ) {
        let directory = TempDir::new();
        let mut path = directory.file("store-0");
        let mut memory = MemoryStore::new();
        let mut file = RedbStore::open(&path).unwrap();
        for (number, (batch, then)) in batches.into_iter().enumerate() {
            prop_assert_eq!(memory.commit(&batch).is_ok(), file.commit(&batch).is_ok());
            match then {
                Then::GoOn => {}
                Then::Purge(purge) => {
                    prop_assert_eq!(memory.purge(&purge).unwrap(), file.purge(&purge).unwrap());
                }
                Then::Reopen => {
                    drop(file);
                    file = RedbStore::open(&path).unwrap();
                }
                Then::Kill => {
                    let left = directory.file(&format!("store-{}", number + 1));
                    fs::copy(&path, &left).unwrap();
                    path = left;
                    file = RedbStore::open(&path).unwrap();
                }
            }
            assert_same(&mut memory, &mut file, &filter);
        }
    }
}
