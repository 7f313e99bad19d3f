//! Records as the store writes them, without version and checksum.

#[path = "../store/samples.rs"]
#[allow(dead_code, reason = "the store's tests keep more than this")]
mod samples;
#[path = "../store/temp.rs"]
#[allow(dead_code, reason = "the store's tests use more of it")]
mod temp;

use autochanger::store::{RedbStore, Store};
use autochanger_engine::Change;
use autochanger_engine::catalog::MotionState;
use autochanger_engine::request::Place;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use samples::*;

type Records = TableDefinition<'static, u128, &'static [u8]>;
type MotionRecords = TableDefinition<'static, (u128, u32), &'static [u8]>;

/// A script of the store's body for each record, and one for all of them.
pub(super) fn records() -> Vec<(String, Vec<u8>)> {
    let directory = temp::TempDir::new();
    let path = directory.file("store");
    let mut changes = vec![Change::Library(library(1)), Change::Mount(mount(2))];
    let places = [
        Place::Element(slot(1001)),
        Place::Unknown { one_of: vec![slot(1001), drive(500)] },
        Place::Missing { last: drive(500) },
    ];
    changes.extend((1..).zip(places).map(|(number, place)| Change::Cartridge(cartridge(number, place))));
    changes.extend((1..).zip(states()).map(|(number, state)| Change::Request(mount_request(number, state))));
    changes.push(Change::Request(dismount_request(100, states()[0].clone())));
    changes.push(Change::Request(inventory_request(101, states()[0].clone())));
    changes.extend(
        (1..)
            .zip([MotionState::Open, MotionState::Moved, MotionState::Unknown])
            .map(|(sequence, state)| Change::Motion(motion(1, sequence, state))),
    );
    RedbStore::open(&path).expect("a new store").commit(&changes).expect("a commit");

    let database = Database::open(&path).expect("the store's file");
    let transaction = database.begin_read().expect("a transaction");
    let mut seeds = Vec::new();
    for (table, name) in ["libraries", "cartridges", "mounts", "requests"].into_iter().enumerate() {
        let records = transaction.open_table(Records::new(name)).expect("the table");
        for (number, row) in records.iter().expect("the rows").enumerate() {
            let (_, record) = row.expect("a row");
            seeds.push((format!("{name}-{number:02}"), script(table as u8, record.value())));
        }
    }
    let motions = transaction.open_table(MotionRecords::new("motions")).expect("the table");
    for (number, row) in motions.iter().expect("the rows").enumerate() {
        seeds.push((format!("motions-{number:02}"), script(4, row.expect("a row").1.value())));
    }
    // The state of a request is beyond its first fields: as many as a body takes, those of different kinds.
    let together = seeds.iter().step_by(3).take(16).flat_map(|(_, seed)| seed.clone()).collect();
    seeds.push(("together".into(), together));
    seeds
}

fn script(table: u8, record: &[u8]) -> Vec<u8> {
    let fields = &record[1..record.len() - 4];
    let length = u16::try_from(fields.len()).expect("records are short").to_be_bytes();
    [&[table, length[0], length[1]], fields].concat()
}
