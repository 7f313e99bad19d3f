//! Why a request failed, as records hold it.

use autochanger_engine::request::{Failure, FailureKind};
use autochanger_scsi::Sense;
use serde::{Deserialize, Serialize};

use super::Flaw;
use super::names::{PlaceFields, message_from, message_to};
use super::state::{place_to, twin};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FailureFields<'a> {
    kind: FailureKindFields,
    message: &'a str,
    /// In SPC's descriptor format, whatever the device sent.
    sense: Option<Vec<u8>>,
    place: Option<PlaceFields>,
}

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
    Disabled,
    Busy,
    Group,
    TimedOut,
    NoCleaner,
    WrongLabel,
    NotFree,
    WriteProtected,
    NotAccessible,
    CleanerSlotTaken,
    CleanerSlotMissing,
    CleanerInSlot,
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
        Disabled,
        Busy,
        Group,
        TimedOut,
        NoCleaner,
        WrongLabel,
        NotFree,
        WriteProtected,
        NotAccessible,
        CleanerSlotTaken,
        CleanerSlotMissing,
        CleanerInSlot,
    ]
);

impl<'a> TryFrom<&'a Failure> for FailureFields<'a> {
    type Error = Flaw;

    fn try_from(failure: &'a Failure) -> Result<Self, Flaw> {
        Ok(Self {
            kind: (&failure.kind).try_into()?,
            message: message_to(&failure.message),
            sense: failure.sense.as_ref().map(sense_to),
            place: place_to(&failure.place)?,
        })
    }
}

impl TryFrom<FailureFields<'_>> for Failure {
    type Error = Flaw;

    fn try_from(fields: FailureFields<'_>) -> Result<Self, Flaw> {
        let mut failure = Self::new(fields.kind.into(), message_from(fields.message)?.to_owned());
        failure.sense = fields.sense.as_deref().map(sense_from).transpose()?;
        failure.place = fields.place.map(TryInto::try_into).transpose()?;
        Ok(failure)
    }
}

/// In SPC's descriptor format, whatever the device sent.
pub(super) fn sense_to(sense: &Sense) -> Vec<u8> {
    let mut bytes = vec![0; Sense::MAX_DESCRIPTOR];
    let written = sense.write_descriptor(&mut bytes);
    bytes.truncate(written);
    bytes
}

pub(super) fn sense_from(bytes: &[u8]) -> Result<Sense, Flaw> {
    Sense::parse(bytes).ok_or_else(|| "holds sense data that is none".into())
}
