//! Labels, cleaners, service and blame as records hold them.

use autochanger_engine::catalog::{Blame, Cleaner, Label, MediumKind, Service};
use serde::{Deserialize, Serialize};

use super::Flaw;
use super::names::{message_from, message_to, name_from, name_to};
use super::state::twin;

/// What is written on a medium.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LabelFields<'a> {
    format: &'a str,
    id: &'a [u8],
    description: &'a str,
}

impl<'a> TryFrom<&'a Label> for LabelFields<'a> {
    type Error = Flaw;

    fn try_from(label: &'a Label) -> Result<Self, Flaw> {
        Ok(Self {
            format: name_to(&label.format)?,
            id: id_within_bound(&label.id)?,
            description: message_to(&label.description),
        })
    }
}

impl TryFrom<LabelFields<'_>> for Label {
    type Error = Flaw;

    fn try_from(fields: LabelFields<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            format: name_from(fields.format)?,
            id: id_within_bound(fields.id)?.into(),
            description: message_from(fields.description)?.into(),
        })
    }
}

/// A cut id would be another medium's.
fn id_within_bound(id: &[u8]) -> Result<&[u8], Flaw> {
    if id.len() > Label::MAX_ID {
        return Err(format!("has a label id of {} bytes, more than {}", id.len(), Label::MAX_ID).into());
    }
    Ok(id)
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum MediumKindFields {
    Data,
    Cleaning,
    Unknown,
}

twin!(MediumKindFields, MediumKind, "kind of medium", [Data, Cleaning, Unknown]);

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) enum ServiceFields {
    #[default]
    Enabled,
    Paused,
    Draining,
    Disabled,
}

twin!(ServiceFields, Service, "service", [Enabled, Paused, Draining, Disabled]);

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CleanerFields {
    uses_left: Option<u32>,
}

impl From<Cleaner> for CleanerFields {
    fn from(cleaner: Cleaner) -> Self {
        Self { uses_left: cleaner.uses_left }
    }
}

impl From<CleanerFields> for Cleaner {
    fn from(fields: CleanerFields) -> Self {
        Self { uses_left: fields.uses_left }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct BlameFields {
    uses: u64,
    faults: u32,
}

impl From<Blame> for BlameFields {
    fn from(blame: Blame) -> Self {
        Self { uses: blame.uses, faults: blame.faults }
    }
}

impl From<BlameFields> for Blame {
    fn from(fields: BlameFields) -> Self {
        Self { uses: fields.uses, faults: fields.faults }
    }
}
