//! Medium auxiliary memory: what the chip in a cartridge knows (SPC).

mod list;
mod table;

pub use self::list::{Attribute, AttributeIds, AttributeWriter, Attributes, PartitionList};
pub use self::table::{ATTRIBUTES, AttributeFormat, AttributeKind, AttributeSource, attribute_id};
