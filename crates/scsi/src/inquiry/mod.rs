//! INQUIRY: who a device is (SPC).

mod device_type;
mod standard;
pub mod vpd;

pub use self::device_type::DeviceType;
pub use self::standard::{StandardInquiry, StandardInquiryData};
