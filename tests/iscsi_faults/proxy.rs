//! A proxy that does harm to PDUs, one at a time, when it is told to, and writes down every MOVE MEDIUM.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It never arrives; what follows does.
    Drop,
    /// It arrives late, and what follows after it.
    Delay(Duration),
    /// A part of it arrives, then the connection ends.
    CutShort(usize),
    /// A part of it arrives, then nothing more either way.
    Stall(usize),
    /// It arrives twice, the second time so much later.
    Duplicate(Duration),
}

impl Kind {
    /// What it is called where faults are counted.
    fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Delay(_) => "delay",
            Self::CutShort(_) => "cut short",
            Self::Stall(_) => "stall",
            Self::Duplicate(_) => "duplicate",
        }
    }
}

/// How many faults have happened, by what they were and whether on the way to the target.
pub(crate) type Hits = BTreeMap<(&'static str, bool), usize>;

/// Source and destination of a MOVE MEDIUM.
pub(crate) type Way = (u16, u16);

/// Hears of each MOVE MEDIUM before it is passed on.
type Witness = Box<dyn Fn(Way) + Send>;

/// Which PDU is hit: one of those that come from now on, or after the fault before it, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) to_target: bool,
    pub(crate) skip: usize,
    pub(crate) kind: Kind,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    hits: Hits,
    damage: Option<bool>,
    moves: Vec<Way>,
    witness: Option<Witness>,
    loses_answers: bool,
}

type Shared = Arc<Mutex<State>>;

/// A running proxy; it ends with this value.
pub(crate) struct Proxy {
    port: u16,
    state: Shared,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(target: SocketAddr) -> Self {
        Self::start_with(target, false).await
    }

    /// One for sessions that have both digests.
    pub(crate) async fn with_digests(target: SocketAddr) -> Self {
        Self::start_with(target, true).await
    }

    async fn start_with(target: SocketAddr, digests: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let state = Shared::default();
        let task = tokio::spawn(accept(listener, target, digests, state.clone()));
        Self { port, state, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Plants faults that happen one after the other, in place of those that have not happened.
    pub(crate) fn arm(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state).faults = faults.into_iter().collect();
    }

    /// Takes back the faults that have not happened.
    pub(crate) fn disarm(&self) {
        lock(&self.state).faults.clear();
    }

    pub(crate) fn hits(&self) -> Hits {
        lock(&self.state).hits.clone()
    }

    /// Has somebody hear of each MOVE MEDIUM that comes from the initiator, before anything becomes of it.
    pub(crate) fn witness(&self, witness: impl Fn(Way) + Send + 'static) {
        lock(&self.state).witness = Some(Box::new(witness));
    }

    /// The next PDU from the target after each MOVE MEDIUM is lost, which is its answer.
    pub(crate) fn lose_answers(&self) {
        lock(&self.state).loses_answers = true;
    }

    /// Flips a bit in the header of the next PDU in that direction that has a digest.
    pub(crate) fn damage(&self, to_target: bool) {
        lock(&self.state).damage = Some(to_target);
    }

    /// Whether that is still to come.
    pub(crate) fn is_about_to_damage(&self) -> bool {
        lock(&self.state).damage.is_some()
    }

    /// The MOVE MEDIUM that came from the initiator, also those that were not passed on.
    pub(crate) fn moves(&self) -> Vec<Way> {
        lock(&self.state).moves.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, target: SocketAddr, digests: bool, state: Shared) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let state = state.clone();
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(target).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            // Whichever side ends first ends both: dropping the halves closes the sockets.
            tokio::select! {
                () = pass(from_client, to_server, true, digests, &state) => {}
                () = pass(from_server, to_client, false, digests, &state) => {}
            }
        });
    }
}

/// Passes PDUs on, but for the one that is to be harmed.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    to_target: bool,
    with_digests: bool,
    state: &Shared,
) {
    let mut digests = false;
    while let Some(mut pdu) = read_pdu(&mut from, digests).await {
        if to_target && pdu[0] & 0x3F == 0x01 && pdu[32] == 0xA5 {
            let address = |at: usize| u16::from_be_bytes([pdu[32 + at], pdu[33 + at]]);
            let way = (address(4), address(6));
            let mut state = lock(state);
            state.moves.push(way);
            if let Some(witness) = &state.witness {
                witness(way);
            }
            if state.loses_answers {
                state.faults.push_back(Fault { to_target: false, skip: 0, kind: Kind::Drop });
            }
        }
        let kind = {
            let mut state = lock(state);
            if digests && state.damage == Some(to_target) {
                state.damage = None;
                // A tag: no length is hit, which would make this proxy wait.
                pdu[19] ^= 0x40;
            }
            match state.faults.front_mut() {
                Some(fault) if fault.to_target == to_target && fault.skip == 0 => {
                    let kind = fault.kind;
                    state.faults.pop_front();
                    *state.hits.entry((kind.name(), to_target)).or_default() += 1;
                    Some(kind)
                }
                Some(fault) if fault.to_target == to_target => {
                    fault.skip -= 1;
                    None
                }
                _ => None,
            }
        };
        // Digests begin after the login, whose last request and response have T and NSG 3.
        digests |= with_digests && matches!(pdu[0] & 0x3F, 0x03 | 0x23) && pdu[1] & 0x83 == 0x83;
        let written = match kind {
            None => to.write_all(&pdu).await,
            Some(Kind::Drop) => Ok(()),
            Some(Kind::Delay(time)) => {
                tokio::time::sleep(time).await;
                to.write_all(&pdu).await
            }
            Some(Kind::Duplicate(time)) if time.is_zero() => to.write_all(&[&pdu[..], &pdu].concat()).await,
            Some(Kind::Duplicate(time)) => {
                let _ = to.write_all(&pdu).await;
                tokio::time::sleep(time).await;
                to.write_all(&pdu).await
            }
            Some(Kind::CutShort(length)) => {
                let _ = to.write_all(&pdu[..length.min(pdu.len() - 1)]).await;
                return;
            }
            Some(Kind::Stall(length)) => {
                let _ = to.write_all(&pdu[..length.min(pdu.len() - 1)]).await;
                // The other direction ends the connection, when its side has had enough.
                std::future::pending().await
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// A whole PDU as it stands on the wire, or `None` at the end.
async fn read_pdu(from: &mut OwnedReadHalf, digests: bool) -> Option<Vec<u8>> {
    let mut pdu = vec![0; 48];
    from.read_exact(&mut pdu).await.ok()?;
    let data = usize::from(pdu[5]) << 16 | usize::from(pdu[6]) << 8 | usize::from(pdu[7]);
    let mut rest = usize::from(pdu[4]) * 4 + data.next_multiple_of(4);
    if digests {
        rest += if data > 0 { 8 } else { 4 };
    }
    pdu.resize(48 + rest, 0);
    from.read_exact(&mut pdu[48..]).await.ok()?;
    Some(pdu)
}
