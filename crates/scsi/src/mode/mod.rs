//! MODE SENSE: a changer's geometry and abilities (SPC, SMC).

mod addresses;
mod capabilities;
mod extended;
mod parameters;

pub use self::addresses::{ElementAddressAssignment, ElementRange};
pub use self::capabilities::{DeviceCapabilities, TransportGeometry, TransportInfo};
pub use self::extended::ExtendedCapabilities;
pub use self::parameters::{ModePage, ModeParameters, ModeParametersWriter};
