//! A request as its record holds it.

use autochanger_engine::id::{CartridgeId, LibraryId, RequestId};
use autochanger_engine::request::{GroupId, Options, QueuePlace, Request};
use autochanger_engine::time::WallTime;
use autochanger_scsi::ElementAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::FailureFields;
use super::names::{Id, name_from, name_to, optional_name_from, optional_name_to};
use super::state::{CancelledByFields, StateFields};
use super::wanted::WantedFields;
use super::{Added, Flaw, Record};

/// A request without its id, which is the key.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct RequestFields<'a> {
    #[serde(borrow)]
    wanted: WantedFields<'a>,
    library: Id,
    cartridge: Option<Id>,
    barcode: Option<&'a str>,
    drive: Option<u16>,
    application: &'a str,
    priority: i8,
    deadline: Option<u64>,
    detached: bool,
    queued_at: u64,
    ended_at: Option<u64>,
    #[serde(borrow)]
    state: StateFields<'a>,
    #[serde(borrow)]
    stopping: Option<CancelledByFields<'a>>,
    motions: u32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct LaterOfRequest<'a> {
    options: OptionsFields,
    queue_place: Option<u128>,
    #[serde(borrow)]
    failing: Option<FailureFields<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct ThirdOfRequest {
    administrator: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct FourthOfRequest {
    identify: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct OptionsFields {
    deferred: bool,
    at_once: bool,
    wait_for_operator: bool,
    group: Option<Id>,
}

impl From<Options> for OptionsFields {
    fn from(options: Options) -> Self {
        Self {
            deferred: options.deferred,
            at_once: options.at_once,
            wait_for_operator: options.wait_for_operator,
            group: options.group.map(|group| group.0.into_bytes()),
        }
    }
}

impl From<OptionsFields> for Options {
    fn from(fields: OptionsFields) -> Self {
        Self {
            deferred: fields.deferred,
            at_once: fields.at_once,
            wait_for_operator: fields.wait_for_operator,
            group: fields.group.map(|group| GroupId(Uuid::from_bytes(group))),
            identify: false,
        }
    }
}

impl<'a> Record<'a> for RequestFields<'a> {
    type Kept = Request;
    type Second = LaterOfRequest<'a>;
    type Third = ThirdOfRequest;
    type Fourth = FourthOfRequest;

    fn write(request: &'a Request) -> Result<(Self, Added<'a, Self>), Flaw> {
        let fields = Self {
            wanted: (&request.wanted).try_into()?,
            library: request.library.0.into_bytes(),
            cartridge: request.cartridge.map(|id| id.0.into_bytes()),
            barcode: optional_name_to(&request.barcode)?,
            drive: request.drive.map(|drive| drive.0),
            application: name_to(&request.application)?,
            priority: request.priority,
            deadline: request.deadline.map(|at| at.0),
            detached: request.detached,
            queued_at: request.queued_at.0,
            ended_at: request.ended_at.map(|at| at.0),
            state: (&request.state).try_into()?,
            stopping: request.stopping.as_ref().map(TryInto::try_into).transpose()?,
            motions: request.motions,
        };
        let later = LaterOfRequest {
            options: request.options.into(),
            queue_place: request.queue_place.map(|place| place.0),
            failing: request.failing.as_ref().map(TryInto::try_into).transpose()?,
        };
        let third = ThirdOfRequest { administrator: request.administrator };
        let fourth = FourthOfRequest { identify: request.options.identify };
        Ok((fields, (later, third, fourth)))
    }

    fn read(self, (later, third, fourth): Added<'a, Self>) -> Result<Request, Flaw> {
        if !(-15..=15).contains(&self.priority) {
            return Err(format!("has priority {}, which is out of range", self.priority).into());
        }
        Ok(Request {
            id: RequestId(Uuid::nil()),
            wanted: self.wanted.try_into()?,
            library: LibraryId(Uuid::from_bytes(self.library)),
            cartridge: self.cartridge.map(|id| CartridgeId(Uuid::from_bytes(id))),
            barcode: optional_name_from(self.barcode)?,
            drive: self.drive.map(ElementAddress),
            application: name_from(self.application)?,
            priority: self.priority,
            deadline: self.deadline.map(WallTime),
            detached: self.detached,
            queued_at: WallTime(self.queued_at),
            ended_at: self.ended_at.map(WallTime),
            state: self.state.try_into()?,
            stopping: self.stopping.map(TryInto::try_into).transpose()?,
            motions: self.motions,
            options: Options { identify: fourth.identify, ..later.options.into() },
            queue_place: later.queue_place.map(QueuePlace),
            failing: later.failing.map(TryInto::try_into).transpose()?,
            administrator: third.administrator,
        })
    }
}
