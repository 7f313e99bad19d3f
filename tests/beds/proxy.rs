//! A loopback proxy in front of a target, which counts the SCSI commands that pass and cuts connections when told.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// When the proxy ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A command with this opcode arrives: it is not passed on.
    BeforeCommand(u8),
    /// A command with this opcode was passed on: its answer is not.
    BeforeAnswer(u8),
}

/// Which answers are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    Nothing,
    /// Answers to SCSI commands; pings are answered, as by a target whose device works long.
    Commands,
    /// Everything, as by a target that has died without a word.
    Everything,
}

impl Holding {
    fn holds(self, pdu: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Commands => matches!(pdu[0] & 0x3F, 0x21 | 0x25),
            Self::Everything => true,
        }
    }
}

/// A running proxy; it ends with this value.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    inner: Mutex<Inner>,
    /// Raised to end every open connection.
    epoch: watch::Sender<u64>,
    holding: watch::Sender<Holding>,
}

#[derive(Default)]
struct Inner {
    cut: Option<Cut>,
    /// The next answer ends the connection.
    cut_answer: bool,
    commands: Vec<u8>,
    logouts: usize,
    pings: usize,
    connections: usize,
}

impl State {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// A proxy to a port of this machine.
    pub async fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let state = Arc::new(State {
            inner: Mutex::default(),
            epoch: watch::Sender::new(0),
            holding: watch::Sender::new(Holding::Nothing),
        });
        let task = tokio::spawn(accept(listener, target, state.clone()));
        Self { port, state, task }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the connection at the next occasion, once.
    pub fn cut(&self, cut: Cut) {
        self.state.inner().cut = Some(cut);
    }

    /// Holds answers back, and lets go what was held and is not any more.
    pub fn hold(&self, holding: Holding) {
        self.state.holding.send_replace(holding);
    }

    /// Ends every open connection now.
    pub fn cut_now(&self) {
        self.state.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// The opcodes of the SCSI commands that came from the initiator, in order, also those that were not passed on.
    pub fn commands(&self) -> Vec<u8> {
        self.state.inner().commands.clone()
    }

    /// How many commands with this opcode came from the initiator.
    pub fn count(&self, opcode: u8) -> usize {
        self.state.inner().commands.iter().filter(|seen| **seen == opcode).count()
    }

    /// Waits until so many commands with this opcode came from the initiator.
    pub async fn until_count(&self, opcode: u8, count: usize) {
        let wait = async {
            while self.count(opcode) < count {
                // The proxy tells nobody when a command passes; looking again is cheap.
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), wait)
            .await
            .expect("the commands arrive at the proxy");
    }

    /// How many logouts came from the initiator.
    pub fn logouts(&self) -> usize {
        self.state.inner().logouts
    }

    /// How many pings came from the initiator.
    pub fn pings(&self) -> usize {
        self.state.inner().pings
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.state.inner().connections
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut_now();
    }
}

async fn accept(listener: TcpListener, target: u16, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        state.inner().connections += 1;
        let state = state.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
            let mut epoch = state.epoch.subscribe();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            // Whichever side ends first ends both: dropping the halves closes the sockets.
            tokio::select! {
                () = pass_commands(from_client, to_server, &state) => {}
                () = pass_answers(from_server, to_client, &state) => {}
                _ = epoch.changed() => {}
            }
        });
    }
}

async fn pass_commands(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State) {
    while let Some(pdu) = read_pdu(&mut from).await {
        match pdu[0] & 0x3F {
            0x00 => state.inner().pings += 1,
            0x06 => state.inner().logouts += 1,
            _ => {}
        }
        if pdu[0] & 0x3F == 0x01 {
            let opcode = pdu[32];
            let mut inner = state.inner();
            inner.commands.push(opcode);
            match inner.cut {
                Some(Cut::BeforeCommand(at)) if at == opcode => {
                    inner.cut = None;
                    return;
                }
                Some(Cut::BeforeAnswer(at)) if at == opcode => {
                    inner.cut = None;
                    inner.cut_answer = true;
                }
                _ => {}
            }
        }
        if to.write_all(&pdu).await.is_err() {
            return;
        }
    }
}

async fn pass_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State) {
    let (sender, mut answers) = mpsc::unbounded_channel();
    let read = async move {
        while let Some(pdu) = read_pdu(&mut from).await {
            let _ = sender.send(pdu);
        }
    };
    let write = async move {
        let mut holding = state.holding.subscribe();
        let mut held = Vec::new();
        let mut statuses = Statuses::default();
        loop {
            tokio::select! {
                pdu = answers.recv() => match pdu {
                    Some(pdu) => held.push(pdu),
                    None => return,
                },
                _ = holding.changed() => {}
            }
            let now = *holding.borrow_and_update();
            let (kept, free): (Vec<_>, Vec<_>) = held.drain(..).partition(|pdu| now.holds(pdu));
            held = kept;
            for mut pdu in free {
                statuses.number(&mut pdu);
                if std::mem::take(&mut state.inner().cut_answer) || to.write_all(&pdu).await.is_err() {
                    return;
                }
            }
        }
    };
    // A writer that stops, because it is to cut or nobody listens, ends the connection; so does a reader, once what it
    // read was written.
    tokio::pin!(write);
    tokio::select! {
        () = &mut write => {}
        () = read => write.await,
    }
}

/// Counts statuses (StatSN) in the order in which they leave here: a target whose device works long numbers its answer when
/// it has one, and a pong that was asked for later comes before it.
#[derive(Default)]
struct Statuses {
    next: Option<u32>,
}

impl Statuses {
    fn number(&mut self, pdu: &mut [u8]) {
        let own = u32::from_be_bytes([pdu[24], pdu[25], pdu[26], pdu[27]]);
        // Data alone has no number; requests for data and pings of the target tell the next one.
        let (has, counts) = match pdu[0] & 0x3F {
            0x25 => (pdu[1] & 1 != 0, true),
            0x31 => (true, false),
            0x20 => (true, pdu[16..20] != [0xFF; 4]),
            _ => (true, true),
        };
        if has {
            let next = *self.next.get_or_insert(own);
            pdu[24..28].copy_from_slice(&next.to_be_bytes());
            self.next = Some(next.wrapping_add(u32::from(counts)));
        }
    }
}

/// A whole PDU as it stands on the wire (no digests), or `None` at the end.
async fn read_pdu(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut pdu = vec![0; 48];
    from.read_exact(&mut pdu).await.ok()?;
    let data = usize::from(pdu[5]) << 16 | usize::from(pdu[6]) << 8 | usize::from(pdu[7]);
    let rest = usize::from(pdu[4]) * 4 + data.next_multiple_of(4);
    pdu.resize(48 + rest, 0);
    from.read_exact(&mut pdu[48..]).await.ok()?;
    Some(pdu)
}
