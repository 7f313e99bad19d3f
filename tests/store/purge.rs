//! Ended requests are deleted, and nothing else; what it costs, and what becomes of the room.

pub(crate) mod bodies {
    use autochanger::clock::WallTime;
    use autochanger::store::{HistoryFilter, Purge, Purged, Store};
    use autochanger_engine::Change;
    use autochanger_engine::catalog::MotionState;
    use autochanger_engine::request::{Request, State};

    use crate::samples::*;

    /// A request that ended at this minute, with a motion.
    fn ended(number: u64, minute: u64) -> [Change; 2] {
        let request = Request { ended_at: Some(WallTime(minute)), ..mount_request(number, mounted()) };
        [Change::Motion(motion(number, 1, MotionState::Moved)), Change::Request(request)]
    }

    fn left(store: &mut dyn Store) -> Vec<u64> {
        let all = HistoryFilter { limit: HistoryFilter::MAX_LIMIT, ..HistoryFilter::default() };
        let found = store.history(&all).unwrap();
        let number = |request: &Request| (0..100).find(|n| request_id(*n) == request.id).unwrap();
        found.iter().rev().map(number).collect()
    }

    fn report(deleted: usize, kept: usize, unknown: usize) -> Purged {
        let mut purged = Purged::default();
        (purged.deleted, purged.kept, purged.unknown) = (deleted, kept, unknown);
        purged
    }

    pub(crate) fn what_ended_before_a_moment_is_deleted_with_its_motions(store: &mut dyn Store) {
        // Not in the order of their ids: a long one ends after a short one that came later.
        for (number, minute) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
            store.commit(&ended(number, minute)).unwrap();
        }
        store.commit(&[Change::Request(mount_request(5, State::Queued))]).unwrap();
        assert_eq!(store.purge(&Purge::EndedBefore(WallTime(30))).unwrap(), report(2, 0, 0));
        assert_eq!(left(store), [1, 4, 5]);
        for (number, motions) in [(1, 1), (2, 0), (3, 0), (4, 1)] {
            assert_eq!(store.motions(request_id(number)).unwrap().len(), motions, "of {number}");
        }
        assert_eq!(store.request(request_id(2)).unwrap(), None);
        assert_eq!(store.purge(&Purge::EndedBefore(WallTime(30))).unwrap(), report(0, 0, 0));
        assert_eq!(store.purge(&Purge::EndedBefore(WallTime(u64::MAX))).unwrap(), report(2, 0, 0));
        assert_eq!(left(store), [5]);
    }

    pub(crate) fn all_but_those_that_ended_last_are_deleted(store: &mut dyn Store) {
        for (number, minute) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
            store.commit(&ended(number, minute)).unwrap();
        }
        assert_eq!(store.purge(&Purge::KeepNewest(4)).unwrap(), report(0, 0, 0));
        assert_eq!(store.purge(&Purge::KeepNewest(2)).unwrap(), report(2, 0, 0));
        assert_eq!(left(store), [1, 4]);
        assert_eq!(store.purge(&Purge::KeepNewest(0)).unwrap(), report(2, 0, 0));
        assert_eq!(left(store), [0; 0]);
    }

    pub(crate) fn single_requests_are_deleted_by_their_ids(store: &mut dyn Store) {
        store.commit(&ended(1, 10)).unwrap();
        store.commit(&ended(2, 10)).unwrap();
        store.commit(&[Change::Request(mount_request(3, State::InProcess))]).unwrap();
        let these = Purge::Requests([1, 3, 99].map(request_id).to_vec());
        assert_eq!(store.purge(&these).unwrap(), report(1, 1, 1));
        assert_eq!(left(store), [2, 3]);
        assert_eq!(store.purge(&these).unwrap(), report(0, 1, 2));
        assert_eq!(store.load().unwrap().requests, [mount_request(3, State::InProcess)]);
    }

    pub(crate) fn what_is_mounted_or_in_doubt_is_not_deleted_until_it_is_neither(store: &mut dyn Store) {
        let all = Purge::EndedBefore(WallTime(u64::MAX));
        for number in 1..=3 {
            store.commit(&ended(number, number)).unwrap();
        }
        let doubtful = Change::Motion(motion(2, 2, MotionState::Open));
        store.commit(&[Change::Mount(mount(1)), doubtful]).unwrap();
        assert_eq!(store.purge(&all).unwrap(), report(1, 2, 0));
        assert_eq!(store.purge(&Purge::KeepNewest(0)).unwrap(), report(0, 2, 0));
        assert_eq!(store.purge(&Purge::Requests([1, 2].map(request_id).to_vec())).unwrap(), report(0, 2, 0));
        assert_eq!(left(store), [1, 2]);
        assert_eq!(store.motions(request_id(2)).unwrap().len(), 2);

        let known = Change::Motion(motion(2, 2, MotionState::Unknown));
        store.commit(&[Change::MountEnded(request_id(1)), known]).unwrap();
        assert_eq!(store.purge(&all).unwrap(), report(2, 0, 0));
        assert_eq!(left(store), [0; 0]);
    }

    pub(crate) fn a_request_that_was_purged_can_be_kept_anew(store: &mut dyn Store) {
        store.commit(&ended(1, 10)).unwrap();
        store.purge(&Purge::KeepNewest(0)).unwrap();
        store.commit(&[Change::Request(mount_request(1, State::Queued))]).unwrap();
        assert_eq!(store.load().unwrap().requests, [mount_request(1, State::Queued)]);
        assert_eq!(store.purge(&Purge::KeepNewest(0)).unwrap(), report(0, 0, 0));
    }

    pub(crate) fn an_end_that_is_written_again_with_another_time_counts_once(store: &mut dyn Store) {
        store.commit(&ended(1, 10)).unwrap();
        store.commit(&ended(1, 50)).unwrap();
        store.commit(&ended(2, 20)).unwrap();
        assert_eq!(store.purge(&Purge::EndedBefore(WallTime(30))).unwrap(), report(1, 0, 0));
        assert_eq!(left(store), [1]);
        assert_eq!(store.purge(&Purge::KeepNewest(0)).unwrap(), report(1, 0, 0));
    }

    pub(crate) fn one_purge_is_bounded_and_says_that_there_is_more(store: &mut dyn Store) {
        let many = Purge::MAX as u64 + 3;
        let changes: Vec<Change> = (0..many).flat_map(|number| ended(number, number)).collect();
        store.commit(&changes).unwrap();
        let first = store.purge(&Purge::KeepNewest(1)).unwrap();
        assert_eq!((first.deleted, first.more), (Purge::MAX, true));
        let second = store.purge(&Purge::KeepNewest(1)).unwrap();
        assert_eq!((second.deleted, second.more), (2, false));
        assert_eq!(store.history(&HistoryFilter::default()).unwrap().len(), 1);

        let ids: Vec<_> = (0..many).map(request_id).collect();
        let third = store.purge(&Purge::Requests(ids)).unwrap();
        assert_eq!((third.deleted, third.unknown, third.more), (0, Purge::MAX, true));
    }
}

#[cfg(feature = "redb")]
mod in_the_file {
    use std::path::PathBuf;

    use autochanger::store::{Disk, Purge, RedbStore, Store};
    use autochanger_engine::Change;
    use autochanger_engine::catalog::MotionState;
    use autochanger_engine::request::State;

    use crate::disk::TestDisk;
    use crate::samples::*;
    use crate::temp::TempDir;

    /// Requests that ended, with a motion each.
    fn ended(numbers: std::ops::Range<u64>) -> Vec<Change> {
        let changes = numbers.flat_map(|number| {
            let moved = Change::Motion(motion(number, 1, MotionState::Moved));
            [moved, Change::Request(mount_request(number, mounted()))]
        });
        changes.collect()
    }

    /// A store with so many requests that ended, and one that has not.
    fn with_a_past_of(requests: u64) -> (TempDir, PathBuf) {
        let directory = TempDir::new();
        let path = directory.file("store");
        let mut store = RedbStore::open(&path).unwrap();
        for first in (0..requests).step_by(1000) {
            store.commit(&ended(first..requests.min(first + 1000))).unwrap();
        }
        let live = Change::Request(mount_request(requests, State::InProcess));
        store.commit(&[live, Change::Motion(motion(requests, 1, MotionState::Open))]).unwrap();
        (directory, path)
    }

    #[test]
    fn neither_a_start_nor_a_purge_reads_any_request_that_has_ended() {
        const PAST: u64 = 300;
        let (_directory, path) = with_a_past_of(PAST);
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut requests =
            transaction.open_table(redb::TableDefinition::<u128, &[u8]>::new("requests")).unwrap();
        for number in 0..PAST {
            requests.insert(request_id(number).0.as_u128(), &b"nobody can read this"[..]).unwrap();
        }
        drop(requests);
        transaction.commit().unwrap();
        drop(database);

        let mut store = RedbStore::open(&path).unwrap();
        assert_eq!(store.load().unwrap().requests, [mount_request(PAST, State::InProcess)]);
        assert_eq!(store.purge(&Purge::KeepNewest(10)).unwrap().deleted, PAST as usize - 10);
        assert_eq!(store.request(request_id(0)).unwrap(), None);
        store.request(request_id(PAST - 1)).unwrap_err();
    }

    #[test]
    fn purging_ten_requests_writes_hardly_more_when_twenty_times_as_many_have_ended() {
        let written = |past: u64| {
            let (_directory, path) = with_a_past_of(past);
            let disk = TestDisk::new(std::fs::read(path).unwrap());
            let mut store = RedbStore::open_disk(disk.clone()).unwrap();
            let before = disk.bytes_written();
            assert_eq!(store.purge(&Purge::KeepNewest(past - 10)).unwrap().deleted, 10);
            disk.bytes_written() - before
        };
        let (short, long) = (written(200), written(4000));
        // The trees may be a level deeper, and more pages are free or not.
        assert!(long < 2 * short, "{short} bytes with a short past, {long} with a long one");
    }

    #[test]
    fn the_room_of_what_was_purged_is_used_again() {
        const CYCLES: u64 = 12;
        const EACH: u64 = 400;
        let (_directory, path) = with_a_past_of(0);
        let disk = TestDisk::new(std::fs::read(path).unwrap());
        let mut store = RedbStore::open_disk(disk.clone()).unwrap();
        let mut lengths = Vec::new();
        for cycle in 1..=CYCLES {
            let first = cycle * EACH;
            // One by one and in a group, as they come.
            for number in first..first + 20 {
                store.commit(&ended(number..number + 1)).unwrap();
            }
            store.commit(&ended(first + 20..first + EACH)).unwrap();
            while store.purge(&Purge::KeepNewest(EACH / 2)).unwrap().more {}
            lengths.push(disk.length().unwrap());
        }
        let (third, last) = (lengths[2], lengths[lengths.len() - 1]);
        assert!(last <= third, "it has grown from cycle to cycle: {lengths:?}");
        assert_eq!(store.load().unwrap().requests.len(), 1);
    }
}
