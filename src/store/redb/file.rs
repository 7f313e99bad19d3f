//! The file: opened, made, recognised; and the database's errors told in the store's words.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use ::redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, StorageBackend, StorageError,
    TableDefinition, TableError, WriteTransaction,
};

use super::tables::WriteTables;
use super::{QUICK_REPAIR, RedbStore};
use crate::store::StoreError;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const FORMAT_KEY: &str = "format";

/// The format of the files that have no table `ended`.
const WITHOUT_INDEX_OF_ENDS: u64 = 1;

/// The format of the files that have no tables of drives and faults.
const WITHOUT_FAULTS: u64 = 2;

/// The format of the files whose requests do not say whether an administrator handed them in.
const WITHOUT_ADMINISTRATORS: u64 = 3;

/// Pages kept in memory: what is live and the upper levels of the trees fit many times over, and ended requests are
/// rarely read. redb's own default is 1 GiB.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Files up to this length are read whole when they are opened, and each page is held against its checksum. The database
/// believes its own pages, and on some that are damaged it ends the process: it panics while it unwinds from a panic, which
/// nobody can contain. A page takes a microsecond or four from the page cache, so that a start waits for a quarter of a
/// second at most; the limit is reached with some million ended requests, which purging keeps away.
const VERIFIED_UP_TO: u64 = 256 * 1024 * 1024;

/// Opens the file, or makes it. `verified`: whether it is verified first, where its length is not to decide that.
pub(super) fn open(path: &Path, verified: Option<bool>) -> Result<Database, StoreError> {
    let failed = |error: io::Error| StoreError::Open { path: path.into(), source: error.into() };
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() == 0 => create(path, |draft, path| fs::rename(draft, path))?,
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, publish)?,
        Err(error) => return Err(failed(error)),
    }
    let length = fs::metadata(path).map_err(failed)?.len();
    let verified = verified.unwrap_or_else(|| is_verified(length));
    let database = builder(verified).open(path).map_err(|error| open_error(path, error))?;
    make_current(path, &database)?;
    Ok(database)
}

/// The same for a store that lies on something else than a file. An empty one is refused: only under a name of its own can
/// a store be made so that no crash leaves half of one.
pub(super) fn open_backend(
    path: &Path,
    backend: impl StorageBackend,
    verified: bool,
) -> Result<Database, StoreError> {
    let length =
        backend.len().map_err(|error| StoreError::Open { path: path.into(), source: error.into() })?;
    if length == 0 {
        return Err(StoreError::NotAStore { path: path.into(), what: "it is empty".into() });
    }
    let database = builder(verified).create_with_backend(backend).map_err(|error| open_error(path, error))?;
    make_current(path, &database)?;
    Ok(database)
}

/// Whether a file of this length is verified before anything in it is believed.
pub(super) fn is_verified(length: u64) -> bool {
    length <= VERIFIED_UP_TO
}

fn builder(verified: bool) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(verified);
    builder
}

/// Makes the file under another name and gives it its own when it is whole: a database that was killed while it was
/// made can never be opened again, and would stand in the way for ever.
fn create(path: &Path, publish: impl Fn(&Path, &Path) -> io::Result<()>) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::Open { path: path.into(), source: error.into() };
    let draft = draft_path(path);
    remove_if_there(&draft).map_err(failed)?;
    let made = write_empty(&draft, path).and_then(|()| publish(&draft, path).map_err(failed));
    remove_if_there(&draft).map_err(failed)?;
    made?;
    sync_directory(path).map_err(failed)
}

/// A whole, durable, empty store in the file `draft`; errors speak of `path`.
fn write_empty(draft: &Path, path: &Path) -> Result<(), StoreError> {
    let database = builder(false).create(draft).map_err(|error| open_error(path, error))?;
    let mut transaction = database.begin_write().map_err(storage_error)?;
    transaction.set_durability(Durability::Immediate).map_err(storage_error)?;
    WriteTables::open(&transaction)?;
    write_format(&transaction)?;
    transaction.commit().map_err(storage_error)?;
    database.close().map_err(|error| open_error(path, error))
}

/// Two processes may make the same store at once: the link goes to the first, and the second opens what that one made.
fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Some file systems have no links.
        Err(_) => fs::rename(draft, path),
        Ok(()) => Ok(()),
    }
}

/// A name that no other making uses, in this process or another one.
fn draft_path(path: &Path) -> PathBuf {
    static DRAFTS: AtomicU32 = AtomicU32::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{number}.new", std::process::id()));
    path.with_file_name(name)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A new name is durable when its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

/// Recognises the file, and brings it to the format of this release.
fn make_current(path: &Path, database: &Database) -> Result<(), StoreError> {
    match format_of(path, database)? {
        RedbStore::FORMAT => Ok(()),
        WITHOUT_INDEX_OF_ENDS => upgrade(database, |tables| tables.index_ends()),
        // Opening them makes the tables; a release that does not purge faults must not write to the file any more.
        WITHOUT_FAULTS => upgrade(database, |_| Ok(())),
        // Its records are read as they are; a release that does not know the new ones must not open the file any more.
        WITHOUT_ADMINISTRATORS => upgrade(database, |_| Ok(())),
        found => Err(StoreError::Version { path: path.into(), found, supported: RedbStore::FORMAT }),
    }
}

fn format_of(path: &Path, database: &Database) -> Result<u64, StoreError> {
    let transaction = database.begin_read().map_err(storage_error)?;
    let foreign = |what: String| StoreError::NotAStore { path: path.into(), what };
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(storage_error(error)),
        Err(error) => return Err(foreign(error.to_string())),
    };
    let format = meta.get(FORMAT_KEY).map_err(storage_error)?.map(|format| format.value());
    format.ok_or_else(|| foreign("it does not say which format it has".into()))
}

/// One transaction: a crash leaves the old format or the new one. Each format has a number of its own, so that no release
/// writes to a file whose tables it does not keep.
fn upgrade(
    database: &Database,
    work: impl FnOnce(&mut WriteTables<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(storage_error)?;
    transaction.set_durability(Durability::Immediate).map_err(storage_error)?;
    transaction.set_quick_repair(QUICK_REPAIR);
    work(&mut WriteTables::open(&transaction)?)?;
    write_format(&transaction)?;
    transaction.commit().map_err(storage_error)
}

fn write_format(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut meta = transaction.open_table(META).map_err(storage_error)?;
    meta.insert(FORMAT_KEY, RedbStore::FORMAT).map_err(storage_error)?;
    Ok(())
}

fn open_error(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::InUse { path: path.into() }
        }
        // How redb says that the file does not begin as its files do.
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            StoreError::NotAStore { path: path.into(), what: error.to_string() }
        }
        DatabaseError::UpgradeRequired(version) => StoreError::NotAStore {
            path: path.into(),
            what: format!("a database of the old format {version}, which this crate never wrote"),
        },
        DatabaseError::Storage(error @ StorageError::Corrupted(_)) => storage_error(error),
        other => StoreError::Open { path: path.into(), source: other.into() },
    }
}

/// What the database says while it is open.
pub(super) fn storage_error(error: impl Into<::redb::Error>) -> StoreError {
    match error.into() {
        ::redb::Error::Corrupted(what) => StoreError::Damaged {
            table: "(all)",
            key: String::new(),
            what: format!("cannot be read: {what}"),
        },
        other => StoreError::Io { source: other.into() },
    }
}
