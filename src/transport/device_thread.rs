//! Blocking devices behind the async [`Transport`](super::Transport): a thread of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Command, Completion, PathFault, PathFaultKind, TransportError};

/// Commands that wait for a thread before callers wait themselves: many more than a device is ever asked at once, few
/// enough to hold no memory worth naming.
pub const MAX_WAITING: usize = 256;

/// How long after a command's time its answer is waited for where the device does not come back by itself: it owes the
/// answer earlier, and only a kernel that is stuck is later.
pub const GRACE: Duration = Duration::from_secs(90);

/// The kernel keeps 15 bytes of a thread's name.
const THREAD_NAME_MAX: usize = 15;

/// A way to a device that blocks its thread while it carries a command.
pub trait BlockingTransport: Send + 'static {
    /// Sends one command and waits for its answer. The contract is that of
    /// [`Transport::execute`](super::Transport::execute): a command is never sent twice, also not where a system call was
    /// interrupted.
    ///
    /// # Errors
    /// [`TransportError`], which says whether the device can have seen the command.
    fn execute(&mut self, command: &Command) -> Result<Completion, TransportError>;
}

/// Named threads that carry commands to one device, one command at a time each.
///
/// They are started by the first command, with every signal blocked, and end with the last handle, after what they are
/// carrying then. A [`BlockingTransport`] that panics leaves its command in doubt, and is made anew.
#[derive(Clone)]
pub struct DeviceThread {
    inner: Arc<Inner>,
}

struct Inner {
    device: Arc<str>,
    threads: u16,
    grace: Duration,
    make: Box<dyn Fn() -> Box<dyn BlockingTransport> + Send + Sync>,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
}

type Answer = Result<Completion, TransportError>;

struct Job {
    command: Command,
    stage: Arc<Stage>,
    begun: oneshot::Sender<()>,
    reply: oneshot::Sender<Answer>,
}

/// Who has the command: decided once, so that "not sent" is true for ever.
struct Stage(AtomicU8);

impl Stage {
    const WAITING: u8 = 0;
    const BEGUN: u8 = 1;
    const WITHDRAWN: u8 = 2;

    fn leave_waiting(&self, to: u8) -> bool {
        self.0.compare_exchange(Self::WAITING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Withdraws a command whose caller has gone before a thread took it.
struct Waiting(Arc<Stage>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.leave_waiting(Stage::WITHDRAWN);
    }
}

impl DeviceThread {
    /// Threads for the device with this URL: `threads` of them (at least one), which is how many commands are in flight at
    /// once. Each has a transport from `make`, made in the thread. Nothing is started yet.
    pub fn new<B: BlockingTransport>(
        device: impl Into<Arc<str>>,
        threads: u16,
        make: impl Fn() -> B + Send + Sync + 'static,
    ) -> Self {
        Self::with_grace(device, threads, GRACE, make)
    }

    fn with_grace<B: BlockingTransport>(
        device: impl Into<Arc<str>>,
        threads: u16,
        grace: Duration,
        make: impl Fn() -> B + Send + Sync + 'static,
    ) -> Self {
        let make = Box::new(move || Box::new(make()) as Box<dyn BlockingTransport>);
        let inner =
            Inner { device: device.into(), threads: threads.max(1), grace, make, jobs: Mutex::new(None) };
        Self { inner: Arc::new(inner) }
    }

    /// The device's URL.
    pub fn device(&self) -> &Arc<str> {
        &self.inner.device
    }

    /// How many commands are in flight at once.
    pub fn threads(&self) -> u16 {
        self.inner.threads
    }

    /// Has a thread carry one command, and waits for its answer.
    ///
    /// The command's `timeout` runs twice: once until a thread is free, after which the command is *not sent*
    /// ([`TimedOut`](PathFaultKind::TimedOut)), and anew from its sending, when it is the device's. An answer that is
    /// [`GRACE`] late is not waited for, and the outcome is unknown.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the answer. What a thread has begun is carried out; what none has begun is never sent.
    ///
    /// # Errors
    /// The device's, and those above.
    ///
    /// # Panics
    /// Outside of a tokio runtime with its time driver.
    pub async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        let timeout = command.timeout;
        let jobs = self.jobs()?;
        let stage = Arc::new(Stage(AtomicU8::new(Stage::WAITING)));
        let waiting = Waiting(Arc::clone(&stage));
        let (begun, has_begun) = oneshot::channel();
        let (reply, answer) = oneshot::channel();
        let job = Job { command, stage, begun, reply };
        let handed_over = tokio::time::timeout(timeout, async {
            let taken = jobs.send(job).await.is_ok();
            // An error here is a thread that has ended without beginning: the answer's channel tells.
            taken && has_begun.await.is_ok()
        });
        match handed_over.await {
            Ok(true) => {}
            Ok(false) => return Err(self.not_sent(PathFaultKind::Closed, "the device's thread has ended")),
            Err(_) if waiting.0.leave_waiting(Stage::WITHDRAWN) => {
                let detail = "the device was busy with other commands for as long as this one had";
                return Err(self.not_sent(PathFaultKind::TimedOut, detail));
            }
            // It was begun at the last moment.
            Err(_) => {}
        }
        match tokio::time::timeout(timeout.saturating_add(self.inner.grace), answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                Err(self.unknown(PathFaultKind::Closed, "the transport gave up while it carried the command"))
            }
            Err(_) => Err(self.unknown(PathFaultKind::TimedOut, "the system did not give the command back")),
        }
    }

    fn jobs(&self) -> Result<mpsc::Sender<Job>, TransportError> {
        let mut jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jobs) = &*jobs
            && !jobs.is_closed()
        {
            return Ok(jobs.clone());
        }
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        let name: String = self.thread_name();
        for _ in 0..self.inner.threads {
            let (receiver, inner) = (Arc::clone(&receiver), Arc::downgrade(&self.inner));
            let made = thread::Builder::new().name(name.clone()).spawn(move || {
                // The factory is borrowed only while it is used: the last handle ends the threads.
                let make = || inner.upgrade().map(|inner| (inner.make)());
                carry(&receiver, make);
            });
            if let Err(error) = made {
                let detail = format!("the system gives no thread: {error}");
                return Err(self.not_sent(PathFaultKind::LimitReached, detail));
            }
        }
        *jobs = Some(sender.clone());
        Ok(sender)
    }

    fn thread_name(&self) -> String {
        let name = self.inner.device.replace("/dev/", "").replace('\0', "");
        name.char_indices()
            .take_while(|(at, c)| at + c.len_utf8() <= THREAD_NAME_MAX)
            .map(|(_, c)| c)
            .collect()
    }

    fn fault(&self, kind: PathFaultKind, detail: impl Into<String>) -> PathFault {
        PathFault { kind, device: Arc::clone(&self.inner.device), detail: detail.into() }
    }

    fn not_sent(&self, kind: PathFaultKind, detail: impl Into<String>) -> TransportError {
        TransportError::NotSent(self.fault(kind, detail))
    }

    fn unknown(&self, kind: PathFaultKind, detail: impl Into<String>) -> TransportError {
        TransportError::OutcomeUnknown(self.fault(kind, detail))
    }
}

impl std::fmt::Debug for DeviceThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceThread")
            .field("device", &self.inner.device)
            .field("threads", &self.inner.threads)
            .finish_non_exhaustive()
    }
}

/// A thread's life: one command after the other, until the last handle is gone.
fn carry(jobs: &Mutex<mpsc::Receiver<Job>>, make: impl Fn() -> Option<Box<dyn BlockingTransport>>) {
    // A thread that runs no handler of the application is not interrupted by one. Where even this is refused the
    // transport's own rule holds, never to send twice.
    let _ = autochanger_scsi::sg::block_signals();
    let mut transport = None;
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(Job { command, stage, begun, reply }) = job else { return };
        if !stage.leave_waiting(Stage::BEGUN) {
            continue;
        }
        let _ = begun.send(());
        let answer = catch_unwind(AssertUnwindSafe(|| {
            if transport.is_none() {
                transport = make();
            }
            transport.as_mut().map(|transport| transport.execute(&command))
        }));
        match answer {
            Ok(Some(answer)) => {
                let _ = reply.send(answer);
            }
            // All handles are gone, and so is who asked.
            Ok(None) => return,
            Err(_) => transport = None,
        }
    }
}

#[cfg(test)]
mod tests;
