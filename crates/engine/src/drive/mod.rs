//! The drive's protocol, sans-IO: waiting until it is ready, unloading it, watching it clean itself (SSC-3).

pub(crate) mod clean;
pub(crate) mod ready;
pub(crate) mod unload;
