//! Which faults are asked for.

use autochanger_engine::catalog::FaultRecord;
use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_scsi::ElementAddress;

/// Which faults [`Store::faults`](super::Store::faults) gives; each field narrows it down.
///
/// A filter that lets little through has the store read far into the past, as a [`HistoryFilter`](super::HistoryFilter)
/// does; one that names the request reads that request's only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultFilter {
    /// At most so many; [`MAX_LIMIT`](Self::MAX_LIMIT) where it is more. Default [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT).
    pub limit: usize,
    /// Only those that one request met.
    pub request: Option<RequestId>,
    /// Only those with one cartridge.
    pub cartridge: Option<CartridgeId>,
    /// Only those in one library.
    pub library: Option<LibraryId>,
    /// Only those in one drive; its element address speaks of one drive where the library is named, too.
    pub drive: Option<ElementAddress>,
}

impl FaultFilter {
    /// A screenful and some.
    pub const DEFAULT_LIMIT: usize = 100;
    /// Bounds one answer to a few megabytes.
    pub const MAX_LIMIT: usize = 10_000;

    pub(super) fn effective_limit(&self) -> usize {
        self.limit.min(Self::MAX_LIMIT)
    }

    pub(super) fn lets_through(&self, fault: &FaultRecord) -> bool {
        self.request.is_none_or(|request| request == fault.request)
            && self.cartridge.is_none_or(|cartridge| Some(cartridge) == fault.cartridge)
            && self.library.is_none_or(|library| library == fault.library)
            && self.drive.is_none_or(|drive| Some(drive) == fault.drive)
    }
}

impl Default for FaultFilter {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, request: None, cartridge: None, library: None, drive: None }
    }
}

impl From<RequestId> for FaultFilter {
    fn from(request: RequestId) -> Self {
        Self { request: Some(request), ..Self::default() }
    }
}

impl From<CartridgeId> for FaultFilter {
    fn from(cartridge: CartridgeId) -> Self {
        Self { cartridge: Some(cartridge), ..Self::default() }
    }
}

impl From<LibraryId> for FaultFilter {
    fn from(library: LibraryId) -> Self {
        Self { library: Some(library), ..Self::default() }
    }
}
