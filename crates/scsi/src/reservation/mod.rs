//! Persistent reservations: the data of PERSISTENT RESERVE IN and OUT (SPC).

mod inward;
mod outward;

pub use self::inward::{
    ReservationCapabilities, ReservationHolder, ReservationKeys, ReservationRegistration, ReservationStatus,
};
pub use self::outward::PersistentReserveParameters;
