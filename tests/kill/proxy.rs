//! A loopback proxy that passes iSCSI, logs every MOVE MEDIUM and can hold one, or its answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::child::MOTION;

const MOVE_MEDIUM: u8 = 0xA5;
const READ_ELEMENT_STATUS: u8 = 0xB8;
const SCSI_COMMAND: u8 = 0x01;
const SCSI_RESPONSE: u8 = 0x21;

/// What becomes of the move that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The target does it; the answer is held and never arrives.
    DoneUnanswered,
    /// The command is held and never arrives.
    Lost,
    /// The command is held, and arrives at the target after the process was killed.
    Late,
    /// The command is held, and arrives at the target when the next process has already looked at the elements.
    LateAfterLook,
}

/// A MOVE MEDIUM as it came from the initiator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Move {
    pub(crate) source: u16,
    pub(crate) destination: u16,
}

pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    moves: Vec<Move>,
    /// The move with this place in the log is to be held.
    hold: Option<(usize, Fate, Arc<Gate>)>,
    /// To be opened some time after the next look at the elements.
    after_look: Option<(Duration, Arc<Gate>)>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where something is held until it is let go.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    reached: bool,
    open: bool,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) {
        let mut state = self.state();
        state.reached = true;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| !state.open));
    }

    pub(crate) fn open(&self) {
        self.state().open = true;
        self.changed.notify_all();
    }

    /// Waits until something is held here.
    pub(crate) fn until_reached(&self, patience: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), patience, |state| !state.reached);
        waited.unwrap_or_else(PoisonError::into_inner).0.reached
    }
}

impl Proxy {
    pub(crate) fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                pass(client, server, &accepting);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Every MOVE MEDIUM that came, in order, also those that were held.
    pub(crate) fn moves(&self) -> Vec<Move> {
        self.shared.state().moves.clone()
    }

    /// Holds a move to come: the next one, after so many others.
    pub(crate) fn hold(&self, after: usize, fate: Fate) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        let mut state = self.shared.state();
        let place = state.moves.len() + after;
        state.hold = Some((place, fate, Arc::clone(&gate)));
        gate
    }

    /// Opens the gate so long after the next READ ELEMENT STATUS came.
    pub(crate) fn open_after_look(&self, gate: Arc<Gate>, delay: Duration) {
        self.shared.state().after_look = Some((delay, gate));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        let held = state.hold.take().map(|(_, _, gate)| gate);
        let late = state.after_look.take().map(|(_, gate)| gate);
        held.into_iter().chain(late).for_each(|gate| gate.open());
    }
}

/// Both directions of one connection, a thread each.
fn pass(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
    let held = Arc::new(HeldAnswer::default());
    let (shared, held_here) = (Arc::clone(shared), Arc::clone(&held));
    std::thread::spawn(move || {
        pass_commands(from_client, &to_server, &shared, &held_here);
        let _ = to_server.shutdown(std::net::Shutdown::Both);
    });
    std::thread::spawn(move || {
        pass_answers(server, &client, &held);
        let _ = client.shutdown(std::net::Shutdown::Both);
    });
}

/// The task tag of the command whose answer is to be held, and where.
type HeldAnswer = Mutex<Option<([u8; 4], Arc<Gate>)>>;

fn pass_commands(mut from: TcpStream, mut to: &TcpStream, shared: &Shared, held: &HeldAnswer) {
    while let Some(pdu) = read_pdu(&mut from) {
        let opcode = (pdu[0] & 0x3F == SCSI_COMMAND).then_some(pdu[32]);
        if opcode == Some(READ_ELEMENT_STATUS)
            && let Some((delay, gate)) = shared.state().after_look.take()
        {
            std::thread::spawn(move || {
                // Long enough for the look to be over, short against the motion's time-out.
                std::thread::sleep(delay);
                gate.open();
            });
        }
        if opcode == Some(MOVE_MEDIUM) {
            match log_move(shared, &pdu) {
                Some((Fate::DoneUnanswered, gate)) => {
                    *held.lock().unwrap_or_else(PoisonError::into_inner) = Some((task_tag(&pdu), gate));
                }
                Some((Fate::Late, gate)) => gate.pass(),
                Some((Fate::LateAfterLook, gate)) => {
                    let came = Instant::now();
                    gate.pass();
                    // A machine too busy to let it arrive in time: a move after its time-out is promised to nobody.
                    if came.elapsed() > MOTION / 2 {
                        return;
                    }
                }
                Some((Fate::Lost, gate)) => {
                    gate.pass();
                    return;
                }
                None => {}
            }
        }
        if to.write_all(&pdu).is_err() {
            return;
        }
    }
}

fn log_move(shared: &Shared, pdu: &[u8]) -> Option<(Fate, Arc<Gate>)> {
    let address = |at: usize| u16::from_be_bytes([pdu[32 + at], pdu[33 + at]]);
    let mut state = shared.state();
    let place = state.moves.len();
    state.moves.push(Move { source: address(4), destination: address(6) });
    let held = state.hold.take_if(|(wanted, _, _)| *wanted == place);
    held.map(|(_, fate, gate)| (fate, gate))
}

fn pass_answers(mut from: TcpStream, mut to: &TcpStream, held: &HeldAnswer) {
    while let Some(pdu) = read_pdu(&mut from) {
        let awaited = held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((tag, gate)) = awaited
            && pdu[0] & 0x3F == SCSI_RESPONSE
            && tag == task_tag(&pdu)
        {
            gate.pass();
            return;
        }
        // A client that was killed reads nothing; what the target does is done all the same.
        let _ = to.write_all(&pdu);
    }
}

fn task_tag(pdu: &[u8]) -> [u8; 4] {
    [pdu[16], pdu[17], pdu[18], pdu[19]]
}

/// A whole PDU as it stands on the wire (no digests), or `None` at the end.
fn read_pdu(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut pdu = vec![0; 48];
    from.read_exact(&mut pdu).ok()?;
    let data = usize::from(pdu[5]) << 16 | usize::from(pdu[6]) << 8 | usize::from(pdu[7]);
    let rest = usize::from(pdu[4]) * 4 + data.next_multiple_of(4);
    pdu.resize(48 + rest, 0);
    from.read_exact(&mut pdu[48..]).ok()?;
    Some(pdu)
}
