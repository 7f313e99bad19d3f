//! The file as such: made, shared, recognised, written by another release.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use autochanger::clock::WallTime;
use autochanger::store::{FaultFilter, HistoryFilter, Purge, RedbStore, Store, StoreError};
use autochanger_engine::Change;
use autochanger_engine::catalog::{MotionState, Service};
use autochanger_engine::request::{CancelledBy, Place, Request, State};

use crate::samples::*;
use crate::temp::TempDir;

#[test]
fn a_store_that_is_open_cannot_be_opened_again() {
    let directory = TempDir::new();
    let path = directory.file("store");
    let first = RedbStore::open(&path).unwrap();
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(&error, StoreError::InUse { path: named } if *named == path), "{error}");
    assert!(error.to_string().contains("in use by another manager"), "{error}");
    drop(first);
    RedbStore::open(&path).unwrap();
}

#[test]
fn of_two_that_make_the_same_store_at_once_one_has_it_and_the_other_is_told() {
    for _ in 0..20 {
        let directory = TempDir::new();
        let path = directory.file("store");
        let (start, tried) = (Barrier::new(2), Barrier::new(2));
        let attempt = || {
            start.wait();
            let result = RedbStore::open(&path);
            tried.wait();
            result.map(|mut store| store.commit(&[Change::Library(library(1))]).unwrap())
        };
        let results = thread::scope(|scope| {
            let threads = [scope.spawn(attempt), scope.spawn(attempt)];
            threads.map(|thread| thread.join().unwrap())
        });
        let winners = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(winners, 1, "{results:?}");
        assert!(results.iter().any(|result| matches!(result, Err(StoreError::InUse { .. }))), "{results:?}");
        assert_eq!(RedbStore::open(&path).unwrap().load().unwrap().libraries, [library(1)]);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a draft was left behind");
    }
}

#[test]
fn an_empty_file_becomes_a_store() {
    let directory = TempDir::new();
    fs::write(directory.file("store"), []).unwrap();
    RedbStore::open(directory.file("store")).unwrap().commit(&[Change::Library(library(1))]).unwrap();
    assert_eq!(RedbStore::open(directory.file("store")).unwrap().load().unwrap().libraries, [library(1)]);
}

#[test]
fn a_missing_directory_is_an_error_that_names_the_file() {
    let directory = TempDir::new();
    let path = directory.file("nowhere/store");
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn a_directory_is_not_a_store() {
    let directory = TempDir::new();
    assert!(matches!(RedbStore::open(directory.file("")), Err(StoreError::Open { .. })));
}

#[test]
fn a_file_of_something_else_is_not_a_store_and_stays_as_it_is() {
    let directory = TempDir::new();
    let path = directory.file("letter.txt");
    for content in [b"Dear Sir".repeat(1000), vec![0; 100_000], b"x".to_vec()] {
        fs::write(&path, &content).unwrap();
        let error = RedbStore::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn another_programs_database_is_not_a_store() {
    let directory = TempDir::new();
    let path = directory.file("other.redb");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<u32, &str>::new("meta");
    transaction.open_table(table).unwrap().insert(1, "something else").unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
}

#[test]
fn a_later_format_is_named_with_what_this_release_reads() {
    let directory = TempDir::new();
    let path = directory.file("store");
    drop(RedbStore::open(&path).unwrap());
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    transaction.open_table(meta).unwrap().insert("format", 99).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Version { found: 99, supported: RedbStore::FORMAT, .. }), "{error}");
}

#[test]
fn a_name_that_cannot_be_kept_is_refused_and_the_store_goes_on() {
    let directory = TempDir::new();
    let mut store = RedbStore::open(directory.file("store")).unwrap();
    let endless = Request { application: "x".repeat(1_000_000).into(), ..mount_request(1, State::Queued) };
    let error = store.commit(&[Change::Library(library(1)), Change::Request(endless)]).unwrap_err();
    assert!(matches!(error, StoreError::Refused { record: "requests", .. }), "{error}");
    assert!(error.to_string().len() < 500, "{error}");
    assert_eq!(store.load().unwrap().libraries, []);
    store.commit(&[Change::Library(library(1))]).unwrap();
    assert_eq!(store.load().unwrap().libraries, [library(1)]);
}

/// What format 1 can hold, all of it.
fn content_of_format_1() -> Vec<Change> {
    let states = states_of_format_1();
    let mut changes = Vec::new();
    for (number, state) in states.iter().enumerate() {
        let number = number as u64 * 3;
        changes.push(Change::Request(mount_request(number, state.clone())));
        changes.push(Change::Request(dismount_request(number + 1, state.clone())));
        changes.push(Change::Request(Request {
            stopping: Some(CancelledBy::Deadline),
            ..inventory_request(number + 2, state.clone())
        }));
    }
    let motion_states = [
        MotionState::Open,
        MotionState::Moved,
        MotionState::NotMoved,
        MotionState::NotSent,
        MotionState::Unknown,
    ];
    for (sequence, state) in (1..).zip(motion_states) {
        changes.push(Change::Motion(motion(18, sequence, state)));
    }
    changes.push(Change::Cartridge(cartridge(1, Place::Element(drive(500)))));
    changes.push(Change::Cartridge(cartridge(2, Place::Unknown { one_of: vec![slot(1002), drive(501)] })));
    changes.push(Change::Cartridge(cartridge(3, Place::Missing { last: slot(1003) })));
    changes.extend([Change::Library(library(1)), Change::Mount(mount(24)), Change::Mount(mount(25))]);
    changes.push(Change::MountEnded(request_id(25)));
    changes
}

/// When the samples end.
const ENDED_AT: WallTime = WallTime(1_795_345_260_000);

/// Everything that can be read from a store.
fn read_all(path: &Path) -> String {
    let mut store = RedbStore::open(path).unwrap();
    let snapshot = store.load().unwrap();
    let history = store.history(&HistoryFilter { limit: 10_000, ..HistoryFilter::default() }).unwrap();
    let motions: Vec<_> = history.iter().flat_map(|request| store.motions(request.id).unwrap()).collect();
    format!("{snapshot:#?}\n{history:#?}\n{motions:#?}")
}

/// The content of all formats, written today.
fn write_today(path: &Path) {
    RedbStore::open(path).unwrap().commit(&content_of_format_1()).unwrap();
}

/// The fixtures were written by the releases whose formats they have, by this test with `AUTOCHANGER_WRITE_FIXTURES` set.
/// They are never written again: a new format gets a fixture of its own beside them.
fn fixture(format: u64) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/v{format}.redb"));
    let is_new = format == RedbStore::FORMAT && !path.exists();
    if is_new && std::env::var_os("AUTOCHANGER_WRITE_FIXTURES").is_some() {
        write_today(&path);
    }
    path
}

#[test]
fn a_file_of_each_earlier_format_reads_as_the_same_content_written_today_and_is_purged_like_it() {
    for format in 1..=RedbStore::FORMAT {
        let directory = TempDir::new();
        let (old, new) = (directory.file("old"), directory.file("new"));
        fs::copy(fixture(format), &old).unwrap();
        write_today(&new);
        let content = read_all(&old);
        assert_eq!(content, read_all(&new), "format {format}");
        assert_eq!(
            content.matches("Request {").count(),
            3 * states_of_format_1().len() + 3 * 8,
            "live ones are shown twice"
        );
        // Once opened it has the format of today, and everything that belongs to it.
        for purge in [Purge::EndedBefore(ENDED_AT), Purge::KeepNewest(30), Purge::KeepNewest(0)] {
            let purged = [&old, &new].map(|path| RedbStore::open(path).unwrap().purge(&purge).unwrap());
            assert_eq!(purged[0], purged[1], "format {format}, {purge:?}");
            assert_eq!(read_all(&old), read_all(&new), "format {format}, {purge:?}");
        }
        let last = RedbStore::open(&old).unwrap().history(&HistoryFilter::default()).unwrap();
        assert!(!last.is_empty() && last.iter().all(|one| !one.state.is_final() || one.id == request_id(24)));
    }
}

/// One that cannot be read does not keep the file from being opened: it is reported to whoever asks for it.
#[test]
fn a_damaged_ended_request_does_not_keep_an_earlier_format_from_being_opened() {
    let directory = TempDir::new();
    let path = directory.file("store");
    fs::copy(fixture(1), &path).unwrap();
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let requests = redb::TableDefinition::<u128, &[u8]>::new("requests");
    let damaged = request_id(27);
    transaction.open_table(requests).unwrap().insert(damaged.0.as_u128(), &b"nonsense"[..]).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let mut store = RedbStore::open(&path).unwrap();
    assert!(!store.load().unwrap().requests.is_empty());
    assert!(matches!(store.request(damaged), Err(StoreError::Damaged { table: "requests", .. })));
    assert!(store.purge(&Purge::KeepNewest(0)).unwrap().deleted > 0);
}

#[test]
fn an_index_that_names_what_is_live_is_damage_and_nothing_is_deleted() {
    let directory = TempDir::new();
    let path = directory.file("store");
    RedbStore::open(&path).unwrap().commit(&[Change::Request(mount_request(1, State::Queued))]).unwrap();
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let ended = redb::TableDefinition::<(u64, u128), ()>::new("ended");
    transaction.open_table(ended).unwrap().insert((1, request_id(1).0.as_u128()), ()).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let mut store = RedbStore::open(&path).unwrap();
    let error = store.purge(&Purge::KeepNewest(0)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { table: "ended", .. }), "{error}");
    assert_eq!(store.load().unwrap().requests, [mount_request(1, State::Queued)]);
}

/// A file as the second format left it: with the index of ends, and without tables of drives and faults.
#[test]
fn a_file_of_the_second_format_gets_its_new_tables_and_keeps_its_content() {
    let directory = TempDir::new();
    let path = directory.file("store");
    write_today(&path);
    let content = read_all(&path);
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    for table in ["drives", "faults", "fault_times"] {
        transaction
            .delete_table(redb::TableDefinition::<(u128, u16), &[u8]>::new(table))
            .map_or_else(|_| delete_other(&transaction, table), |was_there| assert!(was_there, "{table}"));
    }
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    transaction.open_table(meta).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);

    assert_eq!(read_all(&path), content);
    let mut store = RedbStore::open(&path).unwrap();
    let drive = drive_record(1, 500, Service::Draining);
    store.commit(&[Change::Drive(drive.clone()), Change::Fault(fault(18, 1, 0))]).unwrap();
    assert_eq!(store.load().unwrap().drives, [drive]);
    assert_eq!(store.faults(&FaultFilter::default()).unwrap(), [fault(18, 1, 0)]);
}

/// By their own types: the database looks at them.
fn delete_other(transaction: &redb::WriteTransaction, table: &str) {
    let deleted = if table == "faults" {
        transaction.delete_table(redb::TableDefinition::<(u128, u32), &[u8]>::new(table))
    } else {
        transaction.delete_table(redb::TableDefinition::<(u64, u128, u32), ()>::new(table))
    };
    assert!(deleted.unwrap(), "{table}");
}
