//! From Removable Storage Manager, call by call.
//!
//! For readers who know the NTMS functions of Windows. Only what exists today is in the tables; the rest is
//! [named below](#not-there-yet).
//!
//! # Calls
//!
//! | RSM | here | what differs, and why |
//! |---|---|---|
//! | `OpenNtmsSession` | [`Manager::session`] | no service to connect to: the manager lives in the process. The application's name is required, 1 to 256 bytes; a [role](crate::Role) takes the place of security descriptors: *use* is an application's, *control* and *modify* of a library are an operator's, those of the computer and of others' requests an administrator's |
//! | `CloseNtmsSession` | [`Session::close`] | cancels the session's mounts unless [detached](crate::MountBuilder::detached); the rest goes on, and nothing is dismounted, as in RSM. Dropping a session cancels nothing |
//! | `EnumerateNtmsObject`, `GetNtmsObjectInformation` | [`Session::libraries`], [`drives`](Session::drives), [`slots`](Session::slots), [`cartridges`](Session::cartridges) | one call gives the objects themselves. Slots, ports and arms are in one list, told apart by type |
//! | the same, of kind LIBREQUEST | [`Session::requests`], [`live_requests`](Session::live_requests), [`request`](Session::request) | the history is read newest first, a bounded part at a time |
//! | `MountNtmsMedia` | [`Session::mount`] | one cartridge for each request, by label, id or element. Awaited it blocks as in RSM; [submitted](crate::MountBuilder::submit) it gives a ticket with progress. It passes when the drive is ready |
//! | … `NTMS_MOUNT_SPECIFIC_DRIVE` | [`MountBuilder::drive`](crate::MountBuilder::drive) | by element address |
//! | … `NTMS_MOUNT_READ`, `WRITE` | [`read_only`](crate::MountBuilder::read_only), [`read_write`](crate::MountBuilder::read_write) | decides which drive generations will do |
//! | … several media | [`Session::mount_all`] | a request for each, all or none: in one library, begun when there is a drive for each, cancelled together. With [`wait_for_operator`](crate::MountAllBuilder::wait_for_operator) none is mounted while one is away. Where RSM fails the call, the error is that of the one that kept the others from it |
//! | … `NTMS_MOUNT_ERROR_NOT_AVAILABLE` | [`at_once`](crate::MountBuilder::at_once) | [`Refusal::Busy`]; what comes in between ends the request with [`FailureKind::Busy`](crate::FailureKind::Busy) |
//! | … without `NTMS_MOUNT_ERROR_OFFLINE` | [`wait_for_operator`](crate::MountBuilder::wait_for_operator) | the other way round: a cartridge that is not in the library is refused unless the caller wants to wait for a person |
//! | … time-out | [`deadline`](crate::MountBuilder::deadline) | the request ends as cancelled or stopped, not with one of two codes |
//! | … `dwPriority` | [`priority`](crate::MountBuilder::priority) | −15 to 15, for every operation; order: operation, then place, priority and age together ([`priority_worth`](crate::ManagerBuilder::priority_worth)), so that nothing starves |
//! | `DismountNtmsMedia` (immediate) | [`Session::dismount`], [`Mounted::dismount`](crate::Mounted::dismount) | a slot may be named. [`force`](crate::DismountBuilder::force) is for what another application has mounted, or a drive that is held by PREVENT |
//! | … `NTMS_DISMOUNT_DEFERRED` | [`deferred`](crate::DismountBuilder::deferred) | the request stays as [`State::Deferred`] until the medium leaves, or is mounted again where it is ([`kept_in_drive`](crate::Dismounted::kept_in_drive)) |
//! | … `dwDeferDismountDelay` | [`LibraryConfig::dwell`](crate::LibraryConfig::dwell) | of a library's drives together, not of each; zero unless given, there five minutes |
//! | `DismountNtmsDrive` | [`Session::dismount_drive`] | a drive that somebody else uses needs `force`, as its medium would |
//! | `EnableNtmsObject`, `DisableNtmsObject` | [`Session::enable`], [`disable`](Session::disable) | of a library, drive or cartridge; a request with an end, not a flag. [`pause`](Session::pause) and [`drain`](Session::drain) are not RSM's |
//! | `AccessNtmsLibraryDoor` | [`Session::door_access`] | [`then`](crate::DoorAccessBuilder::then) with an [`AfterDoor`](crate::AfterDoor): `NONE`, `FAST`, `OMID`, `DEFAULT`, new labels only, or the library's own scan; `FAST` unless given |
//! | `EjectNtmsMedia` | [`Session::eject`], [`eject_all`](Session::eject_all) | a request for each cartridge in place of `QUEUE` and `START`; `STOP` is a cancel |
//! | `InjectNtmsMedia` | [`Session::inject`], [`inject_many`](Session::inject_many) | `STOP` is a cancel; no `RETRACT`: a cancel leaves in its slot what was taken in |
//! | `EjectNtmsCleaner`, `InjectNtmsCleaner` | [`Session::eject_cleaner`], [`inject_cleaner`](Session::inject_cleaner) | requests with an end of their own |
//! | `ReserveNtmsCleanerSlot`, `ReleaseNtmsCleanerSlot` | [`Session::reserve_cleaner_slot`], [`release_cleaner_slot`](Session::release_cleaner_slot) | requests, so that they are in the history |
//! | `CleanNtmsDrive` | [`Session::clean_drive`] | a request with an end of its own |
//! | `IdentifyNtmsSlot` | [`Session::identify`] | of a cartridge, by label, id or element; [`keep`](crate::IdentifyBuilder::keep) for `NTMS_DISMOUNT_DEFERRED` |
//! | `UpdateNtmsOmidInfo` | [`Session::update_label`] | the label itself, not its raw bytes: no label library must claim it |
//! | `SetNtmsRequestOrder`, `GetNtmsRequestOrder` | [`Session::reorder`], [`queue_position`](Session::queue_position) | for every operation, not only mounts. `None` for RSM's 0; the place is durable. One's own requests need no administrator |
//! | `DeleteNtmsRequests`, `dwLibRequestPurgeTime` | [`Session::purge_requests`] | also by age and by number; nothing is purged by itself. What a mounted medium or a motion in doubt needs is kept and counted |
//! | `CancelNtmsOperatorRequest` | [`Session::refuse_operator_request`] | by the id of the request that waits. For `SatisfyNtmsOperatorRequest` the manager looks itself, at each inventory |
//! | operator requests, enumerated | [`Session::operator_requests`] | there as long as they are asked; the request that waits is what is durable |
//! | `InventoryNtmsLibrary` (`DEFAULT`, `FAST`) | [`Session::inventory`] | READ ELEMENT STATUS unless the library is configured otherwise. It waits for moves to end, and ends when all is read |
//! | … `OMID` | [`InventoryMethod::AllLabels`](crate::InventoryMethod) | [`method`](crate::InventoryBuilder::method). It ends when the last label was read, not when the slots are marked; each reading is an [identification](super::labels#identify) |
//! | `InventoryMethod` of a library | [`LibraryConfig::inventory_method`](crate::LibraryConfig::inventory_method) | of the configuration, not of the store |
//! | … `STOP` | [`Session::cancel_library_request`] | by the request's id |
//! | – | [`InventoryBuilder::full`](crate::InventoryBuilder::full) | INITIALIZE ELEMENT STATUS first: the library scans itself. It is not RSM's `OMID`: no label is read from a medium |
//! | `CancelNtmsLibraryRequest` | [`Session::cancel_library_request`] | [below](#cancel) |
//! | `OpenNtmsNotification`, `WaitForNtmsNotification`, `CloseNtmsNotification` | [`Session::events`] | events carry what happened, are numbered, and say when some were [missed](crate::Lagged). Closing is dropping |
//! | service restart | [`ManagerBuilder::restart`](crate::ManagerBuilder::restart) | [`CancelUnfinished`](crate::RestartPolicy::CancelUnfinished) is RSM's way; the default goes on. No inventory runs by itself as a request: the library is read when it is opened |
//! | – | [`Session::adopt`], [`mounts`](Session::mounts) | mounts outlive the process that made them |
//! | – | [`Session::motions`] | each move's intent and outcome |
//! | – | [`Session::faults`] | what failed, whose fault it was, with the device's words; drives, cartridges and libraries count theirs |
//!
//! What was asked for under an [id of your own](super::concepts#asking-twice) can be asked for again; RSM drew the ids.
//!
//! # Cancel
//!
//! | RSM | here |
//! |---|---|
//! | success means *accepted*, and the request may still pass | `Cancelled` means that nothing moved; `Stopping` has a verdict to await |
//! | `ACCESS_DENIED` for "no right" and for "being handled" | `PermissionDenied` and `InProgress` |
//! | `OBJECT_NOT_FOUND` for "unknown" and for "ended" | `NotFound` and `AlreadyFinished`, which carries the state |
//! | library busy: the cancel is queued as a REMOVE item | never queued. An open verdict is in [`Request::stopping`](crate::Request) |
//! | administrators only | the request's own application, and administrators |
//! | the submitter's code is not documented | [`Cancelled`](crate::RequestError::Cancelled) or [`Stopped`](crate::RequestError::Stopped), with by whom and why |
//! | no reason | [`reason`](crate::CancelBuilder::reason) |
//!
//! # Win32 codes
//!
//! [`CancelError::win32_code`] gives the code that RSM gave for the same fact. [`Refusal::win32_code`](crate::Refusal::win32_code),
//! [`SubmitError::win32_code`](crate::SubmitError::win32_code) and [`Failure::win32_code`](crate::Failure::win32_code) do so for what was
//! refused or failed; where RSM has no such fact, a refusal has the nearest code, and a failure none. The errors of requests, of
//! reordering, adopting, purging and queries have their codes by the same name: a request that ended early has 1460 (`TIMEOUT`) by its
//! deadline, 4320 (`REQUEST_REFUSED`) by an operator, 1223 (`CANCELLED`) otherwise.
//!
//! | answer | code | |
//! |---|---|---|
//! | `Ok` | 0 | `ERROR_SUCCESS` |
//! | [`InProgress`](CancelError::InProgress), [`PermissionDenied`](CancelError::PermissionDenied) | 5 | `ERROR_ACCESS_DENIED` |
//! | [`SessionClosed`](CancelError::SessionClosed) | 6 | `ERROR_INVALID_HANDLE` |
//! | [`ResourceExhausted`](CancelError::ResourceExhausted) | 8 | `ERROR_NOT_ENOUGH_MEMORY` |
//! | [`NotFound`](CancelError::NotFound), [`AlreadyFinished`](CancelError::AlreadyFinished) | 4312 | `ERROR_OBJECT_NOT_FOUND` |
//! | [`Store`](CancelError::Store) | 4313 | `ERROR_DATABASE_FAILURE` |
//!
//! # States and operations
//!
//! | `NtmsLmState` | here |
//! |---|---|
//! | 0 `QUEUED` | [`State::Queued`] |
//! | 1 `INPROCESS` | [`State::InProcess`] |
//! | 2 `PASSED` | [`State::Passed`], with an [`Outcome`](crate::Outcome) |
//! | 3 `FAILED`, `dwErrorCode` | [`State::Failed`], with a [`Failure`](crate::Failure): kind, words, sense data, place |
//! | 4 `INVALID` | [`State::Invalid`]: what is not valid when it is handed in is refused instead |
//! | 5 `WAITING` | [`State::Waiting`], with what for |
//! | 6 `DEFERRED` | [`State::Deferred`] |
//! | 7 `CANCELLED` | [`State::Cancelled`]: nothing was done |
//! | 8 `STOPPED` | [`State::Stopped`]: something was done, and nothing is moved back |
//!
//! | `NtmsLmOperation` | here |
//! |---|---|
//! | 0 `REMOVE` | [`Request::stopping`](crate::Request) of the victim |
//! | 1 to 21 | [`Operation`], by the same numbers; a pause or drain is an `ENABLE…` |
//! | 8 `INVENTORY` | [`Operation::Inventory`] |
//! | 9 `DOORACCESS` | [`Operation::DoorAccess`] |
//! | 10 `EJECT`, 11 `EJECTCLEANER` | [`Operation::Eject`], [`Operation::EjectCleaner`]; `START` is the request, `STOP` its cancel, and several requests stand for `QUEUE` |
//! | 12 `INJECT`, 13 `INJECTCLEANER` | [`Operation::Inject`], [`Operation::InjectCleaner`]; `STOP` and `RETRACT` are its cancel |
//! | 16 `DISMOUNT` | [`Operation::Dismount`] |
//! | 17 `MOUNT` | [`Operation::Mount`] |
//!
//! # Codes of the other calls
//!
//! What RSM told by a code, and how it is told here:
//!
//! | RSM | here |
//! |---|---|
//! | `OBJECT_NOT_FOUND`, `INVALID_MEDIA` of a mount | [`Refusal::CartridgeNotFound`] |
//! | `MEDIA_OFFLINE` | [`Refusal::CartridgeNotAvailable`], unless the mount [waits for an operator](crate::MountBuilder::wait_for_operator) |
//! | `INVALID_STATE` of a dismount | [`Refusal::NotMounted`]; [`Refusal::MediaOpen`] where another application has it mounted, [`Refusal::OwnMediaOpen`] where an eject or identification finds it mounted by its own |
//! | `INVALID_DRIVE`, `DRIVE_MEDIA_MISMATCH` (a drive of another library) | [`Refusal::NoSuchElement`] |
//! | `ACCESS_DENIED` | [`Refusal::RoleNeeded`]; of a cancel, reordering or adoption `PermissionDenied` |
//! | `INVALID_LIBRARY` | [`Refusal::NoSuchLibrary`] |
//! | `NOT_READY`, `LIBRARY_OFFLINE` | [`Refusal::NotReady`] |
//! | – | [`Refusal::Incompatible`]: generations of cartridge and drive that do not go together |
//! | `NOT_ENOUGH_MEMORY` | [`Refusal::ResourceExhausted`] |
//! | `DATABASE_FAILURE` | [`Refusal::Store`], [`StoreError`](crate::store::StoreError) |
//! | `BUSY` | the request waits; with `at_once` it is [`Refusal::Busy`] |
//! | `RESOURCE_DISABLED` | [`Refusal::Disabled`], and [`FailureKind::Disabled`](crate::FailureKind::Disabled) for what waited |
//! | `TIMEOUT` | cancelled or stopped by [`CancelledBy::Deadline`](crate::request::CancelledBy::Deadline) |
//! | `CANCELLED` to a blocked mount | [`RequestError::Cancelled`](crate::RequestError::Cancelled) by [`CancelledBy::SessionClosed`](crate::request::CancelledBy::SessionClosed) |
//!
//! # Not there yet
//!
//! Pools, sides and allocations (`AllocateNtmsMedia` and its kind); `SubmitNtmsOperatorRequest` for messages of one's own;
//! `DeleteNtmsDrive`, `DeleteNtmsLibrary`; attributes, names and security descriptors of objects; `ExportNtmsDatabase`.

#[cfg(doc)]
use crate::{CancelError, Manager, Operation, Refusal, Session, State};
