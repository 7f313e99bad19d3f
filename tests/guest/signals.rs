//! A motion is sent once, whatever interrupts who waits for it.
//!
//! The target stands still while a MOVE MEDIUM is under way; the process is interrupted; the target goes on. What the kernel
//! has sent is counted by itself.

use std::sync::mpsc;
use std::thread;

use autochanger::transport::{Command, Transport};
use autochanger_scsi::sg::{Answer, Data, Device, Fault, Interface, block_signals};
use autochanger_scsi::{ElementType, Sense, Status};
use tokio::signal::unix::{SignalKind, signal};

use super::bed::Guest;
use super::inside::{
    DRIVE, PATIENCE, SLOT, Standstill, ask, changer, commands_sent, content, move_medium, shell,
    signal_threads, stop_and_go_on, this_thread, threads, transport, until,
};

/// How an application has its signals handled by its runtime: with handlers that restart system calls (SA_RESTART).
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// Sends a MOVE MEDIUM, has `interrupt` called while the target stands still over it, and tells the answer and how many
/// commands were sent. The thread takes signals, unless it says otherwise.
fn move_while(
    interface: Interface,
    blocked: bool,
    interrupt: impl FnOnce(u32),
) -> (Result<Answer, Fault>, u64) {
    let mut device = Device::open(changer()).expect("it can be opened").with_interface(interface);
    drop(ask());
    let standstill = Standstill::begin();
    let before = commands_sent();
    let (tell, told) = mpsc::channel();
    let moving = thread::spawn(move || {
        if blocked {
            block_signals().expect("they can be blocked");
        }
        tell.send(this_thread()).expect("somebody listens");
        device.execute(&move_medium(SLOT, DRIVE), Data::None, PATIENCE)
    });
    let mover = told.recv().expect("the thread runs");
    until("the move is sent", || commands_sent() > before);
    interrupt(mover);
    standstill.end();
    let answer = moving.join().expect("no panic");
    until("the target has answered", || content(&mut ask(), ElementType::Drive, DRIVE).is_some());
    // `ask` and `content` are commands of their own.
    (answer, before)
}

/// What came of it: moves are counted before anything else is asked.
struct Counted {
    answer: Result<Answer, Fault>,
    sent: u64,
}

fn counted(interface: Interface, blocked: bool, interrupt: impl FnOnce(u32)) -> Counted {
    let sent = std::cell::Cell::new(0);
    let count = &sent;
    let (answer, before) = move_while(interface, blocked, |mover| {
        interrupt(mover);
        // A command that is sent again is sent at once: the target's standstill holds back only its answer.
        thread::sleep(std::time::Duration::from_millis(200));
        count.set(commands_sent());
    });
    Counted { answer, sent: sent.get() - before }
}

fn assert_moved_once(counted: Counted) {
    assert_eq!(counted.sent, 1, "MOVE MEDIUM was sent more than once");
    assert_eq!(counted.answer.expect("answered").status, Status::Good);
    let mut device = ask();
    assert_eq!(content(&mut device, ElementType::Drive, DRIVE).as_deref(), Some("VT0001L3"));
    assert_eq!(content(&mut device, ElementType::Storage, SLOT), None);
}

/// The first move was done, the second found its source empty, and that is what the caller is told.
fn assert_moved_twice(counted: Counted) {
    assert_eq!(counted.sent, 2);
    let answer = counted.answer.expect("answered");
    let sense = Sense::parse(answer.sense()).expect("sense data");
    assert_eq!(
        (answer.status, sense.code.asc, sense.code.ascq),
        (Status::CheckCondition, 0x3B, 0x0E),
        "{sense}"
    );
    assert_eq!(content(&mut ask(), ElementType::Drive, DRIVE).as_deref(), Some("VT0001L3"));
}

#[test]
fn the_bare_ioctl_sends_a_move_twice_when_a_signal_meets_it() {
    Guest::new().run("signals::the_bare_ioctl_sends_a_move_twice_when_a_signal_meets_it", || {
        let runtime = runtime();
        let _handler = runtime.block_on(async { signal(SignalKind::user_defined1()) }).expect("a handler");
        assert_moved_twice(counted(Interface::Ioctl, false, |mover| signal_threads(&[mover], 1)));
    });
}

#[test]
fn the_bare_ioctl_sends_a_move_twice_when_the_process_is_stopped_even_with_signals_blocked() {
    let name =
        "signals::the_bare_ioctl_sends_a_move_twice_when_the_process_is_stopped_even_with_signals_blocked";
    Guest::new().run(name, || {
        assert_moved_twice(counted(Interface::Ioctl, true, |_| stop_and_go_on()));
    });
}

#[test]
fn a_device_sends_a_move_once_however_often_signals_and_stops_interrupt_it() {
    Guest::new().run(
        "signals::a_device_sends_a_move_once_however_often_signals_and_stops_interrupt_it",
        || {
            let runtime = runtime();
            let _handler =
                runtime.block_on(async { signal(SignalKind::user_defined1()) }).expect("a handler");
            // No signal is blocked in this thread: the driver's interface alone must do.
            assert_moved_once(counted(Interface::WriteRead, false, |mover| {
                signal_threads(&[mover], 50);
                stop_and_go_on();
                stop_and_go_on();
            }));
        },
    );
}

#[test]
fn a_signal_during_a_move_does_not_send_it_twice_whatever_handlers_the_application_has() {
    let name = "signals::a_signal_during_a_move_does_not_send_it_twice_whatever_handlers_the_application_has";
    Guest::new().run(name, || {
        runtime().block_on(async {
            let mut handled = signal(SignalKind::user_defined1()).expect("a handler");
            let _others = [SignalKind::child(), SignalKind::hangup(), SignalKind::alarm()]
                .map(|kind| signal(kind).expect("a handler"));
            drop(ask());
            let transport = transport();
            let standstill = Standstill::begin();
            let before = commands_sent();
            let moving = tokio::spawn(async move {
                transport.execute(Command::new(move_medium(SLOT, DRIVE), PATIENCE)).await
            });
            tokio::task::spawn_blocking(move || {
                until("the move is sent", || commands_sent() > before);
                // Each thread by itself, the process as a whole, and its being stopped.
                signal_threads(&threads(), 20);
                let pid = std::process::id();
                shell(&format!(
                    "for n in 1 2 3 4 5; do kill -USR1 {pid}; kill -HUP {pid}; kill -ALRM {pid}; done"
                ));
                stop_and_go_on();
            })
            .await
            .expect("no panic");
            assert_eq!(commands_sent() - before, 1, "MOVE MEDIUM was sent more than once");
            tokio::time::timeout(PATIENCE, handled.recv()).await.expect("the handler was called");
            standstill.end();
            let answer = moving.await.expect("no panic").expect("answered");
            assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
            let mut device = ask();
            assert_eq!(content(&mut device, ElementType::Drive, DRIVE).as_deref(), Some("VT0001L3"));
            assert_eq!(content(&mut device, ElementType::Storage, SLOT), None);
        });
    });
}
