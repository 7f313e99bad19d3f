//! SCSI medium changers and their drives in bytes, both directions: commands, sense data and what to do about it,
//! element status, inquiry, mode and log pages, reservations, the memory of cartridges.
//!
//! An initiator builds CDBs and reads data; a target decodes CDBs and writes data. Reading borrows from the
//! buffer, never copies, never panics, and is as lenient as real devices demand; where data is unusable, it is
//! left out rather than guessed at.
//!
//! ```
//! use autochanger_scsi::{ElementAddress, ElementStatus, ElementType, ReadElementStatus};
//!
//! let command = ReadElementStatus {
//!     element_type: Some(ElementType::Storage),
//!     start: ElementAddress(1000),
//!     count: 1,
//!     volume_tags: false,
//!     current_data: true,
//!     device_ids: false,
//!     allocation: 65_535,
//! };
//! assert_eq!(command.cdb().as_bytes(), [0xB8, 2, 0x03, 0xE8, 0, 1, 2, 0, 0xFF, 0xFF, 0, 0]);
//!
//! let mut answer = [0; 32];
//! answer[..8].copy_from_slice(&[0x03, 0xE8, 0, 1, 0, 0, 0, 24]);
//! answer[8..16].copy_from_slice(&[2, 0, 0, 16, 0, 0, 0, 16]);
//! answer[16..20].copy_from_slice(&[0x03, 0xE8, 0x09, 0]);
//! let element = ElementStatus::parse(&answer)?.elements().next().expect("one descriptor");
//! assert_eq!(element.address(), ElementAddress(1000));
//! assert!(element.full() && element.access());
//! # Ok::<(), autochanger_scsi::ShortData>(())
//! ```
#![no_std]
#![deny(unsafe_code)]
#![deny(clippy::host_endian_bytes, clippy::little_endian_bytes)]

#[cfg(any(test, all(feature = "sg", target_os = "linux")))]
extern crate std;

pub mod attribute;
mod bytes;
pub mod cdb;
pub mod element;
mod error;
pub mod inquiry;
pub mod log;
pub mod luns;
pub mod mode;
pub mod operation_codes;
pub mod reservation;
pub mod sense;
#[cfg(all(feature = "sg", target_os = "linux"))]
pub mod sg;
pub mod tape;
pub mod volume_search;
pub mod volume_tag;

pub use crate::attribute::*;
pub use crate::cdb::*;
pub use crate::element::*;
pub use crate::error::{InvalidField, ShortData};
pub use crate::inquiry::*;
pub use crate::log::*;
pub use crate::luns::*;
pub use crate::mode::*;
pub use crate::operation_codes::*;
pub use crate::reservation::*;
pub use crate::sense::*;
pub use crate::tape::*;
pub use crate::volume_search::*;
pub use crate::volume_tag::*;
