//! Ended requests are deleted, and nothing else; what it costs, and what becomes of the room.

pub(crate) mod bodies {
    use autochanger::clock::WallTime;
    use autochanger::store::{HistoryFilter, Purge, Purged, Store, Sweep};
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

    /// A request of that state that ended at this minute.
    fn ended_as(number: u64, minute: u64, state: State) -> Change {
        Change::Request(Request { ended_at: Some(WallTime(minute)), ..mount_request(number, state) })
    }

    fn sweep(before: u64, keep_failed: bool, at_most: usize) -> Sweep {
        let mut sweep = Sweep::before(WallTime(before));
        (sweep.keep_failed, sweep.at_most) = (keep_failed, at_most);
        sweep
    }

    pub(crate) fn a_sweep_goes_on_where_it_was_and_looks_at_nothing_twice(store: &mut dyn Store) {
        // The even ones failed, and two of them at one moment; 7 is mounted, 9 is too young.
        for (number, minute) in
            [(0, 10), (1, 11), (2, 12), (4, 12), (3, 13), (5, 14), (6, 15), (7, 16), (9, 30)]
        {
            let state = if number % 2 == 0 { State::Failed(failure()) } else { mounted() };
            store.commit(&[ended_as(number, minute, state)]).unwrap();
        }
        store.commit(&[Change::Mount(mount(7)), Change::Request(mount_request(8, State::Queued))]).unwrap();

        let mut step = sweep(30, true, 3);
        let mut seen = Vec::new();
        loop {
            let purged = store.purge(&Purge::Sweep(step.clone())).unwrap();
            seen.push((purged.deleted, purged.kept, purged.more));
            assert!(purged.reached > step.after, "it has come further");
            step.after = purged.reached;
            if !purged.more {
                break;
            }
        }
        assert_eq!(seen, [(1, 2, true), (2, 1, true), (0, 2, false)]);
        assert_eq!(step.after, Some((WallTime(16), request_id(7))));
        assert_eq!(left(store), [0, 2, 4, 6, 7, 8, 9]);

        // Later: only what is behind the place is looked at.
        step.before = WallTime(31);
        let purged = store.purge(&Purge::Sweep(step.clone())).unwrap();
        assert_eq!((purged.deleted, purged.kept, purged.more), (1, 0, false));
        step.after = purged.reached;
        let nothing = store.purge(&Purge::Sweep(step.clone())).unwrap();
        assert_eq!((nothing.deleted, nothing.kept, nothing.more, nothing.reached), (0, 0, false, step.after));

        // From the beginning: what was mounted is not any more.
        store.commit(&[Change::MountEnded(request_id(7))]).unwrap();
        let again = store.purge(&Purge::Sweep(sweep(31, true, 100))).unwrap();
        assert_eq!((again.deleted, again.kept, again.more), (1, 4, false));
        let all = store.purge(&Purge::Sweep(sweep(31, false, 100))).unwrap();
        assert_eq!((all.deleted, all.kept, all.more), (4, 0, false));
        assert_eq!(left(store), [8]);
    }

    pub(crate) fn a_step_of_a_sweep_is_bounded_from_both_sides(store: &mut dyn Store) {
        let changes: Vec<Change> = (0..Purge::MAX as u64 + 2)
            .map(|number| ended_as(number, number, State::Failed(failure())))
            .collect();
        store.commit(&changes).unwrap();
        let kept = store.purge(&Purge::Sweep(sweep(u64::MAX, true, usize::MAX))).unwrap();
        assert_eq!((kept.kept, kept.more), (Purge::MAX, true));
        let one = store.purge(&Purge::Sweep(sweep(u64::MAX, false, 0))).unwrap();
        assert_eq!((one.deleted, one.more), (1, true), "a step that does nothing would be one without end");
        // A place behind the moment, as after the clock was set back.
        let mut beyond = sweep(3, false, 9);
        beyond.after = Some((WallTime(40), request_id(40)));
        assert_eq!(store.purge(&Purge::Sweep(beyond)).unwrap().deleted, 0);
    }
}

#[cfg(feature = "redb")]
mod in_the_file {
    use std::path::PathBuf;

    use autochanger::clock::WallTime;
    use autochanger::store::{Disk, Purge, RedbStore, Store, Sweep};
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
    fn a_sweep_leaves_what_it_cannot_read_and_writes_nothing_when_nothing_goes() {
        let (_directory, path) = with_a_past_of(3);
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut requests =
            transaction.open_table(redb::TableDefinition::<u128, &[u8]>::new("requests")).unwrap();
        requests.insert(request_id(1).0.as_u128(), &b"nobody can read this"[..]).unwrap();
        drop(requests);
        transaction.commit().unwrap();
        drop(database);

        let disk = TestDisk::new(std::fs::read(path).unwrap());
        let mut store = RedbStore::open_disk(disk.clone()).unwrap();
        let mut sweep = Sweep::before(WallTime(u64::MAX));
        sweep.keep_failed = true;
        let purged = store.purge(&Purge::Sweep(sweep.clone())).unwrap();
        assert_eq!((purged.deleted, purged.kept), (2, 1));
        let before = disk.bytes_written();
        let purged = store.purge(&Purge::Sweep(sweep.clone())).unwrap();
        assert_eq!((purged.deleted, purged.kept), (0, 1));
        assert_eq!(disk.bytes_written(), before);
        store.commit(&ended(7..8)).unwrap();
        sweep.keep_failed = false;
        assert_eq!(store.purge(&Purge::Sweep(sweep)).unwrap().deleted, 2, "it is asked for by its age alone");
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
