//! The drive's protocol, sans-IO: waiting until it is ready, and unloading it (SSC-3).

pub(crate) mod ready;
pub(crate) mod unload;
