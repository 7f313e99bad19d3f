//! The store by itself: what was acknowledged is there whole, what was not is there whole or not at all.

use std::panic::{AssertUnwindSafe, catch_unwind};

use autochanger::change::Change;
use autochanger::request::{Operation, State};
use autochanger::store::{Purge, RedbStore, Store, StoreError};

use crate::content::Content;
use crate::disk::{Op, TestDisk};
use crate::power::{Dice, Power, Unsynced};
use crate::recorded::{Opening, Recorded};
use crate::script::{Step, script};

/// Stories, calls in each, and ways in which the unsynced is mixed at each sync: some thousand reopenings in all.
const STORIES: u64 = 4;
const CALLS: usize = 24;
const MIXED: usize = 3;

/// Of so many disks that are left, one is looked at more closely.
const CLOSELY: usize = 8;

/// What the cuts below prove holds for what the stories write.
#[test]
fn the_stories_write_drives_and_faults_and_go_through_the_operations_that_change_them() {
    let stories = || (0..STORIES).flat_map(|seed| script(seed, CALLS));
    let changes: Vec<Change> = stories()
        .filter_map(|step| if let Step::Commit(batch) = step { Some(batch) } else { None })
        .flatten()
        .collect();
    let some = |is_it: fn(&Change) -> bool| changes.iter().any(is_it);
    assert!(some(|change| matches!(change, Change::Drive(_))), "a drive");
    assert!(some(|change| matches!(change, Change::Fault(_))), "a fault");
    assert!(some(|change| matches!(change, Change::MountEnded(_))), "a mount that ends");
    for operation in [
        Operation::Mount,
        Operation::Dismount,
        Operation::EnableDrive,
        Operation::DisableDrive,
        Operation::UpdateLabel,
        Operation::Eject,
        Operation::Inject,
    ] {
        let passes = |change: &Change| {
            matches!(change, Change::Request(request)
                if request.operation() == operation && matches!(request.state, State::Passed(_)))
        };
        assert!(changes.iter().any(passes), "no {operation:?} passes");
    }
}

#[test]
fn at_each_sync_what_was_acknowledged_is_there_and_the_rest_is_there_whole_or_not_at_all() {
    let openings: [_; STORIES as usize] =
        [Opening::Verified, Opening::Large, Opening::Verified, Opening::Large];
    for (seed, opening) in (0..STORIES).zip(openings) {
        let recorded = Recorded::run(opening, &script(seed, CALLS));
        let (mut cuts, mut one_more) = (0, 0);
        let syncs = recorded.cut_everywhere(MIXED, |operations, how, left| {
            let found = recorded.assert_whole(left, operations, how);
            cuts += 1;
            one_more += usize::from(found.calls > *recorded.allowed(operations).start());
            if cuts % CLOSELY == 0 {
                found.assert_goes_on();
            }
        });
        assert!(syncs > CALLS, "each call syncs: {syncs}");
        assert!(cuts > 2 * syncs, "{cuts} cuts at {syncs} syncs");
        assert!(one_more > 0, "a cut between a call's last sync and its answer shows the whole of it");
    }
}

/// Opening after a cut writes, too.
#[test]
fn a_second_cut_while_the_store_is_opened_after_the_first_loses_nothing_either() {
    let recorded = Recorded::run(Opening::Verified, &script(100, CALLS));
    let (mut number, mut cuts) = (0, 0);
    recorded.cut_everywhere(1, |operations, how, left| {
        number += 1;
        if number % CLOSELY != 0 {
            return;
        }
        let found = recorded.assert_whole(left.clone(), operations, how);
        let log = found.disk.log();
        drop(found);
        let mut power = Power::on(&left);
        let mut dice = Dice::new(operations as u64);
        for op in log {
            for how in [Unsynced::Lost, Unsynced::Kept, Unsynced::Mixed(dice.below(usize::MAX) as u64)] {
                recorded.assert_whole(power.cut(how), operations, how);
                cuts += 1;
            }
            power.pass(&op);
        }
    });
    assert!(cuts > 0, "opening after a cut writes");
}

/// The tests above can fail: the same cuts on a disk that says "synced" and does not do it.
#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let recorded = Recorded::run(Opening::Large, &script(0, CALLS));
    let mut dice = Dice::new(1);
    let mut power = Power::on(&recorded.first);
    let mut found_out = 0;
    for (operations, op) in recorded.log.iter().enumerate() {
        if *op != Op::Sync {
            power.pass(op);
        } else if operations > recorded.log.len() / 2 {
            let left = power.cut(Unsynced::Mixed(dice.below(usize::MAX) as u64));
            let found = catch_unwind(AssertUnwindSafe(|| {
                recorded.find(left, recorded.allowed(operations)).map(drop)
            }));
            found_out += usize::from(!matches!(found, Ok(Ok(()))));
        }
    }
    assert!(found_out > 0, "nothing was noticed");
}

/// Of so many operations, one is the first to fail.
const APART: usize = 5;

#[test]
fn a_disk_that_fails_at_any_moment_is_an_error_and_nothing_acknowledged_is_lost() {
    let steps = script(200, CALLS / 2);
    let recorded = Recorded::run(Opening::Verified, &steps);
    let mut failed_calls = 0;
    for first in (1..recorded.log.len()).step_by(APART) {
        let disk = TestDisk::new(recorded.first.clone()).failing_from(first);
        let (acknowledged, error) = run_until_it_fails(&disk, &steps);
        assert!(
            matches!(error, StoreError::Io { .. } | StoreError::Open { .. }),
            "operation {first} failed: {error}"
        );
        failed_calls += usize::from(matches!(error, StoreError::Io { .. }));
        let mut power = Power::on(&recorded.first);
        disk.log().iter().for_each(|op| power.pass(op));
        for how in [Unsynced::Lost, Unsynced::Kept, Unsynced::Mixed(first as u64)] {
            let found = recorded.find(power.cut(how), acknowledged..=acknowledged + 1);
            assert!(found.is_ok(), "operation {first} failed, {how:?}: {:?}", found.err());
        }
    }
    assert!(failed_calls > 0, "it fails in calls, not only at opening");
}

/// How many calls were acknowledged, and the error that the next one got. It is an error for all that come after.
fn run_until_it_fails(disk: &TestDisk, steps: &[Step]) -> (usize, StoreError) {
    let mut store = match RedbStore::open_disk(disk.clone()) {
        Ok(store) => store,
        Err(error) => return (0, error),
    };
    for (acknowledged, step) in steps.iter().enumerate() {
        if let Step::Reopen = step {
            drop(store);
            store = match RedbStore::open_disk(disk.clone()) {
                Ok(store) => store,
                Err(error) => return (acknowledged, error),
            };
        } else if let Err(error) = step.run(&mut store) {
            step.run(&mut store).expect_err("it does not go on as if nothing had happened");
            return (acknowledged, error);
        }
    }
    panic!("no operation failed");
}

/// A file of the first release gets its index of ends when it is opened: the whole of it, or the file is as it was.
#[test]
fn a_cut_while_a_file_of_an_earlier_format_is_brought_to_this_one_does_no_harm() {
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1.redb");
    let first = std::fs::read(fixture).expect("the file is there");
    let disk = TestDisk::new(first.clone());
    let mut store = RedbStore::open_disk(disk.clone()).expect("it opens");
    let content = Content::of(&mut store);
    let mut power = Power::on(&first);
    let mut dice = Dice::new(1);
    for op in disk.log() {
        for how in [Unsynced::Lost, Unsynced::Kept, Unsynced::Mixed(dice.below(usize::MAX) as u64)] {
            let left = TestDisk::new(power.cut(how));
            let mut store = RedbStore::open_disk(left).expect("what a cut leaves opens");
            assert!(Content::of(&mut store) == content, "{how:?}");
            let purged = store.purge(&Purge::KeepNewest(0)).expect("it purges");
            assert_eq!(purged.deleted + purged.kept, content.counts().0 - content.counts().1, "{how:?}");
        }
        power.pass(&op);
    }
}
