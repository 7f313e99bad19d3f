use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc as std_mpsc;

use autochanger_scsi::{Cdb, Status};

use super::*;

/// Does what the first byte after the operation code says, and counts what it was given.
struct Device {
    sent: Arc<AtomicU32>,
    /// Lets a command that waits go on.
    gate: Arc<Mutex<std_mpsc::Receiver<()>>>,
}

const ANSWER: u8 = 0;
const WAIT: u8 = 1;
const PANIC: u8 = 2;
const TELL_SIGNALS: u8 = 3;

impl BlockingTransport for Device {
    fn execute(&mut self, command: &Command) -> Result<Completion, TransportError> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        match command.cdb.as_bytes()[1] {
            WAIT => self.gate.lock().expect("not poisoned").recv().expect("somebody lets it go"),
            PANIC => panic!("a transport's own bug"),
            TELL_SIGNALS => {
                let status = std::fs::read_to_string("/proc/thread-self/status").expect("readable");
                let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("told");
                let name = thread::current().name().unwrap_or_default().to_owned();
                let data = format!("{} {name}", blocked.trim()).into();
                return Ok(Completion { data, ..Completion::good() });
            }
            _ => {}
        }
        Ok(Completion::good())
    }
}

fn device(threads: u16) -> (DeviceThread, Arc<AtomicU32>, std_mpsc::Sender<()>) {
    device_with_grace(threads, GRACE)
}

fn device_with_grace(threads: u16, grace: Duration) -> (DeviceThread, Arc<AtomicU32>, std_mpsc::Sender<()>) {
    let sent = Arc::new(AtomicU32::new(0));
    let (go, gate) = std_mpsc::channel();
    let gate = Arc::new(Mutex::new(gate));
    let thread = DeviceThread::with_grace("test:/dev/some-long-name", threads, grace, {
        let sent = Arc::clone(&sent);
        move || Device { sent: Arc::clone(&sent), gate: Arc::clone(&gate) }
    });
    (thread, sent, go)
}

fn command(what: u8, timeout: Duration) -> Command {
    Command::new(Cdb::from_bytes(&[0, what, 0, 0, 0, 0]).expect("six bytes"), timeout)
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

async fn until(sent: &AtomicU32, count: u32) {
    while sent.load(Ordering::SeqCst) < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn commands_are_answered_by_a_named_thread_that_takes_no_signals() {
    let (thread, ..) = device(1);
    let answer = thread.execute(command(TELL_SIGNALS, LONG)).await.expect("answered");
    let text = String::from_utf8(answer.data.to_vec()).expect("text");
    let (blocked, name) = text.split_once(' ').expect("two words");
    assert_eq!(name, "test:some-long-");
    // All but SIGKILL (9), SIGSTOP (19), and the C library's own two (32, 33).
    assert_eq!(blocked, "fffffffe7ffbfeff");
}

#[tokio::test]
async fn as_many_commands_are_in_flight_as_there_are_threads_and_no_more() {
    let (thread, sent, go) = device(2);
    let commands: Vec<_> = (0..5)
        .map(|_| {
            let thread = thread.clone();
            tokio::spawn(async move { thread.execute(command(WAIT, LONG)).await })
        })
        .collect();
    until(&sent, 2).await;
    for done in 0..5u32 {
        assert!(sent.load(Ordering::SeqCst) <= done + 2);
        go.send(()).expect("somebody waits");
        until(&sent, (done + 3).min(5)).await;
    }
    for task in commands {
        assert_eq!(task.await.expect("no panic").expect("answered").status, Status::Good);
    }
}

#[tokio::test]
async fn a_command_that_no_thread_took_in_its_time_was_not_sent_and_never_is() {
    let (thread, sent, go) = device(1);
    let first = tokio::spawn({
        let thread = thread.clone();
        async move { thread.execute(command(WAIT, LONG)).await }
    });
    until(&sent, 1).await;
    let error = thread.execute(command(ANSWER, SHORT)).await.expect_err("the thread is busy");
    assert!(
        matches!(&error, TransportError::NotSent(fault) if fault.kind == PathFaultKind::TimedOut),
        "{error}"
    );
    go.send(()).expect("the first waits");
    first.await.expect("no panic").expect("answered");
    thread.execute(command(ANSWER, LONG)).await.expect("answered");
    assert_eq!(sent.load(Ordering::SeqCst), 2, "the one that was not sent");
}

#[tokio::test]
async fn a_future_that_is_dropped_before_its_turn_sends_nothing_and_after_it_stops_nothing() {
    let (thread, sent, go) = device(1);
    let begun = tokio::spawn({
        let thread = thread.clone();
        async move { thread.execute(command(WAIT, LONG)).await }
    });
    until(&sent, 1).await;
    let mut waits = Box::pin(thread.execute(command(ANSWER, LONG)));
    assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err());
    drop(waits);
    begun.abort();
    go.send(()).expect("what was begun is carried out");
    thread.execute(command(ANSWER, LONG)).await.expect("answered");
    assert_eq!(sent.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_panic_leaves_its_command_in_doubt_and_the_next_is_answered() {
    let (thread, ..) = device(1);
    let error = thread.execute(command(PANIC, LONG)).await.expect_err("no answer");
    assert!(
        matches!(&error, TransportError::OutcomeUnknown(fault) if fault.kind == PathFaultKind::Closed),
        "{error}"
    );
    thread.execute(command(ANSWER, LONG)).await.expect("made anew");
}

#[tokio::test]
async fn a_device_that_never_comes_back_is_in_doubt_after_its_time() {
    let (thread, sent, go) = device_with_grace(1, SHORT);
    let error = thread.execute(command(WAIT, SHORT)).await.expect_err("no answer");
    assert!(
        matches!(&error, TransportError::OutcomeUnknown(fault) if fault.kind == PathFaultKind::TimedOut),
        "{error}"
    );
    assert_eq!(sent.load(Ordering::SeqCst), 1);
    go.send(()).expect("the thread can end");
}

#[tokio::test]
async fn threads_end_with_the_last_handle() {
    let (thread, sent, go) = device(3);
    thread.execute(command(ANSWER, LONG)).await.expect("answered");
    assert_eq!(sent.load(Ordering::SeqCst), 1);
    let alive = Arc::downgrade(&sent);
    drop((thread, sent));
    // Each thread that has a transport keeps the counter.
    while alive.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    drop(go);
}
