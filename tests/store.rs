//! Both stores against the same bodies, and what is the file's own: crashes, damage, other releases.

#[path = "store/purge.rs"]
mod purge;
#[path = "store/samples.rs"]
mod samples;

mod bodies {
    use autochanger::store::{FaultFilter, HistoryFilter, MemoryStore, Purge, Store, StoreError};
    use autochanger_engine::Change;
    use autochanger_engine::catalog::{MotionState, Service};
    use autochanger_engine::request::{Operation, Place, Request, State};

    pub(crate) use crate::purge::bodies::*;
    use crate::samples::*;

    pub(crate) fn what_is_live_is_loaded_and_what_ended_is_found_by_its_id(store: &mut dyn Store) {
        let states = states();
        let requests: Vec<Request> =
            states.iter().enumerate().map(|(n, state)| mount_request(n as u64, state.clone())).collect();
        let changes: Vec<Change> = requests.iter().cloned().map(Change::Request).collect();
        store.commit(&changes).unwrap();

        let live: Vec<_> = requests.iter().filter(|request| !request.state.is_final()).cloned().collect();
        assert_eq!(store.load().unwrap().requests, live);
        for request in requests {
            assert_eq!(store.request(request.id).unwrap(), Some(request));
        }
        assert_eq!(store.request(request_id(4711)).unwrap(), None);
    }

    pub(crate) fn the_catalogue_is_loaded_as_it_was_kept(store: &mut dyn Store) {
        let places = [
            Place::Element(slot(1001)),
            Place::Unknown { one_of: vec![slot(1001), drive(500)] },
            Place::Missing { last: drive(500) },
        ];
        let cartridges: Vec<_> =
            places.into_iter().enumerate().map(|(n, place)| cartridge(n as u64, place)).collect();
        let mut changes: Vec<Change> = cartridges.iter().cloned().map(Change::Cartridge).collect();
        changes.extend([Change::Library(library(1)), Change::Library(library(2)), Change::Mount(mount(3))]);
        store.commit(&changes).unwrap();

        let snapshot = store.load().unwrap();
        assert_eq!(snapshot.cartridges, cartridges);
        assert_eq!(snapshot.libraries, [library(1), library(2)]);
        assert_eq!(snapshot.mounts, [mount(3)]);
    }

    pub(crate) fn a_later_change_replaces_an_earlier_one_of_the_same_batch(store: &mut dyn Store) {
        let moved = cartridge(1, Place::Element(drive(500)));
        let batch = [
            Change::Cartridge(cartridge(1, Place::Element(slot(1001)))),
            Change::Request(mount_request(1, State::Queued)),
            Change::Cartridge(moved.clone()),
            Change::Request(mount_request(1, mounted())),
        ];
        store.commit(&batch).unwrap();
        assert_eq!(store.load().unwrap().cartridges, [moved]);
        assert_eq!(store.load().unwrap().requests, []);
        assert_eq!(store.request(request_id(1)).unwrap(), Some(mount_request(1, mounted())));
    }

    pub(crate) fn a_mount_that_ended_is_not_loaded(store: &mut dyn Store) {
        store.commit(&[Change::Mount(mount(1)), Change::Mount(mount(2))]).unwrap();
        store.commit(&[Change::MountEnded(request_id(1)), Change::MountEnded(request_id(77))]).unwrap();
        assert_eq!(store.load().unwrap().mounts, [mount(2)]);
    }

    pub(crate) fn open_motions_are_loaded_and_all_are_listed_in_their_order(store: &mut dyn Store) {
        use MotionState::{Moved, NotMoved, NotSent, Open, Unknown};
        let of_one =
            [motion(1, 1, NotSent), motion(1, 2, NotMoved), motion(1, 300, Open), motion(1, 301, Open)];
        store.commit(&of_one.clone().map(Change::Motion)).unwrap();
        store
            .commit(&[motion(2, 1, Unknown), motion(0, 1, Moved), motion(0, 2, Open)].map(Change::Motion))
            .unwrap();
        store.commit(&[Change::Motion(motion(1, 300, Moved))]).unwrap();

        assert_eq!(store.load().unwrap().motions, [motion(0, 2, Open), motion(1, 301, Open)]);
        let [first, second, _, last] = of_one;
        assert_eq!(store.motions(request_id(1)).unwrap(), [first, second, motion(1, 300, Moved), last]);
        assert_eq!(store.motions(request_id(3)).unwrap(), []);
    }

    pub(crate) fn a_final_state_never_changes_and_its_batch_is_refused_whole(store: &mut dyn Store) {
        store.commit(&[Change::Request(mount_request(1, mounted()))]).unwrap();
        for state in [State::Queued, State::InProcess, State::Failed(failure())] {
            let batch = [
                Change::Library(library(1)),
                Change::Request(mount_request(1, state)),
                Change::Mount(mount(1)),
            ];
            let error = store.commit(&batch).unwrap_err();
            assert!(matches!(error, StoreError::Ended { id, .. } if id == request_id(1)), "{error}");
        }
        let snapshot = store.load().unwrap();
        assert_eq!((snapshot.libraries, snapshot.mounts, snapshot.requests), (vec![], vec![], vec![]));
        assert_eq!(store.request(request_id(1)).unwrap(), Some(mount_request(1, mounted())));

        // Not even when it ended only a moment ago.
        let batch = [mount_request(2, mounted()), mount_request(2, State::Queued)].map(Change::Request);
        store.commit(&batch).unwrap_err();
        assert_eq!(store.request(request_id(2)).unwrap(), None);
    }

    pub(crate) fn an_ended_request_may_be_written_again_as_it_is(store: &mut dyn Store) {
        let ended = Change::Request(mount_request(1, mounted()));
        store.commit(std::slice::from_ref(&ended)).unwrap();
        store.commit(std::slice::from_ref(&ended)).unwrap();
        assert_eq!(store.history(&HistoryFilter::default()).unwrap(), [mount_request(1, mounted())]);
    }

    pub(crate) fn the_history_is_newest_first_and_filtered(store: &mut dyn Store) {
        let requests = [
            mount_request(1, mounted()),
            dismount_request(2, State::Failed(failure())),
            mount_request(3, State::Queued),
            dismount_request(4, State::InProcess),
            inventory_request(5, State::Queued),
        ];
        store.commit(&requests.clone().map(Change::Request)).unwrap();
        let mut numbers = |filter: HistoryFilter| -> Vec<usize> {
            let found = store.history(&filter).unwrap();
            found.iter().map(|one| 1 + requests.iter().position(|request| request == one).unwrap()).collect()
        };
        let all = HistoryFilter::default();
        assert_eq!(numbers(all.clone()), [5, 4, 3, 2, 1]);
        assert_eq!(numbers(HistoryFilter { limit: 2, ..all.clone() }), [5, 4]);
        assert_eq!(numbers(HistoryFilter { limit: 0, ..all.clone() }), [0; 0]);
        assert_eq!(numbers(HistoryFilter { before: Some(request_id(3)), ..all.clone() }), [2, 1]);
        assert_eq!(numbers(HistoryFilter { application: Some("archive".into()), ..all.clone() }), [4, 2]);
        assert_eq!(numbers(HistoryFilter { application: Some("nobody".into()), ..all.clone() }), [0; 0]);
        assert_eq!(numbers(HistoryFilter { operation: Some(Operation::Mount), ..all.clone() }), [3, 1]);
        let narrow = HistoryFilter {
            limit: 1,
            application: Some("nightly-backup".into()),
            operation: Some(Operation::Mount),
            before: Some(request_id(5)),
        };
        assert_eq!(numbers(narrow), [3]);
    }

    pub(crate) fn one_answer_of_the_history_is_bounded_whatever_is_asked_for(store: &mut dyn Store) {
        let many = HistoryFilter::MAX_LIMIT as u64 + 10;
        let changes: Vec<_> = (0..many).map(|n| Change::Request(mount_request(n, mounted()))).collect();
        store.commit(&changes).unwrap();
        let found = store.history(&HistoryFilter { limit: usize::MAX, ..HistoryFilter::default() }).unwrap();
        assert_eq!(found.len(), HistoryFilter::MAX_LIMIT);
        assert_eq!(found.first().map(|request| request.id), Some(request_id(many - 1)));
    }

    pub(crate) fn drives_are_loaded_as_they_were_kept_last(store: &mut dyn Store) {
        let changes = [
            drive_record(1, 500, Service::Enabled),
            drive_record(2, 500, Service::Disabled),
            drive_record(1, 501, Service::Paused),
            drive_record(1, 500, Service::Draining),
        ];
        store.commit(&changes.map(Change::Drive)).unwrap();
        let expected = [
            drive_record(1, 500, Service::Draining),
            drive_record(1, 501, Service::Paused),
            drive_record(2, 500, Service::Disabled),
        ];
        assert_eq!(store.load().unwrap().drives, expected);
    }

    pub(crate) fn what_a_cartridge_is_and_carries_is_kept(store: &mut dyn Store) {
        store.commit(&[Change::Cartridge(cleaning_cartridge(1))]).unwrap();
        assert_eq!(store.load().unwrap().cartridges, [cleaning_cartridge(1)]);
    }

    pub(crate) fn faults_are_told_the_latest_first_and_filtered(store: &mut dyn Store) {
        // The later request met its first fault before the earlier request met its last.
        let faults = [fault(1, 1, 0), fault(2, 1, 1), fault(1, 2, 2), fault(2, 2, 3)];
        store.commit(&faults.clone().map(Change::Fault)).unwrap();
        let mut numbers = |filter: FaultFilter| -> Vec<usize> {
            let found = store.faults(&filter).unwrap();
            found.iter().map(|one| faults.iter().position(|fault| fault == one).unwrap()).collect()
        };
        let all = FaultFilter::default();
        assert_eq!(numbers(all.clone()), [3, 2, 1, 0]);
        assert_eq!(numbers(FaultFilter { limit: 2, ..all.clone() }), [3, 2]);
        assert_eq!(numbers(request_id(1).into()), [2, 0]);
        assert_eq!(numbers(cartridge_id(0).into()), [3, 0]);
        assert_eq!(numbers(library_id(2).into()), [3, 1]);
        assert_eq!(numbers(FaultFilter { drive: Some(500.into()), ..all.clone() }), [2, 0]);
        let narrow = FaultFilter { limit: 1, drive: Some(501.into()), ..FaultFilter::from(request_id(2)) };
        assert_eq!(numbers(narrow), [3]);
    }

    pub(crate) fn a_purged_request_takes_its_faults_with_it(store: &mut dyn Store) {
        let requests = [mount_request(1, State::Failed(failure())), mount_request(2, mounted())];
        store.commit(&requests.map(Change::Request)).unwrap();
        store.commit(&[fault(1, 1, 0), fault(1, 2, 1), fault(2, 1, 2)].map(Change::Fault)).unwrap();
        store.purge(&Purge::Requests(vec![request_id(1)])).unwrap();
        assert_eq!(store.faults(&FaultFilter::default()).unwrap(), [fault(2, 1, 2)]);
        assert_eq!(store.faults(&request_id(1).into()).unwrap(), []);
    }

    #[test]
    fn memory_forgets_the_requests_that_ended_first() {
        const BEYOND: usize = 3;
        let mut store = MemoryStore::new();
        let all = (MemoryStore::MAX_ENDED + BEYOND) as u64;
        store.commit(&[Change::Request(mount_request(all + 1, State::Queued))]).unwrap();
        for n in 0..all {
            let motion = Change::Motion(motion(n, 1, MotionState::Moved));
            store.commit(&[motion, Change::Request(mount_request(n, mounted()))]).unwrap();
        }
        assert_eq!(store.request(request_id(BEYOND as u64 - 1)).unwrap(), None);
        assert_eq!(store.motions(request_id(BEYOND as u64 - 1)).unwrap(), []);
        assert!(store.request(request_id(BEYOND as u64)).unwrap().is_some());
        assert_eq!(store.motions(request_id(BEYOND as u64)).unwrap().len(), 1);
        assert_eq!(store.load().unwrap().requests, [mount_request(all + 1, State::Queued)]);
    }
}

/// A module for each store, with a test for each body.
macro_rules! on_both {
    ($($body:ident),+ $(,)?) => {
        mod in_memory {
            $(#[test] fn $body() { super::bodies::$body(&mut autochanger::store::MemoryStore::new()); })+
        }
        #[cfg(feature = "redb")]
        mod in_a_file {
            $(#[test] fn $body() {
                let directory = super::temp::TempDir::new();
                super::bodies::$body(&mut autochanger::store::RedbStore::open(directory.file("store")).unwrap());
            })+
        }
    };
}

on_both![
    what_is_live_is_loaded_and_what_ended_is_found_by_its_id,
    the_catalogue_is_loaded_as_it_was_kept,
    a_later_change_replaces_an_earlier_one_of_the_same_batch,
    a_mount_that_ended_is_not_loaded,
    open_motions_are_loaded_and_all_are_listed_in_their_order,
    a_final_state_never_changes_and_its_batch_is_refused_whole,
    an_ended_request_may_be_written_again_as_it_is,
    the_history_is_newest_first_and_filtered,
    one_answer_of_the_history_is_bounded_whatever_is_asked_for,
    what_ended_before_a_moment_is_deleted_with_its_motions,
    all_but_those_that_ended_last_are_deleted,
    single_requests_are_deleted_by_their_ids,
    what_is_mounted_or_in_doubt_is_not_deleted_until_it_is_neither,
    a_request_that_was_purged_can_be_kept_anew,
    an_end_that_is_written_again_with_another_time_counts_once,
    one_purge_is_bounded_and_says_that_there_is_more,
    a_sweep_goes_on_where_it_was_and_looks_at_nothing_twice,
    a_step_of_a_sweep_is_bounded_from_both_sides,
    drives_are_loaded_as_they_were_kept_last,
    what_a_cartridge_is_and_carries_is_kept,
    faults_are_told_the_latest_first_and_filtered,
    a_purged_request_takes_its_faults_with_it,
];

#[cfg(feature = "redb")]
#[path = "crash/disk.rs"]
#[allow(dead_code, reason = "shared with the crash tests: each binary uses a part of it")]
mod disk;

#[cfg(feature = "redb")]
#[path = "crash/power.rs"]
#[allow(dead_code, reason = "shared with the crash tests: each binary uses a part of it")]
mod power;

#[cfg(feature = "redb")]
#[path = "store/temp.rs"]
mod temp;

#[cfg(feature = "redb")]
#[path = "store/model.rs"]
mod model;

#[cfg(feature = "redb")]
#[path = "store/file.rs"]
mod file;

#[cfg(feature = "redb")]
#[path = "store/damage.rs"]
mod damage;
