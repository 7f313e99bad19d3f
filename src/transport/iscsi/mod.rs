//! Logical units of an iSCSI target, reached from user space: sockets around the sans-IO initiator of
//! `autochanger-iscsi`.
//!
//! One connection serves all logical units of a target. It is made by the first command and made anew by the first
//! command after it was lost; **a command is never sent again by itself**. A command that was in flight when the
//! connection ended is reported as *outcome unknown*, one that had not left as *not sent*.
//!
//! [`discover`] lists what a portal offers. The manual has a [chapter](crate::manual::iscsi) on what is spoken and what a
//! lost connection means.

mod dial;
mod discovery;
mod fault;
mod flight;
mod link;
mod name;
mod session;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
pub use autochanger_iscsi::DigestPolicy;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::{SendError, TrySendError};
use tokio::sync::{mpsc, oneshot};

use super::url::{Digests, IscsiUrl};
use super::{
    Command, Completion, Limits, PathFault, PathFaultKind, TaskManagement, Transport, TransportError,
};
pub use discovery::{IscsiLogin, IscsiTarget, discover, discover_as};
use fault::fault;
pub use name::{INITIATOR_NAME_PREFIX, InitiatorNameError, initiator_name};
use session::{Job, Work};

/// How long connecting and logging in may take together, unless said otherwise. A target that needs longer is not serving anybody.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the connection is silent before the target is asked for a sign of life, and how long the target then has
/// to give it. A device that works on a command for hours keeps its connection as long as its target answers.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long a task management function may take.
pub const MANAGE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the last handle's connection lives on to end what is in flight and to log out.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Commands that wait for their turn on a connection before callers wait themselves: many more than a changer and its
/// drives are ever asked at once, few enough to hold no memory worth naming.
pub const MAX_WAITING: usize = 256;

/// Functions that wait for theirs: there are a few for each unit, and each says all that there is to say.
const MAX_WAITING_FUNCTIONS: usize = 32;

/// The longest time that a target is left alone because it wants that (Time2Wait), whatever it says: a move in doubt waits
/// for a look at it.
pub const MAX_TIME_TO_WAIT: Duration = Duration::from_secs(10);

/// The bounds of what may be set: below nothing is ever answered, above nobody waits.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A logical unit behind an iSCSI target.
///
/// Cloning it, or asking for a [`sibling`](Transport::sibling), gives another handle on the same connection. The
/// connection is a tokio task, spawned by the first command on the runtime that it is given on (which needs its I/O and
/// time drivers). When the last handle is dropped, what is in flight gets [`CLOSE_TIMEOUT`] to end, then the session is
/// logged out.
#[derive(Clone)]
pub struct IscsiTransport {
    target: Arc<Target>,
    lun: u16,
    device: Arc<str>,
}

/// What the handles on one target share.
struct Target {
    endpoint: Endpoint,
    lanes: Mutex<Option<Lanes>>,
}

/// The ways to a connection's task.
#[derive(Clone)]
struct Lanes {
    commands: mpsc::Sender<Job>,
    functions: mpsc::Sender<Job>,
}

/// Whom a connection is made to, and how.
#[derive(Clone)]
struct Endpoint {
    url: IscsiUrl,
    /// The same for each connection, so that a new session takes the place of the lost one (RFC 7143 section 6.3.5).
    isid: [u8; 6],
    connect_timeout: Duration,
    keep_alive: Duration,
    digests: DigestPolicy,
    initiator: Arc<str>,
    /// Where the target has moved to for good, as it says.
    moved_to: Option<(String, u16)>,
}

impl Target {
    /// A connection of its own: another session part, so that it pushes no other out.
    fn new(endpoint: Endpoint) -> Arc<Self> {
        let endpoint = Endpoint { isid: session::random_isid(), ..endpoint };
        Arc::new(Self { endpoint, lanes: Mutex::new(None) })
    }
}

impl IscsiTransport {
    /// A handle on the logical unit, with what its URL says. Nothing is connected yet.
    pub fn new(url: IscsiUrl) -> Self {
        let (lun, options) = (url.lun(), url.options());
        let endpoint = Endpoint {
            isid: [0; 6],
            connect_timeout: options.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
            keep_alive: options.keep_alive.unwrap_or(KEEP_ALIVE),
            digests: options.digests.map_or(DigestPolicy::Accept, policy),
            initiator: options.initiator.as_deref().unwrap_or(initiator_name()).into(),
            moved_to: None,
            url,
        };
        Self::of(Target::new(endpoint), lun)
    }

    /// The handle with another length of silence after which the target is asked for a sign of life, and which it then
    /// has to answer; [`KEEP_ALIVE`] unless said, from a millisecond to a day. The handle gets a connection of its own.
    #[must_use]
    pub fn keep_alive(self, silence: Duration) -> Self {
        let keep_alive = silence.clamp(SHORTEST, LONGEST);
        Self::of(Target::new(Endpoint { keep_alive, ..self.target.endpoint.clone() }), self.lun)
    }

    /// The handle with another time for connecting and logging in together; [`CONNECT_TIMEOUT`] unless said, from a
    /// millisecond to a day. The handle gets a connection of its own.
    #[must_use]
    pub fn connect_timeout(self, time: Duration) -> Self {
        let connect_timeout = time.clamp(SHORTEST, LONGEST);
        Self::of(Target::new(Endpoint { connect_timeout, ..self.target.endpoint.clone() }), self.lun)
    }

    /// The handle with header and data digests (CRC32C, RFC 7143 section 13.1) as the policy says; none unless the
    /// target wants them, unless said. The handle gets a connection of its own.
    ///
    /// A digest that is wrong ends the session: commands in flight are *outcome unknown*
    /// ([`ConnectionLost`](PathFaultKind::ConnectionLost)).
    #[must_use]
    pub fn digests(self, digests: DigestPolicy) -> Self {
        Self::of(Target::new(Endpoint { digests, ..self.target.endpoint.clone() }), self.lun)
    }

    /// The handle with another name for this side than [`initiator_name`], as a target's access list may want it. The handle gets
    /// a connection of its own.
    ///
    /// # Errors
    /// When it is no name of an iSCSI node.
    pub fn initiator(self, name: &str) -> Result<Self, InitiatorNameError> {
        let initiator = name::checked(name)?.into();
        Ok(Self::of(Target::new(Endpoint { initiator, ..self.target.endpoint.clone() }), self.lun))
    }

    /// Another logical unit of the same target, over the same connection.
    #[must_use]
    pub fn unit(&self, lun: u16) -> Self {
        Self::of(self.target.clone(), lun)
    }

    fn of(target: Arc<Target>, lun: u16) -> Self {
        let device = target.endpoint.url.with_lun(lun).to_string().into();
        Self { target, lun, device }
    }

    /// The ways to the connection's task, which is started where there is none (or its runtime has stopped).
    fn lanes(&self) -> Result<Lanes, TransportError> {
        let mut lanes = self.target.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lanes) = lanes.as_ref().filter(|lanes| !lanes.commands.is_closed()) {
            return Ok(lanes.clone());
        }
        let runtime = Handle::try_current().map_err(|_| {
            let detail = "commands over iSCSI need a tokio runtime, and none is here";
            TransportError::NotSent(fault(&self.device, PathFaultKind::Unsupported, detail))
        })?;
        let (commands, waiting_commands) = mpsc::channel(MAX_WAITING);
        let (functions, waiting_functions) = mpsc::channel(MAX_WAITING_FUNCTIONS);
        runtime.spawn(session::run(self.target.endpoint.clone(), waiting_commands, waiting_functions));
        Ok(lanes.insert(Lanes { commands, functions }).clone())
    }

    async fn ask<T>(
        &self,
        lane: mpsc::Sender<Job>,
        timeout: Duration,
        work: impl FnOnce(oneshot::Sender<Result<T, TransportError>>) -> Work,
    ) -> Result<T, TransportError> {
        let not_sent = |kind, detail: &str| TransportError::NotSent(fault(&self.device, kind, detail));
        // There is room but for a flood, and without a wait there is no timer to set.
        let permit = match lane.try_reserve() {
            Err(TrySendError::Full(())) => tokio::time::timeout(timeout, lane.reserve()).await,
            Ok(permit) => Ok(Ok(permit)),
            Err(TrySendError::Closed(())) => Ok(Err(SendError(()))),
        };
        let permit = match permit {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => {
                return Err(not_sent(PathFaultKind::ConnectionLost, "the connection's runtime has stopped"));
            }
            Err(_) => {
                return Err(not_sent(
                    PathFaultKind::LimitReached,
                    "as many commands wait as may, for as long as this one had",
                ));
            }
        };
        let (reply, answer) = oneshot::channel();
        permit.send(Job { lun: self.lun, device: self.device.clone(), timeout, work: work(reply) });
        answer.await.unwrap_or_else(|_| {
            let detail = "the connection's runtime has stopped";
            Err(TransportError::OutcomeUnknown(fault(&self.device, PathFaultKind::ConnectionLost, detail)))
        })
    }
}

#[async_trait]
impl Transport for IscsiTransport {
    /// Sends one command over the target's connection, which is made where there is none.
    ///
    /// The command's `timeout` runs twice: once until the command can be sent, after which it is *not sent*
    /// ([`TimedOut`](PathFaultKind::TimedOut)), and anew from its sending, after which its outcome is unknown. A late
    /// answer is dropped. Nothing is aborted: an arm does not stop for it.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the answer. What has left is carried out; what has not is never sent.
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        let size = command.data_in.max(u32::try_from(command.data_out.len()).unwrap_or(u32::MAX));
        if size > autochanger_iscsi::initiator::MAX_TRANSFER {
            let detail =
                format!("{size} bytes in one command, at most {} are possible", self.limits().max_transfer);
            return Err(TransportError::NotSent(fault(&self.device, PathFaultKind::LimitReached, detail)));
        }
        if command.data_in > 0 && !command.data_out.is_empty() {
            let detail = "a command with data in both directions";
            return Err(TransportError::NotSent(fault(&self.device, PathFaultKind::Unsupported, detail)));
        }
        self.ask(self.lanes()?.commands, command.timeout, |reply| Work::Command { command, reply }).await
    }

    /// Sends ABORT TASK SET or LOGICAL UNIT RESET (RFC 7143 section 11.5), before all commands that wait for their turn.
    /// Commands that it ended are reported to their callers as *outcome unknown*.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the answer; the function is carried out if it was sent.
    async fn manage(&self, function: TaskManagement) -> Result<(), TransportError> {
        self.ask(self.lanes()?.functions, MANAGE_TIMEOUT, |reply| Work::Manage { function, reply }).await
    }

    fn limits(&self) -> Limits {
        Limits {
            max_transfer: autochanger_iscsi::initiator::MAX_TRANSFER,
            max_in_flight: u16::try_from(autochanger_iscsi::initiator::MAX_IN_FLIGHT).unwrap_or(u16::MAX),
        }
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        (lun <= autochanger_iscsi::initiator::MAX_LUN).then(|| Arc::new(self.unit(lun)) as Arc<dyn Transport>)
    }
}

fn policy(digests: Digests) -> DigestPolicy {
    match digests {
        Digests::Accept => DigestPolicy::Accept,
        Digests::Prefer => DigestPolicy::Prefer,
        Digests::Require => DigestPolicy::Require,
        Digests::Refuse => DigestPolicy::Refuse,
    }
}

impl std::fmt::Debug for IscsiTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IscsiTransport").field("device", &self.device).finish_non_exhaustive()
    }
}
