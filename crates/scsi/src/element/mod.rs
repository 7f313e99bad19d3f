//! Elements of a changer and READ ELEMENT STATUS (SMC).

mod address;
mod descriptor;
mod device_id;
mod report;
mod writer;

pub use self::address::{ElementAddress, ElementType, MediumType, UnknownElementType};
pub use self::descriptor::{Element, ScsiAddress};
pub use self::device_id::DeviceId;
pub use self::report::{ElementPage, ElementStatus};
pub use self::writer::{ElementPageOptions, ElementRecord, ElementStatusWriter};

/// Bytes of the header of a report, and of a page.
const HEADER: usize = 8;
/// Bytes of a descriptor before its optional parts.
const FIXED: usize = 12;
/// Bytes of the header of a device identifier.
const ID_HEADER: usize = 4;
