//! The database on something else than a file: the door through which the tests cut the power.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use ::redb::StorageBackend;

use super::{QUICK_REPAIR, RedbStore, contained, file};
use crate::store::StoreError;

/// Something that bytes are kept on. For this crate's own tests and benches: no promise is made for it, and it may
/// change with any release.
#[doc(hidden)]
pub trait Disk: Debug + Send + Sync + 'static {
    /// How many bytes there are.
    fn length(&self) -> io::Result<u64>;
    /// Reads as many bytes as `out` has room for; fewer are an error.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Cuts, or fills with zeros.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Returns when all that was written and set before is durable.
    fn sync(&self) -> io::Result<()>;
    /// Writes within the length.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;
}

/// How the database sees a disk. It locks nothing: a disk has one owner.
#[derive(Debug)]
struct Backend<D>(D);

impl<D: Disk> StorageBackend for Backend<D> {
    fn len(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_length(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

impl RedbStore {
    /// Opens a store that is there already, with everything that [`open`](Self::open) does to one. For this crate's own
    /// tests and benches.
    #[doc(hidden)]
    pub fn open_disk(disk: impl Disk) -> Result<Self, StoreError> {
        let length = disk.length().map_err(|error| StoreError::Io { source: error.into() })?;
        Self::on(disk, file::is_verified(length))
    }

    /// The same as if the store were too large to be verified.
    #[doc(hidden)]
    pub fn open_large_disk(disk: impl Disk) -> Result<Self, StoreError> {
        Self::on(disk, false)
    }

    fn on(disk: impl Disk, verified: bool) -> Result<Self, StoreError> {
        let path = PathBuf::from("(a disk of a test)");
        let database = contained(|| file::open_backend(&path, Backend(disk), verified))?;
        Ok(Self { database: Some(database), path, quick_repair: QUICK_REPAIR })
    }

    /// [`open`](Self::open), verified first or not whatever the file's length. For this crate's own benches.
    #[doc(hidden)]
    pub fn open_file(path: impl AsRef<Path>, verified: bool) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let database = contained(|| file::open(&path, Some(verified)))?;
        Ok(Self { database: Some(database), path, quick_repair: QUICK_REPAIR })
    }

    /// Whether commits save what a reopening after a kill needs. For this crate's own benches.
    #[doc(hidden)]
    pub fn quick_repair(mut self, on: bool) -> Self {
        self.quick_repair = on;
        self
    }
}
