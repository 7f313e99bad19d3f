//! Damaged files: an error that says what is damaged, never a panic, never a wrong answer that looks right.

use std::fs;
use std::path::Path;

use autochanger::store::{HistoryFilter, RedbStore, Store, StoreError};
use autochanger_engine::Change;
use autochanger_engine::catalog::MotionState;
use autochanger_engine::request::{Place, State};
use proptest::collection::vec;
use proptest::prelude::*;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::samples::*;
use crate::temp::TempDir;

type Records = TableDefinition<'static, u128, &'static [u8]>;
type MotionRecords = TableDefinition<'static, (u128, u32), &'static [u8]>;

const LIVE_REQUEST: u64 = 1;
const ENDED_REQUEST: u64 = 2;

/// A store with a record in each table.
fn filled(path: &Path) {
    let changes = [
        Change::Library(library(1)),
        Change::Cartridge(cartridge(1, Place::Element(slot(1001)))),
        Change::Mount(mount(ENDED_REQUEST)),
        Change::Request(mount_request(LIVE_REQUEST, State::InProcess)),
        Change::Request(mount_request(ENDED_REQUEST, mounted())),
        Change::Motion(motion(LIVE_REQUEST, 1, MotionState::Open)),
    ];
    RedbStore::open(path).unwrap().commit(&changes).unwrap();
}

fn alter(path: &Path, table: &'static str, key: u128, change: impl FnOnce(&mut Vec<u8>)) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(Records::new(table)).unwrap();
        let mut bytes = table.get(key).unwrap().expect("the record is there").value().to_vec();
        change(&mut bytes);
        table.insert(key, &*bytes).unwrap();
    }
    transaction.commit().unwrap();
}

fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
}

#[track_caller]
fn assert_damaged<T: std::fmt::Debug>(result: Result<T, StoreError>, in_table: &str, under_key: &str) {
    match result {
        Err(StoreError::Damaged { table, key, .. }) => {
            assert_eq!((table, key.as_str()), (in_table, under_key));
        }
        other => panic!("not told as damaged: {other:?}"),
    }
}

#[test]
fn a_damaged_record_is_named_by_table_and_key() {
    let places = [
        ("libraries", library_id(1).0),
        ("cartridges", cartridge_id(1).0),
        ("mounts", request_id(ENDED_REQUEST).0),
        ("requests", request_id(LIVE_REQUEST).0),
    ];
    let changes: [fn(&mut Vec<u8>); 5] = [
        |bytes| flip(bytes),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.clear(),
        |bytes| bytes.push(0),
        |bytes| bytes.resize(10_000_000, 0xA5),
    ];
    for (table, key) in places {
        for change in changes {
            let directory = TempDir::new();
            let path = directory.file("store");
            filled(&path);
            alter(&path, table, key.as_u128(), change);
            assert_damaged(RedbStore::open(&path).unwrap().load(), table, &key.to_string());
        }
    }
}

#[test]
fn a_damaged_motion_is_named_by_request_and_number() {
    let directory = TempDir::new();
    let path = directory.file("store");
    filled(&path);
    let key = (request_id(LIVE_REQUEST).0.as_u128(), 1);
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(MotionRecords::new("motions")).unwrap().insert(key, &b"nonsense"[..]).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let mut store = RedbStore::open(&path).unwrap();
    let name = format!("{}/1", request_id(LIVE_REQUEST));
    assert_damaged(store.load(), "motions", &name);
    assert_damaged(store.motions(request_id(LIVE_REQUEST)), "motions", &name);
}

#[test]
fn a_record_that_took_anothers_place_is_found_out() {
    let directory = TempDir::new();
    let path = directory.file("store");
    filled(&path);
    let database = Database::open(&path).unwrap();
    let table = database.begin_read().unwrap().open_table(Records::new("requests")).unwrap();
    let other = table.get(request_id(ENDED_REQUEST).0.as_u128()).unwrap().unwrap().value().to_vec();
    drop((table, database));
    alter(&path, "requests", request_id(LIVE_REQUEST).0.as_u128(), |bytes| *bytes = other);
    assert_damaged(RedbStore::open(&path).unwrap().load(), "requests", &request_id(LIVE_REQUEST).to_string());
}

#[test]
fn a_live_request_that_is_not_there_is_an_error_and_not_forgotten() {
    let directory = TempDir::new();
    let path = directory.file("store");
    filled(&path);
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let key = request_id(LIVE_REQUEST).0.as_u128();
    transaction.open_table(Records::new("requests")).unwrap().remove(key).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_damaged(RedbStore::open(&path).unwrap().load(), "live", &request_id(LIVE_REQUEST).to_string());
}

#[test]
fn a_table_that_is_not_there_is_named() {
    for table in ["libraries", "cartridges", "mounts", "requests"] {
        let directory = TempDir::new();
        let path = directory.file("store");
        filled(&path);
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        assert!(transaction.delete_table(Records::new(table)).unwrap());
        transaction.commit().unwrap();
        drop(database);
        assert_damaged(RedbStore::open(&path).unwrap().load(), table, "");
    }
}

/// A start reads nothing of what has ended: it neither costs time nor can keep a manager from starting.
#[test]
fn a_damaged_ended_request_keeps_nobody_from_starting() {
    let directory = TempDir::new();
    let path = directory.file("store");
    filled(&path);
    alter(&path, "requests", request_id(ENDED_REQUEST).0.as_u128(), |bytes| flip(bytes));
    let mut store = RedbStore::open(&path).unwrap();
    assert_eq!(store.load().unwrap().requests, [mount_request(LIVE_REQUEST, State::InProcess)]);
    let name = request_id(ENDED_REQUEST).to_string();
    assert_damaged(store.request(request_id(ENDED_REQUEST)), "requests", &name);
    assert_damaged(store.history(&HistoryFilter::default()), "requests", &name);
}

/// Reads and writes whatever there is, and says whether all of it went well.
fn use_all(path: &Path) -> Result<(), StoreError> {
    let mut store = RedbStore::open(path)?;
    store.load()?;
    for request in store.history(&HistoryFilter::default())? {
        store.motions(request.id)?;
    }
    store.commit(&[Change::Request(mount_request(3, State::Queued)), Change::Library(library(2))])?;
    store.load()?;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes changed anywhere, the database's own pages included; it panics on some of them inside.
    #[test]
    fn no_file_whatever_makes_the_store_panic(
        changes in vec((any::<prop::sample::Index>(), any::<bool>(), 1..=255_u8), 1..10),
        length in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let directory = TempDir::new();
        let path = directory.file("store");
        filled(&path);
        let mut bytes = fs::read(&path).unwrap();
        let used: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
        for (at, in_use, change) in changes {
            let at = if in_use { used[at.index(used.len())] } else { at.index(bytes.len()) };
            bytes[at] ^= change;
        }
        if let Some(length) = length {
            bytes.truncate(length.index(bytes.len()));
        }
        fs::write(&path, &bytes).unwrap();
        let _ = use_all(&path);
    }
}
