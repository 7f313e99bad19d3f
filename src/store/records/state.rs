//! The states of a request as records hold them.

use autochanger_engine::id::{CartridgeId, RequestId};
use autochanger_engine::request::{CancelledBy, LabelFound, LabelsRead, Outcome, Place, State, Waiting};
use autochanger_scsi::ElementAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Flaw;
use super::failure::FailureFields;
use super::media::{LabelFields, MediumKindFields};
use super::names::{
    Id, PlaceFields, message_from, message_to, name_from, name_to, optional_name_from, optional_name_to,
};

/// The most cartridges that one inject names: more than any library has ports for, and well within a record.
const MAX_INJECTED: usize = 1024;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StateFields<'a> {
    Queued,
    Waiting(WaitingFields),
    InProcess,
    Deferred,
    #[serde(borrow)]
    Passed(OutcomeFields<'a>),
    #[serde(borrow)]
    Failed(FailureFields<'a>),
    #[serde(borrow)]
    Invalid(FailureFields<'a>),
    #[serde(borrow)]
    Cancelled(CancelledByFields<'a>),
    Stopped {
        place: Option<PlaceFields>,
        #[serde(borrow)]
        by: CancelledByFields<'a>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WaitingFields {
    Medium,
    Drive,
    Slot,
    Library,
    Owner,
    Port,
    Service,
    Group,
    Operator,
    Arm,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum OutcomeFields<'a> {
    Mounted {
        drive: u16,
        serial: Option<&'a str>,
    },
    Dismounted {
        slot: u16,
    },
    Inventoried {
        elements: u32,
        cartridges: u32,
        appeared: u32,
        missing: u32,
    },
    Done,
    KeptInDrive {
        drive: u16,
    },
    Ejected {
        port: u16,
    },
    Injected {
        cartridges: Vec<Id>,
    },
    Cleaned {
        uses_left: Option<u32>,
    },
    #[serde(borrow)]
    Identified(LabelFoundFields<'a>),
    Classified(MediumKindFields),
    InventoriedWithLabels {
        elements: u32,
        cartridges: u32,
        appeared: u32,
        missing: u32,
        read: u32,
        failed: u32,
        skipped: u32,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum LabelFoundFields<'a> {
    #[serde(borrow)]
    Known(LabelFields<'a>),
    #[serde(borrow)]
    Free(LabelFields<'a>),
    Blank,
    Unrecognized,
    Unreadable,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum CancelledByFields<'a> {
    Session { application: &'a str, reason: Option<&'a str> },
    SessionClosed,
    Deadline,
    Restart,
    Group { member: Id },
    Operator { application: &'a str },
    Superseded { by: Id },
}

/// Declares the record's twin of a fieldless enum, and the ways between the two.
macro_rules! twin {
    ($fields:ident, $engine:ident, $what:literal, [$($name:ident),+ $(,)?]) => {
        impl TryFrom<&$engine> for $fields {
            type Error = Flaw;

            fn try_from(value: &$engine) -> Result<Self, Flaw> {
                Ok(match value {
                    $($engine::$name => Self::$name,)+
                    #[allow(unreachable_patterns, reason = "only some of the engine's enums are open")]
                    other => return Err(format!(concat!("the format has no ", $what, " {:?}"), other).into()),
                })
            }
        }

        impl From<$fields> for $engine {
            fn from(fields: $fields) -> Self {
                match fields {
                    $($fields::$name => Self::$name,)+
                }
            }
        }
    };
}

pub(super) use twin;

twin!(
    WaitingFields,
    Waiting,
    "reason to wait",
    [Medium, Drive, Slot, Library, Owner, Port, Service, Group, Operator, Arm]
);

impl<'a> TryFrom<&'a State> for StateFields<'a> {
    type Error = Flaw;

    fn try_from(state: &'a State) -> Result<Self, Flaw> {
        Ok(match state {
            State::Queued => Self::Queued,
            State::Waiting(reason) => Self::Waiting(reason.try_into()?),
            State::InProcess => Self::InProcess,
            State::Deferred => Self::Deferred,
            State::Passed(outcome) => Self::Passed(outcome.try_into()?),
            State::Failed(failure) => Self::Failed(failure.try_into()?),
            State::Invalid(failure) => Self::Invalid(failure.try_into()?),
            State::Cancelled { by } => Self::Cancelled(by.try_into()?),
            State::Stopped { place, by } => Self::Stopped { place: place_to(place)?, by: by.try_into()? },
            other => return Err(format!("the format has no state {other}").into()),
        })
    }
}

impl TryFrom<StateFields<'_>> for State {
    type Error = Flaw;

    fn try_from(fields: StateFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            StateFields::Queued => Self::Queued,
            StateFields::Waiting(reason) => Self::Waiting(reason.into()),
            StateFields::InProcess => Self::InProcess,
            StateFields::Deferred => Self::Deferred,
            StateFields::Passed(outcome) => Self::Passed(outcome.try_into()?),
            StateFields::Failed(failure) => Self::Failed(failure.try_into()?),
            StateFields::Invalid(failure) => Self::Invalid(failure.try_into()?),
            StateFields::Cancelled(by) => Self::Cancelled { by: by.try_into()? },
            StateFields::Stopped { place, by } => {
                Self::Stopped { place: place.map(TryInto::try_into).transpose()?, by: by.try_into()? }
            }
        })
    }
}

pub(super) fn place_to(place: &Option<Place>) -> Result<Option<PlaceFields>, Flaw> {
    place.as_ref().map(PlaceFields::try_from).transpose()
}

impl<'a> TryFrom<&'a Outcome> for OutcomeFields<'a> {
    type Error = Flaw;

    fn try_from(outcome: &'a Outcome) -> Result<Self, Flaw> {
        Ok(match outcome {
            Outcome::Mounted { drive, serial } => {
                Self::Mounted { drive: drive.0, serial: optional_name_to(serial)? }
            }
            Outcome::Dismounted { slot } => Self::Dismounted { slot: slot.0 },
            Outcome::Inventoried { elements, cartridges, appeared, missing, labels } => {
                let (elements, cartridges, appeared, missing) = (*elements, *cartridges, *appeared, *missing);
                match *labels {
                    None => Self::Inventoried { elements, cartridges, appeared, missing },
                    Some(LabelsRead { read, failed, skipped, .. }) => Self::InventoriedWithLabels {
                        elements,
                        cartridges,
                        appeared,
                        missing,
                        read,
                        failed,
                        skipped,
                    },
                }
            }
            Outcome::Done => Self::Done,
            Outcome::KeptInDrive { drive } => Self::KeptInDrive { drive: drive.0 },
            Outcome::Ejected { port } => Self::Ejected { port: port.0 },
            Outcome::Injected { cartridges } if cartridges.len() > MAX_INJECTED => {
                return Err(
                    format!("took in {} cartridges, more than {MAX_INJECTED}", cartridges.len()).into()
                );
            }
            Outcome::Injected { cartridges } => {
                Self::Injected { cartridges: cartridges.iter().map(|id| id.0.into_bytes()).collect() }
            }
            Outcome::Cleaned { uses_left } => Self::Cleaned { uses_left: *uses_left },
            Outcome::Identified { found } => Self::Identified(found.try_into()?),
            Outcome::Classified { kind } => Self::Classified(kind.try_into()?),
            other => return Err(format!("the format has no outcome {other:?}").into()),
        })
    }
}

impl TryFrom<OutcomeFields<'_>> for Outcome {
    type Error = Flaw;

    fn try_from(fields: OutcomeFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            OutcomeFields::Mounted { drive, serial } => {
                Self::Mounted { drive: ElementAddress(drive), serial: optional_name_from(serial)? }
            }
            OutcomeFields::Dismounted { slot } => Self::Dismounted { slot: ElementAddress(slot) },
            OutcomeFields::Inventoried { elements, cartridges, appeared, missing } => {
                Self::Inventoried { elements, cartridges, appeared, missing, labels: None }
            }
            OutcomeFields::InventoriedWithLabels {
                elements,
                cartridges,
                appeared,
                missing,
                read,
                failed,
                skipped,
            } => {
                let labels = Some(LabelsRead::new(read, failed, skipped));
                Self::Inventoried { elements, cartridges, appeared, missing, labels }
            }
            OutcomeFields::Done => Self::Done,
            OutcomeFields::KeptInDrive { drive } => Self::KeptInDrive { drive: ElementAddress(drive) },
            OutcomeFields::Ejected { port } => Self::Ejected { port: ElementAddress(port) },
            OutcomeFields::Injected { cartridges } if cartridges.len() > MAX_INJECTED => {
                return Err(format!("names {} cartridges, more than {MAX_INJECTED}", cartridges.len()).into());
            }
            OutcomeFields::Injected { cartridges } => Self::Injected {
                cartridges: cartridges.into_iter().map(|id| CartridgeId(Uuid::from_bytes(id))).collect(),
            },
            OutcomeFields::Cleaned { uses_left } => Self::Cleaned { uses_left },
            OutcomeFields::Identified(found) => Self::Identified { found: found.try_into()? },
            OutcomeFields::Classified(kind) => Self::Classified { kind: kind.into() },
        })
    }
}

impl<'a> TryFrom<&'a LabelFound> for LabelFoundFields<'a> {
    type Error = Flaw;

    fn try_from(found: &'a LabelFound) -> Result<Self, Flaw> {
        Ok(match found {
            LabelFound::Known(label) => Self::Known(label.try_into()?),
            LabelFound::Free(label) => Self::Free(label.try_into()?),
            LabelFound::Blank => Self::Blank,
            LabelFound::Unrecognized => Self::Unrecognized,
            LabelFound::Unreadable => Self::Unreadable,
            other => return Err(format!("the format has no label that is {other}").into()),
        })
    }
}

impl TryFrom<LabelFoundFields<'_>> for LabelFound {
    type Error = Flaw;

    fn try_from(fields: LabelFoundFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            LabelFoundFields::Known(label) => Self::Known(label.try_into()?),
            LabelFoundFields::Free(label) => Self::Free(label.try_into()?),
            LabelFoundFields::Blank => Self::Blank,
            LabelFoundFields::Unrecognized => Self::Unrecognized,
            LabelFoundFields::Unreadable => Self::Unreadable,
        })
    }
}

impl<'a> TryFrom<&'a CancelledBy> for CancelledByFields<'a> {
    type Error = Flaw;

    fn try_from(by: &'a CancelledBy) -> Result<Self, Flaw> {
        Ok(match by {
            CancelledBy::Session { application, reason } => Self::Session {
                application: name_to(application)?,
                reason: reason.as_deref().map(message_to),
            },
            CancelledBy::SessionClosed => Self::SessionClosed,
            CancelledBy::Deadline => Self::Deadline,
            CancelledBy::Restart => Self::Restart,
            CancelledBy::Group { member } => Self::Group { member: member.0.into_bytes() },
            CancelledBy::Operator { application } => Self::Operator { application: name_to(application)? },
            CancelledBy::Superseded { by } => Self::Superseded { by: by.0.into_bytes() },
            other => return Err(format!("the format has no canceller {other}").into()),
        })
    }
}

impl TryFrom<CancelledByFields<'_>> for CancelledBy {
    type Error = Flaw;

    fn try_from(fields: CancelledByFields<'_>) -> Result<Self, Flaw> {
        Ok(match fields {
            CancelledByFields::Session { application, reason } => Self::Session {
                application: name_from(application)?,
                reason: reason.map(message_from).transpose()?.map(Into::into),
            },
            CancelledByFields::SessionClosed => Self::SessionClosed,
            CancelledByFields::Deadline => Self::Deadline,
            CancelledByFields::Restart => Self::Restart,
            CancelledByFields::Group { member } => {
                Self::Group { member: RequestId(Uuid::from_bytes(member)) }
            }
            CancelledByFields::Operator { application } => {
                Self::Operator { application: name_from(application)? }
            }
            CancelledByFields::Superseded { by } => Self::Superseded { by: RequestId(Uuid::from_bytes(by)) },
        })
    }
}
