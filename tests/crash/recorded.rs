//! A run of a store on a disk of the test, with what was promised at which moment of it.

use std::ops::RangeInclusive;

use autochanger::change::Change;
use autochanger::store::{MemoryStore, RedbStore, Store, StoreError};

use crate::content::Content;
use crate::disk::{Op, TestDisk};
use crate::power::{Dice, Power, Unsynced};
use crate::samples;
use crate::script::Step;
use crate::temp::TempDir;

/// A library that no script has.
const MARK: u64 = 77;

/// The bytes of a store that was just made.
pub(crate) fn new_store() -> Vec<u8> {
    let directory = TempDir::new();
    let path = directory.file("store");
    drop(RedbStore::open(&path).expect("a store is made"));
    std::fs::read(path).expect("it can be read")
}

/// A store that was opened after a cut.
pub(crate) struct Found {
    /// It holds what so many calls made.
    pub(crate) calls: usize,
    pub(crate) disk: TestDisk,
    content: Content,
    store: RedbStore,
}

impl Found {
    /// It goes on: what is written on it is there beside what was, and no page of the old is taken for a free one.
    pub(crate) fn assert_goes_on(mut self) {
        let mark = samples::library(MARK);
        self.store.commit(&[Change::Library(mark.clone())]).expect("it can be written on");
        drop(self.store);
        let mut store = RedbStore::open_disk(self.disk).expect("it opens once more");
        assert!(Content::of(&mut store) == self.content.with(mark), "after {} calls", self.calls);
    }
}

/// Stores that are verified when they are opened, and those that are too large for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Opening {
    Verified,
    Large,
}

impl Opening {
    pub(crate) fn open(self, disk: &TestDisk) -> Result<RedbStore, StoreError> {
        match self {
            Self::Verified => RedbStore::open_disk(disk.clone()),
            Self::Large => RedbStore::open_large_disk(disk.clone()),
        }
    }
}

pub(crate) struct Recorded {
    opening: Opening,
    pub(crate) first: Vec<u8>,
    pub(crate) log: Vec<Op>,
    /// What must be found before the first call and after each.
    contents: Vec<Content>,
    /// For each call: how many operations the disk had seen when it began, and when it was acknowledged.
    calls: Vec<(usize, usize)>,
}

impl Recorded {
    /// Runs the steps, and ends without closing.
    pub(crate) fn run(opening: Opening, steps: &[Step]) -> Self {
        let first = new_store();
        let disk = TestDisk::new(first.clone());
        let open = || opening.open(&disk).expect("it opens");
        let mut store = open();
        let mut model = MemoryStore::new();
        let mut contents = vec![Content::of(&mut model)];
        let mut calls = Vec::new();
        for step in steps {
            let began = disk.operations();
            if let Step::Reopen = step {
                drop(store);
                store = open();
            }
            step.run(&mut store).expect("the store does it");
            calls.push((began, disk.operations()));
            step.run(&mut model).expect("memory does it");
            contents.push(Content::of(&mut model));
        }
        let log = disk.log();
        assert_eq!(Content::of(&mut store), *contents.last().expect("one at least"));
        drop(store);
        Self { opening, first, log, contents, calls }
    }

    /// Which contents may be found when the power is cut after so many operations: all that is acknowledged is there,
    /// and of what was on its way all or nothing.
    pub(crate) fn allowed(&self, operations: usize) -> RangeInclusive<usize> {
        let acknowledged = self.calls.iter().filter(|(_, acknowledged)| *acknowledged <= operations).count();
        let begun = self.calls.iter().filter(|(began, _)| *began < operations).count();
        acknowledged..=begun.max(acknowledged)
    }

    /// Opens the store on what is left: which of the allowed contents it holds, or what is wrong.
    pub(crate) fn find(&self, left: Vec<u8>, allowed: RangeInclusive<usize>) -> Result<Found, String> {
        let disk = TestDisk::new(left);
        let mut store = self.opening.open(&disk).map_err(|error| error.to_string())?;
        let content = Content::of(&mut store);
        content.assert_sound();
        let Some(calls) = allowed.clone().find(|calls| self.contents[*calls] == content) else {
            return Err(format!("none of {allowed:?} is what is found: {:?}", content.counts()));
        };
        Ok(Found { calls, disk, content, store })
    }

    /// The same, where it must be right.
    #[track_caller]
    pub(crate) fn assert_whole(&self, left: Vec<u8>, operations: usize, how: Unsynced) -> Found {
        let found = self.find(left, self.allowed(operations));
        found.unwrap_or_else(|error| panic!("cut after {operations} operations, {how:?}: {error}"))
    }

    /// Cuts the power at each sync, and between them, in several ways each; what is done with each disk that is left.
    pub(crate) fn cut_everywhere(
        &self,
        mixed: usize,
        mut each: impl FnMut(usize, Unsynced, Vec<u8>),
    ) -> usize {
        let mut power = Power::on(&self.first);
        let mut dice = Dice::new(self.log.len() as u64);
        let mut syncs = 0;
        for (operations, op) in self.log.iter().enumerate() {
            if *op == Op::Sync {
                syncs += 1;
                each(operations, Unsynced::Lost, power.cut(Unsynced::Lost));
                if power.has_unsynced() {
                    each(operations, Unsynced::Kept, power.cut(Unsynced::Kept));
                    for _ in 0..mixed {
                        let how = Unsynced::Mixed(dice.below(usize::MAX) as u64);
                        each(operations, how, power.cut(how));
                    }
                }
            } else if dice.below(4) == 0 {
                let how = Unsynced::Mixed(dice.below(usize::MAX) as u64);
                each(operations, how, power.cut(how));
            }
            power.pass(op);
        }
        syncs
    }
}
