//! Names, texts and element addresses, as records hold them.

use std::sync::Arc;

use autochanger_engine::request::{ElementName, Place};
use autochanger_scsi::{ElementAddress, ElementType};
use serde::{Deserialize, Serialize};

use super::{Flaw, MAX_NAME, MAX_TEXT};

/// The bytes of a UUID.
pub(super) type Id = [u8; 16];

/// The most elements that a lost cartridge may be in: an exchange leaves three, the rest is room.
const MAX_PLACES: usize = 1024;

/// A name on its way into a record. It is never cut: a cut name would be another name.
pub(super) fn name_to(name: &str) -> Result<&str, Flaw> {
    if name.len() > MAX_NAME {
        return Err(format!(
            "its name {:?}.. is {} bytes long, more than {MAX_NAME}",
            text_to(name, 40),
            name.len()
        )
        .into());
    }
    Ok(name)
}

pub(super) fn optional_name_to(name: &Option<Arc<str>>) -> Result<Option<&str>, Flaw> {
    name.as_deref().map(name_to).transpose()
}

pub(super) fn name_from(name: &str) -> Result<Arc<str>, Flaw> {
    if name.len() > MAX_NAME {
        return Err(format!("holds a name of {} bytes", name.len()).into());
    }
    Ok(name.into())
}

pub(super) fn optional_name_from(name: Option<&str>) -> Result<Option<Arc<str>>, Flaw> {
    name.map(name_from).transpose()
}

/// A text for people on its way into a record: as much of it as fits.
pub(super) fn message_to(text: &str) -> &str {
    text_to(text, MAX_TEXT)
}

fn text_to(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

pub(super) fn message_from(text: &str) -> Result<&str, Flaw> {
    if text.len() > MAX_TEXT {
        return Err(format!("holds a text of {} bytes", text.len()).into());
    }
    Ok(text)
}

/// Type and address.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct ElementFields {
    kind: u8,
    address: u16,
}

impl From<&ElementName> for ElementFields {
    fn from(element: &ElementName) -> Self {
        Self { kind: element.kind as u8, address: element.address.0 }
    }
}

impl TryFrom<ElementFields> for ElementName {
    type Error = Flaw;

    fn try_from(fields: ElementFields) -> Result<Self, Flaw> {
        let kind = ElementType::try_from(fields.kind)
            .map_err(|_| format!("names an element of type {}, which there is not", fields.kind))?;
        Ok(Self { kind, address: ElementAddress(fields.address) })
    }
}

/// Where a cartridge is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum PlaceFields {
    Element(ElementFields),
    Unknown(Vec<ElementFields>),
    Missing(ElementFields),
    Outside(ElementFields),
}

impl TryFrom<&Place> for PlaceFields {
    type Error = Flaw;

    fn try_from(place: &Place) -> Result<Self, Flaw> {
        Ok(match place {
            Place::Element(element) => Self::Element(element.into()),
            Place::Unknown { one_of } if one_of.len() > MAX_PLACES => {
                return Err(format!(
                    "its cartridge can be in {} places, more than {MAX_PLACES}",
                    one_of.len()
                )
                .into());
            }
            Place::Unknown { one_of } => Self::Unknown(one_of.iter().map(ElementFields::from).collect()),
            Place::Missing { last } => Self::Missing(last.into()),
            Place::Outside { last } => Self::Outside(last.into()),
            other => return Err(format!("the format has no place {other}").into()),
        })
    }
}

impl TryFrom<PlaceFields> for Place {
    type Error = Flaw;

    fn try_from(fields: PlaceFields) -> Result<Self, Flaw> {
        Ok(match fields {
            PlaceFields::Element(element) => Self::Element(element.try_into()?),
            PlaceFields::Unknown(one_of) if one_of.len() > MAX_PLACES => {
                return Err(format!("names {} places, more than {MAX_PLACES}", one_of.len()).into());
            }
            PlaceFields::Unknown(one_of) => Self::Unknown {
                one_of: one_of.into_iter().map(ElementName::try_from).collect::<Result<_, _>>()?,
            },
            PlaceFields::Missing(last) => Self::Missing { last: last.try_into()? },
            PlaceFields::Outside(last) => Self::Outside { last: last.try_into()? },
        })
    }
}
