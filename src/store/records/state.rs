//! The states of a request as records hold them.

use autochanger_engine::request::{CancelledBy, Failure, FailureKind, Outcome, Place, State, Waiting};
use autochanger_scsi::{ElementAddress, Sense};
use serde::{Deserialize, Serialize};

use super::Flaw;
use super::names::{
    PlaceFields, message_from, message_to, name_from, name_to, optional_name_from, optional_name_to,
};

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
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum OutcomeFields<'a> {
    Mounted { drive: u16, serial: Option<&'a str> },
    Dismounted { slot: u16 },
    Inventoried { elements: u32, cartridges: u32, appeared: u32, missing: u32 },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum CancelledByFields<'a> {
    Session { application: &'a str, reason: Option<&'a str> },
    SessionClosed,
    Deadline,
    Restart,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FailureFields<'a> {
    kind: FailureKindFields,
    message: &'a str,
    /// In SPC's descriptor format, whatever the device sent.
    sense: Option<Vec<u8>>,
    place: Option<PlaceFields>,
}

/// Declares the record's twin of a fieldless enum, and the ways between the two.
macro_rules! twin {
    ($fields:ident, $engine:ident, $what:literal, [$($name:ident),+ $(,)?]) => {
        impl TryFrom<&$engine> for $fields {
            type Error = Flaw;

            fn try_from(value: &$engine) -> Result<Self, Flaw> {
                Ok(match value {
                    $($engine::$name => Self::$name,)+
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

twin!(WaitingFields, Waiting, "reason to wait", [Medium, Drive, Slot, Library, Owner]);

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FailureKindFields {
    SourceEmpty,
    DestinationFull,
    MediumHeld,
    Incompatible,
    MediumFault,
    DriveFault,
    LibraryFault,
    Refused,
    PathLost,
    Unknown,
    Interrupted,
    CartridgeMissing,
    NotMounted,
    Store,
    MediaOpen,
}

twin!(
    FailureKindFields,
    FailureKind,
    "failure",
    [
        SourceEmpty,
        DestinationFull,
        MediumHeld,
        Incompatible,
        MediumFault,
        DriveFault,
        LibraryFault,
        Refused,
        PathLost,
        Unknown,
        Interrupted,
        CartridgeMissing,
        NotMounted,
        Store,
        MediaOpen,
    ]
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

fn place_to(place: &Option<Place>) -> Result<Option<PlaceFields>, Flaw> {
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
            Outcome::Inventoried { elements, cartridges, appeared, missing } => Self::Inventoried {
                elements: *elements,
                cartridges: *cartridges,
                appeared: *appeared,
                missing: *missing,
            },
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
                Self::Inventoried { elements, cartridges, appeared, missing }
            }
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
        })
    }
}

impl<'a> TryFrom<&'a Failure> for FailureFields<'a> {
    type Error = Flaw;

    fn try_from(failure: &'a Failure) -> Result<Self, Flaw> {
        Ok(Self {
            kind: (&failure.kind).try_into()?,
            message: message_to(&failure.message),
            sense: failure.sense.map(|sense| {
                let mut bytes = vec![0; Sense::MAX_DESCRIPTOR];
                let written = sense.write_descriptor(&mut bytes);
                bytes.truncate(written);
                bytes
            }),
            place: place_to(&failure.place)?,
        })
    }
}

impl TryFrom<FailureFields<'_>> for Failure {
    type Error = Flaw;

    fn try_from(fields: FailureFields<'_>) -> Result<Self, Flaw> {
        let mut failure = Self::new(fields.kind.into(), message_from(fields.message)?.to_owned());
        failure.sense = match fields.sense {
            Some(bytes) => Some(Sense::parse(&bytes).ok_or("holds sense data that is none")?),
            None => None,
        };
        failure.place = fields.place.map(TryInto::try_into).transpose()?;
        Ok(failure)
    }
}
