//! The tables: changes go in, requests and the catalogue come out.

use ::redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, TableError, WriteTransaction,
};
use autochanger_engine::catalog::{
    Cartridge, DriveRecord, LibraryRecord, MotionRecord, MotionState, MountRecord,
};
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::Request;
use autochanger_engine::{Change, Snapshot};
use autochanger_scsi::ElementAddress;
use uuid::Uuid;

use super::file::storage_error;
use crate::store::records::{
    self, Address, CartridgeFields, DriveFields, Flaw, LibraryFields, MotionFields, MountFields, Record,
    RequestFields,
};
use crate::store::{HistoryFilter, StoreError, unknown_change};

/// A UUID as a number: its order is the order of its bytes, which for version 7 is that of time.
pub(super) type IdKey = u128;
/// The request's id and the motion's sequence number.
pub(super) type MotionKey = (u128, u32);
type Definition<K, V = &'static [u8]> = TableDefinition<'static, K, V>;

const LIBRARIES: Definition<IdKey> = Definition::new("libraries");
const CARTRIDGES: Definition<IdKey> = Definition::new("cartridges");
const MOUNTS: Definition<IdKey> = Definition::new("mounts");
const REQUESTS: Definition<IdKey> = Definition::new("requests");
const LIVE: Definition<IdKey, ()> = Definition::new("live");
/// The time of the end in milliseconds since 1970, and the request's id.
pub(super) type EndKey = (u64, u128);
const ENDED: Definition<EndKey, ()> = Definition::new("ended");
const MOTIONS: Definition<MotionKey> = Definition::new("motions");
const OPEN_MOTIONS: Definition<MotionKey, ()> = Definition::new("open_motions");
/// The library's id and the element's address.
type DriveKey = (u128, u16);
const DRIVES: Definition<DriveKey> = Definition::new("drives");
/// The request's id and the fault's sequence number.
pub(super) type FaultKey = (u128, u32);
const FAULTS: Definition<FaultKey> = Definition::new("faults");
/// When it happened, in milliseconds since 1970, and its key.
pub(super) type FaultTimeKey = (u64, u128, u32);
const FAULT_TIMES: Definition<FaultTimeKey, ()> = Definition::new("fault_times");

/// The tables of a transaction that changes them.
pub(super) struct WriteTables<'t> {
    libraries: Table<'t, IdKey, &'static [u8]>,
    cartridges: Table<'t, IdKey, &'static [u8]>,
    pub(super) mounts: Table<'t, IdKey, &'static [u8]>,
    pub(super) requests: Table<'t, IdKey, &'static [u8]>,
    pub(super) live: Table<'t, IdKey, ()>,
    pub(super) ended: Table<'t, EndKey, ()>,
    pub(super) motions: Table<'t, MotionKey, &'static [u8]>,
    pub(super) open_motions: Table<'t, MotionKey, ()>,
    drives: Table<'t, DriveKey, &'static [u8]>,
    pub(super) faults: Table<'t, FaultKey, &'static [u8]>,
    pub(super) fault_times: Table<'t, FaultTimeKey, ()>,
}

impl<'t> WriteTables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            libraries: transaction.open_table(LIBRARIES).map_err(storage_error)?,
            cartridges: transaction.open_table(CARTRIDGES).map_err(storage_error)?,
            mounts: transaction.open_table(MOUNTS).map_err(storage_error)?,
            requests: transaction.open_table(REQUESTS).map_err(storage_error)?,
            live: transaction.open_table(LIVE).map_err(storage_error)?,
            ended: transaction.open_table(ENDED).map_err(storage_error)?,
            motions: transaction.open_table(MOTIONS).map_err(storage_error)?,
            open_motions: transaction.open_table(OPEN_MOTIONS).map_err(storage_error)?,
            drives: transaction.open_table(DRIVES).map_err(storage_error)?,
            faults: transaction.open_table(FAULTS).map_err(storage_error)?,
            fault_times: transaction.open_table(FAULT_TIMES).map_err(storage_error)?,
        })
    }

    pub(super) fn apply(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Library(library) => {
                let bytes = write::<LibraryFields<'_>>("libraries", library.id.0, library)?;
                self.libraries.insert(library.id.0.as_u128(), &*bytes).map_err(storage_error)?;
            }
            Change::Cartridge(cartridge) => {
                let bytes = write::<CartridgeFields<'_>>("cartridges", cartridge.id.0, cartridge)?;
                self.cartridges.insert(cartridge.id.0.as_u128(), &*bytes).map_err(storage_error)?;
            }
            Change::CartridgeGone(id) => {
                self.cartridges.remove(id.0.as_u128()).map_err(storage_error)?;
            }
            Change::Request(request) => self.keep_request(request)?,
            Change::Motion(motion) => self.keep_motion(motion)?,
            Change::Mount(mount) => {
                let bytes = write::<MountFields<'_>>("mounts", mount.id.0, mount)?;
                self.mounts.insert(mount.id.0.as_u128(), &*bytes).map_err(storage_error)?;
            }
            Change::MountEnded(id) => {
                self.mounts.remove(id.0.as_u128()).map_err(storage_error)?;
            }
            Change::Drive(drive) => self.keep_drive(drive)?,
            Change::Fault(fault) => self.keep_fault(fault)?,
            unknown => return Err(unknown_change(unknown)),
        }
        Ok(())
    }

    fn keep_request(&mut self, request: &Request) -> Result<(), StoreError> {
        let key = request.id.0.as_u128();
        let bytes = write::<RequestFields<'_>>("requests", request.id.0, request)?;
        let before = self.requests.insert(key, &*bytes).map_err(storage_error)?;
        let before = before.map(|before| read_request(key, before.value())).transpose()?;
        if let Some(before) = &before
            && before.state.is_final()
            && before.state != request.state
        {
            return Err(StoreError::Ended { id: request.id, state: before.state.to_string() });
        }
        self.keep_end(before.as_ref(), request)?;
        if request.state.is_final() {
            self.live.remove(key).map_err(storage_error)?;
        } else {
            self.live.insert(key, ()).map_err(storage_error)?;
        }
        Ok(())
    }

    fn keep_drive(&mut self, drive: &DriveRecord) -> Result<(), StoreError> {
        let key = (drive.library.0.as_u128(), drive.element.0);
        let bytes = records::write::<DriveFields<'_>>(&drive_address(&drive_key_bytes(key)), drive)
            .map_err(|flaw| refused("drive", drive_key_text(key), flaw))?;
        self.drives.insert(key, &*bytes).map_err(storage_error)?;
        Ok(())
    }

    fn keep_motion(&mut self, motion: &MotionRecord) -> Result<(), StoreError> {
        let key = (motion.request.0.as_u128(), motion.sequence);
        let bytes = records::write::<MotionFields>(&motion_address(&motion_key_bytes(key)), motion)
            .map_err(|flaw| refused("motion", motion_key_text(key), flaw))?;
        self.motions.insert(key, &*bytes).map_err(storage_error)?;
        if motion.state == MotionState::Open {
            self.open_motions.insert(key, ()).map_err(storage_error)?;
        } else {
            self.open_motions.remove(key).map_err(storage_error)?;
        }
        Ok(())
    }
}

/// The tables of a transaction that reads: all of one moment.
pub(super) struct ReadTables {
    libraries: ReadOnlyTable<IdKey, &'static [u8]>,
    cartridges: ReadOnlyTable<IdKey, &'static [u8]>,
    mounts: ReadOnlyTable<IdKey, &'static [u8]>,
    requests: ReadOnlyTable<IdKey, &'static [u8]>,
    live: ReadOnlyTable<IdKey, ()>,
    motions: ReadOnlyTable<MotionKey, &'static [u8]>,
    open_motions: ReadOnlyTable<MotionKey, ()>,
    drives: ReadOnlyTable<DriveKey, &'static [u8]>,
    pub(super) faults: ReadOnlyTable<FaultKey, &'static [u8]>,
    pub(super) fault_times: ReadOnlyTable<FaultTimeKey, ()>,
}

impl ReadTables {
    pub(super) fn open(transaction: &ReadTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            libraries: transaction.open_table(LIBRARIES).map_err(|error| table_error("libraries", error))?,
            cartridges: transaction
                .open_table(CARTRIDGES)
                .map_err(|error| table_error("cartridges", error))?,
            mounts: transaction.open_table(MOUNTS).map_err(|error| table_error("mounts", error))?,
            requests: transaction.open_table(REQUESTS).map_err(|error| table_error("requests", error))?,
            live: transaction.open_table(LIVE).map_err(|error| table_error("live", error))?,
            motions: transaction.open_table(MOTIONS).map_err(|error| table_error("motions", error))?,
            open_motions: transaction
                .open_table(OPEN_MOTIONS)
                .map_err(|error| table_error("open_motions", error))?,
            drives: transaction.open_table(DRIVES).map_err(|error| table_error("drives", error))?,
            faults: transaction.open_table(FAULTS).map_err(|error| table_error("faults", error))?,
            fault_times: transaction
                .open_table(FAULT_TIMES)
                .map_err(|error| table_error("fault_times", error))?,
        })
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut snapshot = Snapshot::default();
        for row in self.libraries.iter().map_err(storage_error)? {
            let (key, value) = row.map_err(storage_error)?;
            let id = Uuid::from_u128(key.value());
            let library: LibraryRecord = read::<LibraryFields<'_>>("libraries", id, value.value())?;
            snapshot.libraries.push(LibraryRecord { id: LibraryId(id), ..library });
        }
        for row in self.cartridges.iter().map_err(storage_error)? {
            let (key, value) = row.map_err(storage_error)?;
            let id = Uuid::from_u128(key.value());
            let cartridge: Cartridge = read::<CartridgeFields<'_>>("cartridges", id, value.value())?;
            snapshot.cartridges.push(Cartridge { id: CartridgeId(id), ..cartridge });
        }
        for row in self.mounts.iter().map_err(storage_error)? {
            let (key, value) = row.map_err(storage_error)?;
            let id = Uuid::from_u128(key.value());
            let mount: MountRecord = read::<MountFields<'_>>("mounts", id, value.value())?;
            snapshot.mounts.push(MountRecord { id: RequestId(id), ..mount });
        }
        for row in self.drives.iter().map_err(storage_error)? {
            let (key, value) = row.map_err(storage_error)?;
            snapshot.drives.push(read_drive(key.value(), value.value())?);
        }
        for row in self.live.iter().map_err(storage_error)? {
            let id = RequestId(Uuid::from_u128(row.map_err(storage_error)?.0.value()));
            let request = self.request(id)?.ok_or_else(|| dangling("live", id.to_string()))?;
            if request.state.is_final() {
                return Err(damaged("live", id.to_string(), "names a request that has ended".into()));
            }
            snapshot.requests.push(request);
            snapshot.motions.extend(self.motions(id)?);
        }
        for row in self.open_motions.iter().map_err(storage_error)? {
            let key = row.map_err(storage_error)?.0.value();
            let value = self.motions.get(key).map_err(storage_error)?;
            let value = value.ok_or_else(|| dangling("open_motions", motion_key_text(key)))?;
            let motion = read_motion(key, value.value())?;
            // Those of live requests are there already.
            if self.live.get(key.0).map_err(storage_error)?.is_none() {
                snapshot.motions.push(motion);
            }
        }
        snapshot.motions.sort_by_key(|motion| (motion.request, motion.sequence));
        Ok(snapshot)
    }

    pub(super) fn request(&self, id: RequestId) -> Result<Option<Request>, StoreError> {
        let key = id.0.as_u128();
        let value = self.requests.get(key).map_err(storage_error)?;
        value.map(|value| read_request(key, value.value())).transpose()
    }

    pub(super) fn history(&self, filter: &HistoryFilter) -> Result<Vec<Request>, StoreError> {
        let older = match filter.before {
            Some(before) => self.requests.range(..before.0.as_u128()),
            None => self.requests.iter(),
        };
        let mut found = Vec::new();
        for row in older.map_err(storage_error)?.rev() {
            if found.len() >= filter.effective_limit() {
                break;
            }
            let (key, value) = row.map_err(storage_error)?;
            let request = read_request(key.value(), value.value())?;
            if filter.lets_through(&request) {
                found.push(request);
            }
        }
        Ok(found)
    }

    pub(super) fn motions(&self, request: RequestId) -> Result<Vec<MotionRecord>, StoreError> {
        let id = request.0.as_u128();
        let mut found = Vec::new();
        for row in self.motions.range((id, 0)..=(id, u32::MAX)).map_err(storage_error)? {
            let (key, value) = row.map_err(storage_error)?;
            found.push(read_motion(key.value(), value.value())?);
        }
        Ok(found)
    }
}

fn write<'a, R: Record<'a>>(table: &'static str, id: Uuid, kept: &'a R::Kept) -> Result<Vec<u8>, StoreError> {
    records::write::<R>(&Address { table, key: id.as_bytes() }, kept)
        .map_err(|flaw| refused(table, id.to_string(), flaw))
}

fn read<'a, R: Record<'a>>(table: &'static str, id: Uuid, bytes: &'a [u8]) -> Result<R::Kept, StoreError> {
    records::read::<R>(&Address { table, key: id.as_bytes() }, bytes)
        .map_err(|flaw| damaged(table, id.to_string(), flaw))
}

pub(super) fn read_request(key: IdKey, bytes: &[u8]) -> Result<Request, StoreError> {
    let id = Uuid::from_u128(key);
    let request: Request = read::<RequestFields<'_>>("requests", id, bytes)?;
    Ok(Request { id: RequestId(id), ..request })
}

fn read_motion(key: MotionKey, bytes: &[u8]) -> Result<MotionRecord, StoreError> {
    let motion: MotionRecord = records::read::<MotionFields>(&motion_address(&motion_key_bytes(key)), bytes)
        .map_err(|flaw| damaged("motions", motion_key_text(key), flaw))?;
    Ok(MotionRecord { request: RequestId(Uuid::from_u128(key.0)), sequence: key.1, ..motion })
}

fn read_drive(key: DriveKey, bytes: &[u8]) -> Result<DriveRecord, StoreError> {
    let drive = records::read::<DriveFields<'_>>(&drive_address(&drive_key_bytes(key)), bytes)
        .map_err(|flaw| damaged("drives", drive_key_text(key), flaw))?;
    Ok(DriveRecord { library: LibraryId(Uuid::from_u128(key.0)), element: ElementAddress(key.1), ..drive })
}

fn drive_address(key: &[u8; 18]) -> Address<'_> {
    Address { table: "drives", key }
}

fn drive_key_bytes((library, element): DriveKey) -> [u8; 18] {
    let mut bytes = [0; 18];
    let (id, address) = bytes.split_at_mut(16);
    id.copy_from_slice(&library.to_be_bytes());
    address.copy_from_slice(&element.to_be_bytes());
    bytes
}

fn drive_key_text((library, element): DriveKey) -> String {
    format!("{}/{element}", Uuid::from_u128(library))
}

fn motion_address(key: &[u8; 20]) -> Address<'_> {
    Address { table: "motions", key }
}

pub(super) fn motion_key_bytes((request, sequence): MotionKey) -> [u8; 20] {
    let mut bytes = [0; 20];
    let (id, number) = bytes.split_at_mut(16);
    id.copy_from_slice(&request.to_be_bytes());
    number.copy_from_slice(&sequence.to_be_bytes());
    bytes
}

pub(super) fn motion_key_text((request, sequence): MotionKey) -> String {
    format!("{}/{sequence}", Uuid::from_u128(request))
}

pub(super) fn refused(record: &'static str, key: String, flaw: Flaw) -> StoreError {
    StoreError::Refused { record, key, what: flaw.into_owned() }
}

pub(super) fn damaged(table: &'static str, key: String, flaw: Flaw) -> StoreError {
    StoreError::Damaged { table, key, what: flaw.into_owned() }
}

pub(super) fn dangling(table: &'static str, key: String) -> StoreError {
    damaged(table, key, "names something that is not kept".into())
}

fn table_error(table: &'static str, error: TableError) -> StoreError {
    match error {
        TableError::Storage(error) => storage_error(error),
        other => damaged(table, String::new(), format!("cannot be opened: {other}").into()),
    }
}
