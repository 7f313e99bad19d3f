//! Damaged files: an error that says what is damaged, never a panic, never a wrong answer that looks right.

use std::fs;
use std::path::Path;
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use autochanger::store::{HistoryFilter, Purge, RedbStore, Store, StoreError};
use autochanger_engine::Change;
use autochanger_engine::catalog::{Cartridge, MotionRecord, MotionState, MountRecord};
use autochanger_engine::request::{Place, Request, State};
use proptest::collection::vec;
use proptest::prelude::*;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::disk::TestDisk;
use crate::power::Dice;
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
fn use_all(disk: TestDisk) -> Result<(), StoreError> {
    let mut store = RedbStore::open_disk(disk)?;
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
        static FILLED: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let directory = TempDir::new();
            let path = directory.file("store");
            filled(&path);
            fs::read(&path).unwrap()
        });
        let mut bytes = FILLED.clone();
        let used: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
        for (at, in_use, change) in changes {
            let at = if in_use { used[at.index(used.len())] } else { at.index(bytes.len()) };
            bytes[at] ^= change;
        }
        if let Some(length) = length {
            bytes.truncate(length.index(bytes.len()));
        }
        let _ = use_all(TestDisk::new(bytes));
    }
}

/// A store whose trees have several levels, and in which pages are free: as it is after a year.
fn grown() -> (Vec<u8>, Everything) {
    let directory = TempDir::new();
    let path = directory.file("store");
    let mut store = RedbStore::open(&path).unwrap();
    for first in (0..400).step_by(100) {
        let ended = (first..first + 100).flat_map(|number| {
            let moved = Change::Motion(motion(number, 1, MotionState::Moved));
            [moved, Change::Request(mount_request(number, mounted()))]
        });
        store.commit(&ended.collect::<Vec<_>>()).unwrap();
    }
    store.purge(&Purge::KeepNewest(200)).unwrap();
    let places = (0..40).map(|n| Change::Cartridge(cartridge(n, Place::Element(slot(1000 + n as u16)))));
    store.commit(&places.collect::<Vec<_>>()).unwrap();
    let live = [
        Change::Library(library(1)),
        Change::Mount(mount(399)),
        Change::Request(mount_request(400, State::InProcess)),
        Change::Motion(motion(400, 1, MotionState::Open)),
    ];
    store.commit(&live).unwrap();
    let everything = read_everything(&mut store).unwrap();
    // Not closed: as a killed process leaves it.
    (fs::read(&path).unwrap(), everything)
}

/// All that can be read, to be compared.
#[derive(PartialEq)]
struct Everything(Vec<Request>, Vec<Request>, Vec<Cartridge>, Vec<MountRecord>, Vec<MotionRecord>);

fn read_everything(store: &mut dyn Store) -> Result<Everything, StoreError> {
    let snapshot = store.load()?;
    let history = store.history(&HistoryFilter { limit: 1000, ..HistoryFilter::default() })?;
    let mut motions = snapshot.motions;
    for request in &history {
        motions.extend(store.motions(request.id)?);
    }
    Ok(Everything(snapshot.requests, history, snapshot.cartridges, snapshot.mounts, motions))
}

/// Reads all, writes to every table, purges, and reads all again: what was there at the beginning.
fn use_everything(disk: TestDisk) -> Result<Everything, StoreError> {
    let mut store = RedbStore::open_disk(disk)?;
    let before = read_everything(&mut store)?;
    store.commit(&[
        Change::Request(mount_request(401, State::Queued)),
        Change::Cartridge(cartridge(41, Place::Missing { last: slot(1) })),
        Change::Motion(motion(400, 1, MotionState::Moved)),
        Change::Request(mount_request(400, mounted())),
        Change::Library(library(2)),
        Change::MountEnded(request_id(399)),
    ])?;
    store.purge(&Purge::KeepNewest(20))?;
    read_everything(&mut store)?;
    Ok(before)
}

/// What the database divides its file into.
const PAGE: usize = 4096;
const HEADER: usize = 320;

/// What disks lose at once.
const SECTOR: usize = 512;

/// Damages to the page with the header, and to each other page that holds anything.
const DAMAGES_TO_HEADER: usize = 30;
const DAMAGES: usize = 1;

/// Nobody needs to read a file oftener than this.
const READINGS: u64 = 50;

/// Only a test that runs in a circle takes so long: one file takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn damage_in_any_page_is_an_error_or_harms_nothing_and_is_never_a_panic_or_a_circle() {
    let (whole, content) = grown();
    let used =
        (1..whole.len() / PAGE).filter(|page| whole[page * PAGE..][..PAGE].iter().any(|byte| *byte != 0));
    let mut damages: Vec<usize> = used.flat_map(|page| [page; DAMAGES]).collect();
    damages.extend([0; DAMAGES_TO_HEADER]);
    let number_of_damages = damages.len();
    let (told, results) = mpsc::channel();
    thread::spawn(move || {
        let mut dice = Dice::new(7);
        for (number, page) in damages.into_iter().enumerate() {
            let mut bytes = whole.clone();
            // The header takes a part of its page.
            let at = page * PAGE + dice.below(if page == 0 { HEADER } else { PAGE });
            match number % 3 {
                0 => bytes[at] ^= 1 << dice.below(8),
                1 => bytes[at] ^= 1 + dice.below(255) as u8,
                _ => bytes[at / SECTOR * SECTOR..][..SECTOR].fill(dice.below(256) as u8),
            }
            let limit = READINGS * bytes.len() as u64;
            let result = use_everything(TestDisk::new(bytes).readable_for(limit));
            if told.send((at, result)).is_err() {
                return;
            }
        }
    });
    let (mut errors, mut harmless) = (0, 0);
    for _ in 0..number_of_damages {
        let (at, result) = results.recv_timeout(PATIENCE).expect("it comes to an end, without a panic");
        match result {
            Ok(found) => {
                assert!(found == content, "byte {at} was changed, and what is found is another thing");
                harmless += 1;
            }
            Err(StoreError::Io { source }) if source.to_string().contains("more was read") => {
                panic!("byte {at} was changed, and the file was read in a circle")
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                errors += 1;
            }
        }
    }
    assert!(errors > 20, "damage in pages that are used is found: {errors}");
    assert!(harmless > 0, "pages that are free may hold anything");
}

/// Verified means: before anything is believed. A file that is too large for it tells the same of the record, when it is read.
#[test]
fn a_changed_byte_is_told_when_the_file_is_opened_and_in_a_large_one_when_the_record_is_read() {
    let directory = TempDir::new();
    let path = directory.file("store");
    filled(&path);
    let mut bytes = fs::read(&path).unwrap();
    let name = b"nightly-backup";
    let places: Vec<usize> =
        (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert!(!places.is_empty(), "the requests name their application");
    places.into_iter().for_each(|at| bytes[at] ^= 1);
    fs::write(&path, &bytes).unwrap();

    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { table: "(all)", .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes, "what a backup may be compared with is not touched");
    let mut large = RedbStore::open_large_disk(TestDisk::new(bytes)).unwrap();
    assert_damaged(
        large.request(request_id(ENDED_REQUEST)),
        "requests",
        &request_id(ENDED_REQUEST).to_string(),
    );
}
