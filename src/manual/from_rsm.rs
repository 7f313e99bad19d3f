//! From Removable Storage Manager, call by call.
//!
//! For readers who know the NTMS functions of Windows. Each of them has a row: what takes its place, or [why nothing
//! does](#what-is-not-here).
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
//! | … `NTMS_MOUNT_NOWAIT`, `NTMS_ASYNC_IO` | [`MountBuilder::submit`](crate::MountBuilder::submit) | the ticket is awaited or dropped, and has the [states](#states-and-operations) for `dwAsyncState` |
//! | `DismountNtmsDrive` | [`Session::dismount_drive`] | a drive that somebody else uses needs `force`, as its medium would |
//! | `EnableNtmsObject`, `DisableNtmsObject` | [`Session::enable`], [`disable`](Session::disable) | of a library, drive or cartridge; a request with an end, not a flag. [`pause`](Session::pause) and [`drain`](Session::drain) are not RSM's |
//! | `AccessNtmsLibraryDoor` | [`Session::door_access`] | [`then`](crate::DoorAccessBuilder::then) with an [`AfterDoor`](crate::AfterDoor): `NONE`, `FAST`, `OMID`, `DEFAULT`, new labels only, or the library's own scan; `FAST` unless given |
//! | `EjectNtmsMedia` | [`Session::eject`], [`eject_all`](Session::eject_all) | a request for each cartridge in place of `QUEUE` and `START`; `STOP` is a cancel |
//! | `InjectNtmsMedia` | [`Session::inject`], [`inject_many`](Session::inject_many) | `STOP` is a cancel, which leaves in its slot what was taken in; `RETRACT` is [`satisfy_operator_request`](Session::satisfy_operator_request): the ports are taken in, what lies in them is taken, and the request passes. [`identify`](crate::InjectBuilder::identify) has each label read, as RSM always does |
//! | `EjectNtmsCleaner`, `InjectNtmsCleaner` | [`Session::eject_cleaner`], [`inject_cleaner`](Session::inject_cleaner) | requests with an end of their own |
//! | `ReserveNtmsCleanerSlot`, `ReleaseNtmsCleanerSlot` | [`Session::reserve_cleaner_slot`], [`release_cleaner_slot`](Session::release_cleaner_slot) | requests, so that they are in the history |
//! | `CleanNtmsDrive` | [`Session::clean_drive`] | a request with an end of its own |
//! | `SetNtmsObjectInformation`, `dwCleanerUsesRemaining` | [`Session::set_cleaner_uses`] | of a cartridge, not of the library: a library can have several cleaners. `None` for 0xFFFFFFFF |
//! | … the other members | [`LibraryConfig`](crate::LibraryConfig), [`ManagerBuilder`](crate::ManagerBuilder) | see [settings](#settings): they are the configuration's, given at each start, so that no two writers lose each other's. Names and descriptions are [not here](#what-is-not-here) |
//! | `IdentifyNtmsSlot` | [`Session::identify`] | of a cartridge, by label, id or element; [`keep`](crate::IdentifyBuilder::keep) for `NTMS_DISMOUNT_DEFERRED` |
//! | `UpdateNtmsOmidInfo` | [`Session::update_label`] | the label itself, not its raw bytes: no label library must claim it |
//! | `SetNtmsRequestOrder`, `GetNtmsRequestOrder` | [`Session::reorder`], [`queue_position`](Session::queue_position) | for every operation, not only mounts. `None` for RSM's 0; the place is durable. One's own requests need no administrator |
//! | `DeleteNtmsRequests` | [`Session::purge_requests`] | also by age and by number. What a mounted medium or a motion in doubt needs is kept and counted |
//! | `CancelNtmsOperatorRequest` | [`Session::refuse_operator_request`] | by the id of the request that waits, which ends by it |
//! | `SatisfyNtmsOperatorRequest` | [`Session::satisfy_operator_request`] | it is not believed, as in RSM, but looked into at once; what is not so stays asked. The manager also sees by itself, at each inventory, what was done |
//! | `WaitForNtmsOperatorRequest` | awaiting the ticket of the request that waits | nothing is asked of a person but for a request: its end is the answer. For a device that needs hands (`NTMS_OPREQ_DEVICESERVICE`), for which nobody waits in RSM, it is one of the manager's own, to put the device into service ([`OperatorTask::DeviceService`](crate::view::OperatorTask::DeviceService)). [`EventKind::OperatorDone`](crate::EventKind::OperatorDone) tells that a task is done with |
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
//! # Settings
//!
//! | RSM | here |
//! |---|---|
//! | `InventoryMethod` | [`inventory_method`](crate::LibraryConfig::inventory_method) |
//! | `AutoRecovery` | [`auto_recovery`](crate::LibraryConfig::auto_recovery): a fast inventory, by a request of the manager's own |
//! | `MaxOpenSecs` of a door | [`Timing::door_patience`](crate::Timing::door_patience): one for a library. A person is asked to close it, and it is waited for |
//! | `MaxExtendSecs` of a port | [`Timing::port_timeout`](crate::Timing::port_timeout): one for a library. The request that waits at the port ends with it |
//! | `dwDeferDismountDelay` of a drive | [`dwell`](crate::LibraryConfig::dwell): one for a library |
//! | `dwCleanerUsesRemaining` | [`Session::set_cleaner_uses`], or given with [`inject_cleaner`](Session::inject_cleaner) |
//! | `OperationOption`: `DEFERRED`, `FORCEIMMEDIATE` | [`deferred`](crate::DismountBuilder::deferred), [`force`](crate::DismountBuilder::force); the two are kept apart in [`Request::options`](crate::Request) and in what was asked for |
//! | … `INJECTMANY` | [`inject_many`](Session::inject_many) |
//! | … `FULL_INVENTORY`, `SLOTS_ONLY` | [`InventoryMethod`](crate::InventoryMethod); media in drives that nobody uses have their labels read where they are |
//! | `dwLibRequestPurgeTime`; `dwLibRequestFlags`: `NOAUTOPURGE`, `NOFAILEDPURGE` | [`ManagerBuilder::purge_after`](crate::ManagerBuilder::purge_after): 72 h, or `None`; [`purge_failed`](crate::ManagerBuilder::purge_failed): those that failed stay unless it is said |
//! | `dwOpRequestPurgeTime`, `dwOpRequestFlags` | – : a task is gone when it is done, and what waited for it is a request |
//! | `dwMediaPoolPolicy` | – : with pools |
//! | `RECOGNIZECLEANERBARCODE` | always: `CLN` begins a cleaner's barcode |
//! | media types, `NTMS_MEDIATYPEINFORMATION` | the barcode's suffix and [`LibraryConfig::compatibility`](crate::LibraryConfig::compatibility) tell which medium works in which drive |
//! | stand-alone drives | – : a library is a device that answers as a medium changer. A drive alone has nothing that the arm could do for it |
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
//! | 12 `INJECT`, 13 `INJECTCLEANER` | [`Operation::Inject`], [`Operation::InjectCleaner`]; `STOP` is its cancel, `RETRACT` a [satisfied](Session::satisfy_operator_request) operator request |
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
//! Of the codes for work items that failed, four are never given, because another one says more:
//!
//! | RSM | here |
//! |---|---|
//! | 4322 `LIBRARY_FULL` | an inject without a free slot waits, and asks a person to make room; when nobody does, it is [`TimedOut`](crate::FailureKind::TimedOut), 1460 |
//! | 4330 `UNABLE_TO_EJECT_MOUNTED_MEDIA` | refused before anything is kept: [`Refusal::MediaOpen`], [`Refusal::OwnMediaOpen`], 5023 as for a dismount |
//! | 4333 `CLEANER_CARTRIDGE_SPENT` | the next cleaner is tried, else a person is asked for one; when none comes, [`NoCleaner`](crate::FailureKind::NoCleaner), 4310 |
//! | 4341 `IEPORT_FULL` | an eject waits for an empty port, and asks a person to empty one; when nobody does, [`TimedOut`](crate::FailureKind::TimedOut), 1460 |
//!
//! # What is not here
//!
//! | RSM | why |
//! |---|---|
//! | `AllocateNtmsMedia`, `DeallocateNtmsMedia`, `SwapNtmsMedia`, `DecommissionNtmsMedia`, `SetNtmsMediaComplete` | not there yet: allocations and sides are to come |
//! | `CreateNtmsMediaPool`, `DeleteNtmsMediaPool`, `GetNtmsMediaPoolName`, `MoveToNtmsMediaPool` | not there yet: pools are to come. [`write_free_label`](Session::write_free_label) is what `MoveToNtmsMediaPool` does to a medium that becomes free |
//! | `CreateNtmsMedia`, `DeleteNtmsMedia` | not there yet: a cartridge is known when it was seen, and stays known when it is away |
//! | `AddNtmsMediaType`, `DeleteNtmsMediaType`, `ChangeNtmsMediaType` | with pools. What goes with what is the [configuration's](crate::LibraryConfig::compatibility), not an object |
//! | `SubmitNtmsOperatorRequest` | not there yet: only what a request waits for is asked of a person |
//! | `DeleteNtmsDrive`, `DeleteNtmsLibrary` | not there yet. A library that is not configured is not used, and what a configured one reports is that one's; [what was left open in it](super::recovery#a-library-that-is-not-configured-any-more) is told, and a cancel ends it |
//! | `GetNtmsObjectAttribute`, `SetNtmsObjectAttribute` | not there yet; names and descriptions of objects neither |
//! | `GetNtmsObjectSecurity`, `SetNtmsObjectSecurity` | a [role](crate::Role) for each session, given by the program that opens it: who may be an administrator of what is that program's to know |
//! | `ExportNtmsDatabase`, `ImportNtmsDatabase` | the store is one file: copy it while no manager has it open, and open it where it is to be used. Taking it back needs no restart of a service, for there is none |
//! | `GetNtmsUIOptions`, `SetNtmsUIOptions` | no user interface of ours, and no service that could send to other machines: [`events`](Session::events) tell what a person is asked, and a program shows it |
//! | `BeginNtmsDeviceChangeDetection`, `SetNtmsDeviceChangeDetection`, `EndNtmsDeviceChangeDetection` | they did nothing since Windows XP. What changes is noticed by what devices say |
//! | `EjectDiskFromSADrive`, `GetVolumesFromDrive` | of stand-alone drives and their file systems, which are not managed here; [`eject`](Session::eject) is for cartridges of a library |
//! | `ClaimMediaLabel`, `MaxMediaLabel` | [`LabelFormat`](crate::label::LabelFormat) is a trait in the program in place of a library that is registered |
//!
#[cfg(doc)]
use crate::{CancelError, Manager, Operation, Refusal, Session, State};
