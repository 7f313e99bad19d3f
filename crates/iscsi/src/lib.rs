//! Sans-IO iSCSI (RFC 7143), both sides: it turns commands into bytes for a socket and bytes from a socket into
//! answers, and does nothing else. It opens no connection, reads no clock, rolls no dice and spawns no task.
//!
//! [`Initiator`] is one session of one connection. Its face is five verbs: [`submit`](Initiator::submit) a command,
//! feed what was [`received`](Initiator::received), drain [`poll_transmit`](Initiator::poll_transmit) and
//! [`poll_event`](Initiator::poll_event), and say when the connection is
//! [`disconnected`](Initiator::disconnected). [`Target`] is the other side of the same, for a device of one's own.
//!
//! What it promises:
//!
//! - **A command is never replayed.** When a session ends, each command without an answer is reported once, with
//!   whether a byte of it can have left ([`Failure`]). A new session is a new `Initiator`, which knows nothing of them.
//! - **Nothing that the other side sends panics or allocates without bound.** Every limit is a named constant.
//! - **Secrets stay inside.** No `Debug`, no `Display` and no error shows one.
//!
//! It speaks one connection per session at error recovery level 0, with or without CRC32C digests ([`DigestPolicy`]).
//! An initiator finds targets with [`discover`](Initiator::discover).

#![forbid(unsafe_code)]

pub mod chap;
pub mod digest;
pub mod initiator;
pub mod login;
mod lun;
pub mod pdu;
pub mod serial;
pub mod target;
pub mod text;

pub use chap::{Chap, MutualChap, Secret};
pub use digest::{DigestPolicy, Digests};
pub use initiator::{
    Answer, DiscoveredTarget, Ended, Event, Failure, Full, Initiator, ManagementFunction, ManagementResponse,
    ProtocolError, Request, Residual, SubmitError, Tag,
};
pub use login::{LoginConfig, LoginError, Negotiated};
pub use target::{Target, TargetConfig, TargetEvent};
