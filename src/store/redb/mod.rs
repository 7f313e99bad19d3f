//! The durable store: one redb file.
//!
//! | table | key | value |
//! |---|---|---|
//! | `libraries`, `cartridges`, `mounts` | id | record |
//! | `requests` | id | record, live and ended |
//! | `live` | id | nothing: the requests that have not ended |
//! | `ended` | time of the end, id | nothing: the requests that have ended, in the order in which they are purged |
//! | `motions` | request, sequence | record |
//! | `open_motions` | request, sequence | nothing: the motions whose end is not known |
//! | `drives` | library, element | record |
//! | `faults` | request, sequence | record |
//! | `fault_times` | time, request, sequence | nothing: the faults in the order in which they happened |
//! | `meta` | `format` | the format of the file |
//!
//! `live` and `open_motions` are what makes a start independent of the past: it reads them and what they name, however
//! many requests have ended. `ended` is what makes purging some of a million requests as cheap as purging them of a few.

mod disk;
mod ends;
mod faults;
mod file;
mod tables;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::redb::{Database, Durability, ReadableDatabase};
use autochanger_engine::catalog::{FaultRecord, MotionRecord};
use autochanger_engine::id::RequestId;
use autochanger_engine::request::Request;
use autochanger_engine::{Change, Snapshot};

use super::{FaultFilter, HistoryFilter, Purge, Purged, Store, StoreError};
pub use disk::Disk;
use file::storage_error;
use tables::{ReadTables, WriteTables};

/// Keeps everything in one file, durably: when [`commit`](Store::commit) returns, the batch has been synced to the disk.
///
/// The file belongs to one store at a time, in this process or any other; it may be copied while no store has it open.
/// It grows with the requests that have ended, by some 300 bytes each, until they are [purged](Store::purge); what they took
/// is then used for later ones.
#[derive(Debug)]
pub struct RedbStore {
    /// `None` after it was found to be damaged beyond use.
    database: Option<Database>,
    path: PathBuf,
    quick_repair: bool,
}

/// Have each commit save what a reopening after a kill needs, instead of having the reopening make it anew from the whole
/// file; `benches/reopen.rs` measures it, and `ARCHITECTURE.md` has the figures. The cost is a second sync for each commit,
/// which groups share and which a robot that takes ten seconds for a move does not notice.
///
/// It is kept also for files that are verified when they are opened: a commit of two syncs is known to be whole, so that
/// damage to it is an error. Of one sync, it would be taken for one that a crash cut short, and undone without a word.
const QUICK_REPAIR: bool = true;

impl RedbStore {
    /// The format of the files that this release writes. It opens all earlier ones, and brings them to this one.
    pub const FORMAT: u64 = 4;

    /// Opens the file, or makes it where there is none. Its directory must exist.
    ///
    /// Files of up to 256 MiB, some million ended requests, are verified whole first, in about a millisecond for each
    /// megabyte; what is larger opens at once. A file that was not closed (the process was killed, the power went) opens
    /// as quickly as one that was.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another store has the file open, [`StoreError::NotAStore`] and
    /// [`StoreError::Version`] when it is not one that this release can read, [`StoreError::Damaged`] when it once was,
    /// [`StoreError::Open`] for the rest.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let database = contained(|| file::open(&path, None))?;
        Ok(Self { database: Some(database), path, quick_repair: QUICK_REPAIR })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn with_database<T>(
        &mut self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(database) = &self.database else {
            return Err(unreadable("was found to be damaged before"));
        };
        let mut panicked = true;
        let result = contained(|| {
            let result = work(database);
            panicked = false;
            result
        });
        if panicked {
            self.close();
        }
        result
    }

    fn with_tables<T>(
        &mut self,
        work: impl FnOnce(ReadTables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_database(|database| work(ReadTables::open(&database.begin_read().map_err(storage_error)?)?))
    }

    /// One durable transaction.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut WriteTables<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.write_if(work, |_| true)
    }

    /// The same; one that has nothing to keep is given up, which waits for no disk.
    fn write_if<T>(
        &mut self,
        work: impl FnOnce(&mut WriteTables<'_>) -> Result<T, StoreError>,
        is_kept: impl FnOnce(&T) -> bool,
    ) -> Result<T, StoreError> {
        let quick_repair = self.quick_repair;
        self.with_database(|database| {
            let mut transaction = database.begin_write().map_err(storage_error)?;
            transaction.set_durability(Durability::Immediate).map_err(storage_error)?;
            transaction.set_quick_repair(quick_repair);
            let mut tables = WriteTables::open(&transaction)?;
            let result = work(&mut tables)?;
            drop(tables);
            if is_kept(&result) {
                transaction.commit().map_err(storage_error)?;
            } else {
                transaction.abort().map_err(storage_error)?;
            }
            Ok(result)
        })
    }

    fn close(&mut self) {
        let database = self.database.take();
        // What a damaged file does to the closing is of no interest any more: each commit was durable by itself.
        let _ = contained(|| {
            drop(database);
            Ok(())
        });
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl Store for RedbStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.with_tables(|tables| tables.snapshot())
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.write(|tables| batch.iter().try_for_each(|change| tables.apply(change)))
    }

    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        self.write_if(|tables| tables.purge(purge), |purged| purged.deleted > 0)
    }

    fn request(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.with_tables(|tables| tables.request(id))
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        self.with_tables(|tables| tables.history(filter))
    }

    fn motions(&mut self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        self.with_tables(|tables| tables.motions(request))
    }

    fn faults(&mut self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        self.with_tables(|tables| tables.faults(filter))
    }
}

/// The database panics on some files that were altered behind its back, as its documentation says. A damaged file is
/// an error like any other, so this is where that ends (in programs that unwind).
fn contained<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(unreadable("cannot be made sense of")))
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Damaged { table: "(all)", key: String::new(), what: what.into() }
}
