//! The faults: kept with the request that met them, and read in the order in which they happened.

use ::redb::ReadableTable;
use autochanger_engine::catalog::FaultRecord;
use autochanger_engine::id::RequestId;
use uuid::Uuid;

use super::file::storage_error;
use super::tables::{
    FaultKey, IdKey, ReadTables, WriteTables, damaged, dangling, motion_key_bytes, motion_key_text, refused,
};
use crate::store::records::{self, Address, FaultFields};
use crate::store::{FaultFilter, StoreError};

const TABLE: &str = "faults";

impl WriteTables<'_> {
    pub(super) fn keep_fault(&mut self, fault: &FaultRecord) -> Result<(), StoreError> {
        let key = (fault.request.0.as_u128(), fault.sequence);
        let bytes =
            records::write::<FaultFields<'_>>(&Address { table: TABLE, key: &motion_key_bytes(key) }, fault)
                .map_err(|flaw| refused("fault", motion_key_text(key), flaw))?;
        let before = self.faults.insert(key, &*bytes).map_err(storage_error)?;
        if let Some(before) = before {
            let before = read_fault(key, before.value())?;
            self.fault_times.remove((before.at.0, key.0, key.1)).map_err(storage_error)?;
        }
        self.fault_times.insert((fault.at.0, key.0, key.1), ()).map_err(storage_error)?;
        Ok(())
    }

    pub(super) fn delete_faults(&mut self, request: IdKey) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        for row in self.faults.range((request, 0)..=(request, u32::MAX)).map_err(storage_error)? {
            let (key, value) = row.map_err(storage_error)?;
            faults.push(read_fault(key.value(), value.value())?);
        }
        for fault in faults {
            self.faults.remove((request, fault.sequence)).map_err(storage_error)?;
            self.fault_times.remove((fault.at.0, request, fault.sequence)).map_err(storage_error)?;
        }
        Ok(())
    }
}

impl ReadTables {
    pub(super) fn faults(&self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        match filter.request {
            Some(request) => self.faults_of(request.0.as_u128(), filter),
            None => self.latest_faults(filter),
        }
    }

    fn faults_of(&self, request: IdKey, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        let mut found = Vec::new();
        for row in self.faults.range((request, 0)..=(request, u32::MAX)).map_err(storage_error)?.rev() {
            if found.len() >= filter.effective_limit() {
                break;
            }
            let (key, value) = row.map_err(storage_error)?;
            let fault = read_fault(key.value(), value.value())?;
            if filter.lets_through(&fault) {
                found.push(fault);
            }
        }
        Ok(found)
    }

    fn latest_faults(&self, filter: &FaultFilter) -> Result<Vec<FaultRecord>, StoreError> {
        let mut found = Vec::new();
        for row in self.fault_times.iter().map_err(storage_error)?.rev() {
            if found.len() >= filter.effective_limit() {
                break;
            }
            let (_, request, sequence) = row.map_err(storage_error)?.0.value();
            let key = (request, sequence);
            let value = self.faults.get(key).map_err(storage_error)?;
            let value = value.ok_or_else(|| dangling("fault_times", motion_key_text(key)))?;
            let fault = read_fault(key, value.value())?;
            if filter.lets_through(&fault) {
                found.push(fault);
            }
        }
        Ok(found)
    }
}

fn read_fault(key: FaultKey, bytes: &[u8]) -> Result<FaultRecord, StoreError> {
    let fault =
        records::read::<FaultFields<'_>>(&Address { table: TABLE, key: &motion_key_bytes(key) }, bytes)
            .map_err(|flaw| damaged(TABLE, motion_key_text(key), flaw))?;
    Ok(FaultRecord { request: RequestId(Uuid::from_u128(key.0)), sequence: key.1, ..fault })
}
