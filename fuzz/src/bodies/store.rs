//! Records that are not what the store wrote: damaged ones, and well-sealed ones of another program.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use autochanger::store::{HistoryFilter, RedbStore, Store, StoreError};
use autochanger_engine::id::RequestId;
use redb::{Database, TableDefinition};
use uuid::Uuid;

use super::Script;

type Records = TableDefinition<'static, u128, &'static [u8]>;
type MotionRecords = TableDefinition<'static, (u128, u32), &'static [u8]>;

/// The tables with records, as the store names them.
const TABLES: [&str; 4] = ["libraries", "cartridges", "mounts", "requests"];
const LIVE: TableDefinition<'static, u128, ()> = TableDefinition::new("live");
const OPEN_MOTIONS: TableDefinition<'static, (u128, u32), ()> = TableDefinition::new("open_motions");

/// The most records of one input: each is looked at by itself, so that a few with each other show all there is.
const MOST_RECORDS: u32 = 16;

/// An empty store, as a file's bytes.
static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = fresh();
    drop(RedbStore::open(&path).expect("a new store"));
    let bytes = fs::read(&path).expect("the store's file");
    let _ = fs::remove_file(&path);
    bytes
});

/// A name that nothing has, in memory where the system keeps files there.
fn fresh() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let memory = PathBuf::from("/dev/shm");
    let directory = if memory.is_dir() { memory } else { std::env::temp_dir() };
    directory.join(format!("autochanger-fuzz-{}-{number}.redb", std::process::id()))
}

/// Puts records into a store's tables and has the store read them: it says which one is damaged, or takes it, and never
/// lets a panic of its own be taken for a damaged file.
pub fn store(input: &[u8]) {
    let path = fresh();
    fs::write(&path, &*EMPTY).expect("room for a file of 2 MiB");
    fill(&path, &mut Script::new(input));
    let result = use_all(&path);
    let _ = fs::remove_file(&path);
    match result {
        Ok(()) => {}
        // The file itself is whole: only what is in it can be at fault.
        Err(StoreError::Damaged { table, key, what }) => assert_ne!(table, "(all)", "{key}: {what}"),
        Err(error) => panic!("{error}"),
    }
}

fn fill(path: &PathBuf, script: &mut Script<'_>) {
    let database = Database::open(path).expect("the store's file");
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_durability(redb::Durability::None).expect("a transaction that need not last");
    for number in 1..=MOST_RECORDS {
        if script.is_over() {
            break;
        }
        let flags = script.byte();
        let length = usize::from(script.short());
        let fields = script.bytes(length);
        // Few ids, so that records name each other.
        let id = u128::from(flags >> 4 & 3);
        match TABLES.get(usize::from(flags & 7)) {
            Some(table) => {
                let record = sealed(flags, table, &id.to_be_bytes(), fields);
                let mut records = transaction.open_table(Records::new(table)).expect("the table");
                records.insert(id, &*record).expect("a record");
                if *table == "requests" {
                    transaction.open_table(LIVE).expect("the table").insert(id, ()).expect("a row");
                }
            }
            None => {
                let key = (id, number);
                let bytes = [&id.to_be_bytes()[..], &number.to_be_bytes()].concat();
                let record = sealed(flags, "motions", &bytes, fields);
                let mut records = transaction.open_table(MotionRecords::new("motions")).expect("the table");
                records.insert(key, &*record).expect("a record");
                transaction.open_table(OPEN_MOTIONS).expect("the table").insert(key, ()).expect("a row");
            }
        }
    }
    transaction.commit().expect("a commit");
}

/// A record as the store would seal it (version, fields, checksum over table, key and both), or with a wrong seal.
fn sealed(flags: u8, table: &str, key: &[u8], fields: &[u8]) -> Vec<u8> {
    let mut record = vec![1];
    record.extend_from_slice(fields);
    if flags & 0x40 != 0 {
        record[0] = flags;
    }
    let all = table.as_bytes().iter().chain(&[0]).chain(key).chain(&record);
    let sum = all.fold(0x811C_9DC5_u32, |state, byte| (state ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let sum = if flags & 0x80 == 0 { sum } else { !sum };
    record.extend_from_slice(&sum.to_le_bytes());
    record
}

fn use_all(path: &PathBuf) -> Result<(), StoreError> {
    let mut store = RedbStore::open(path)?;
    let loaded = store.load().map(|snapshot| _ = format!("{snapshot:?}"));
    let history = store.history(&HistoryFilter::default()).map(|_| ());
    let motions = (0..4).try_for_each(|id| store.motions(RequestId(Uuid::from_u128(id))).map(|_| ()));
    loaded.and(history).and(motions)
}
