//! The drive's protocol, sans-IO: waiting until it is ready, its medium's label, and unloading it (SSC-3).

pub(crate) mod label;
pub(crate) mod ready;
pub(crate) mod unload;
