//! The drive's protocol, sans-IO: waiting until it is ready, its medium's label, unloading it, watching it clean itself, asking
//! whether it should (SSC-3).

pub(crate) mod clean;
pub(crate) mod label;
pub(crate) mod needs;
pub(crate) mod ready;
pub(crate) mod same;
pub(crate) mod unload;
pub(crate) mod who;
