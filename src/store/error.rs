//! What can go wrong with a store, and what to do about it.

use std::error::Error;
use std::path::PathBuf;

use autochanger_engine::id::RequestId;

/// The store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be opened or made.
    #[error(
        "the store {} cannot be opened: {source}; check that its directory exists, that this user may write to it, \
         and that the disk is not full",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or the database said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file is open elsewhere, in this process or another one.
    #[error(
        "the store {} is in use by another manager: stop that one, or give this one a file of its own",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a store.
    #[error(
        "{} is not a store of this crate ({what}): give another path, or move the file away and a new store is made",
        path.display()
    )]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        what: String,
    },
    /// The file was written by a release whose format this one does not read.
    #[error(
        "the store {} has format {found}, and this release reads formats up to {supported}: open it with the release \
         that wrote it or a later one",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: u64,
        /// The newest format that this release reads.
        supported: u64,
    },
    /// A record cannot be read.
    #[error(
        "the store is damaged: in the table {table} the record {key} {what}; restore the file from a backup, or move \
         it away and run an inventory"
    )]
    Damaged {
        /// The table.
        table: &'static str,
        /// The record's key; empty where the table itself is concerned.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// A change cannot be kept: a defect of the program that made it.
    #[error("the {record} {key} cannot be kept: {what}; report it")]
    Refused {
        /// What kind of record.
        record: &'static str,
        /// Its key.
        key: String,
        /// Why.
        what: String,
    },
    /// A request that had ended was to get another state: a defect of the program. Nothing of the batch was kept.
    #[error("request {id} has ended ({state}) and cannot change any more: nothing was kept; report it")]
    Ended {
        /// The request.
        id: RequestId,
        /// Its final state.
        state: String,
    },
    /// Reading or writing failed. Whether the last batch is durable is not known.
    #[error(
        "the store cannot be read or written: {source}; check the disk and its free space, then open the store again"
    )]
    Io {
        /// What the system or the database said.
        source: Box<dyn Error + Send + Sync>,
    },
}
