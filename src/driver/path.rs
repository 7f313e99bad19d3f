//! One task per way to a device: it carries commands to the transport and answers back, and knows nothing more.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use autochanger_engine::command::{Command, Completion, PathFault, PathFaultKind, TransportError};
use autochanger_engine::id::{CommandId, Device, Path, Route};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::message::Report;
use crate::transport::Transport;

/// The ways to the devices of one library.
#[derive(Clone)]
pub(crate) struct Ways {
    pub(crate) changer: Arc<dyn Transport>,
    /// Further ways to the same changer.
    pub(crate) others: Vec<Arc<dyn Transport>>,
    /// In the order of the configuration.
    pub(crate) drives: Vec<Arc<dyn Transport>>,
}

impl Ways {
    /// The way to one device, where there is one.
    pub(crate) fn to(&self, path: Path) -> Option<Arc<dyn Transport>> {
        match path.device {
            Device::Changer => self.by(path.route).cloned(),
            Device::Configured(index) => self.drives.get(usize::from(index)).cloned(),
            Device::Sibling(lun) => self.by(path.route)?.sibling(lun),
        }
    }

    fn by(&self, route: Route) -> Option<&Arc<dyn Transport>> {
        match route.0.checked_sub(1) {
            None => Some(&self.changer),
            Some(other) => self.others.get(usize::from(other)),
        }
    }
}

/// All paths that were used so far.
pub(crate) struct Paths {
    libraries: Arc<[Ways]>,
    open: HashMap<Path, OpenPath>,
    /// They end with this: what is in flight then is abandoned, which stops no device.
    tasks: JoinSet<()>,
    reports: mpsc::UnboundedSender<Report>,
}

struct OpenPath {
    device: Arc<str>,
    queue: mpsc::UnboundedSender<Carried>,
}

impl Paths {
    pub(crate) fn new(libraries: Arc<[Ways]>, reports: mpsc::UnboundedSender<Report>) -> Self {
        Self { libraries, open: HashMap::new(), tasks: JoinSet::new(), reports }
    }

    /// Sends a command on its way. Its end is reported in any case. The queue needs no bound of its own: the engine has
    /// only so many commands in flight.
    pub(crate) fn send(&mut self, path: Path, id: CommandId, command: Command) {
        if let Some(open) = self.open.get(&path) {
            let carried = self.owe(id, command, Arc::clone(&open.device));
            match open.queue.send(carried) {
                Ok(()) => return,
                // The path's task is gone, for a transport panicked: it is started anew.
                Err(returned) => return self.start(path, returned.0),
            }
        }
        let device =
            self.libraries.get(usize::from(path.library.0)).map_or("?", |ways| ways.changer.device());
        let carried = self.owe(id, command, device.into());
        self.start(path, carried);
    }

    fn owe(&self, id: CommandId, command: Command, device: Arc<str>) -> Carried {
        Carried { id, command: Some(command), device, reports: Some(self.reports.clone()) }
    }

    fn start(&mut self, path: Path, first: Carried) {
        let ways = self.libraries.get(usize::from(path.library.0));
        let Some(transport) = ways.and_then(|ways| ways.to(path)) else {
            let fault = PathFault {
                kind: PathFaultKind::Unsupported,
                device: Arc::clone(&first.device),
                detail: format!("its transport has no way to the device {:?}", path.device),
            };
            return first.report(Err(TransportError::NotSent(fault)));
        };
        let (queue, commands) = mpsc::unbounded_channel();
        self.open.insert(path, OpenPath { device: transport.device().into(), queue: queue.clone() });
        let _ = queue.send(first);
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(carry(transport, commands));
    }
}

/// Carries the commands of one path, as many at once as the transport takes, begun in their order.
async fn carry(transport: Arc<dyn Transport>, mut commands: mpsc::UnboundedReceiver<Carried>) {
    let room = Arc::new(Semaphore::new(usize::from(transport.limits().max_in_flight.max(1))));
    let mut in_flight = JoinSet::new();
    while let Some(carried) = commands.recv().await {
        while in_flight.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let transport = Arc::clone(&transport);
        let mut command = Box::pin(async move {
            carried.execute(&*transport).await;
            drop(permit);
        });
        // A command that is answered at once (a simulated library without time) costs no task.
        let first = poll_fn(|context| Poll::Ready(command.as_mut().poll(context))).await;
        if first.is_pending() {
            in_flight.spawn(command);
        }
    }
}

/// A command that owes a report. However it ends, also by a panic in a transport, exactly one is made.
struct Carried {
    id: CommandId,
    /// Until it is handed to the transport.
    command: Option<Command>,
    device: Arc<str>,
    /// Until the report is made.
    reports: Option<mpsc::UnboundedSender<Report>>,
}

impl Carried {
    async fn execute(mut self, transport: &dyn Transport) {
        let Some(command) = self.command.take() else { return };
        let result = transport.execute(command).await;
        self.report(result);
    }

    fn report(mut self, result: Result<Completion, TransportError>) {
        if let Some(reports) = self.reports.take() {
            let _ = reports.send(Report::Completed { command: self.id, result });
        }
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        let Some(reports) = self.reports.take() else { return };
        let fault = |detail: &str| PathFault {
            kind: PathFaultKind::Closed,
            device: Arc::clone(&self.device),
            detail: detail.into(),
        };
        let error = match self.command {
            Some(_) => TransportError::NotSent(fault("the path was closed before the command was sent")),
            None => {
                TransportError::OutcomeUnknown(fault("the transport gave up while it carried the command"))
            }
        };
        let _ = reports.send(Report::Completed { command: self.id, result: Err(error) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Limits;
    use async_trait::async_trait;
    use autochanger_engine::id::LibraryIndex;
    use autochanger_scsi::TestUnitReady;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;
    use tokio::sync::Notify;

    /// Answers when it is let; counts what is in flight.
    struct Slow {
        let_go: Notify,
        in_flight: AtomicU32,
        most: AtomicU32,
        max_in_flight: u16,
    }

    #[async_trait]
    impl Transport for Slow {
        async fn execute(&self, _command: Command) -> Result<Completion, TransportError> {
            let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(now, Ordering::Relaxed);
            self.let_go.notified().await;
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            Ok(Completion::good())
        }
        fn limits(&self) -> Limits {
            Limits { max_transfer: 1024, max_in_flight: self.max_in_flight }
        }
        fn device(&self) -> &str {
            "slow:"
        }
    }

    const CHANGER: Path = Path { library: LibraryIndex(0), route: Route(0), device: Device::Changer };

    fn command() -> Command {
        Command::new(TestUnitReady {}.cdb(), Duration::from_secs(1))
    }

    fn paths(max_in_flight: u16) -> (Paths, Arc<Slow>, mpsc::UnboundedReceiver<Report>) {
        let slow = Arc::new(Slow {
            let_go: Notify::new(),
            in_flight: AtomicU32::new(0),
            most: AtomicU32::new(0),
            max_in_flight,
        });
        let (report, reports) = mpsc::unbounded_channel();
        let changer: Arc<dyn Transport> = slow.clone();
        let ways = vec![Ways { changer, others: Vec::new(), drives: Vec::new() }];
        (Paths::new(ways.into(), report), slow, reports)
    }

    #[tokio::test]
    async fn a_path_carries_as_many_commands_at_once_as_its_transport_takes_and_answers_all() {
        for limit in [1, 3] {
            let (mut paths, slow, mut reports) = paths(limit);
            for id in 0..10 {
                paths.send(CHANGER, CommandId(id), command());
            }
            for _ in 0..10 {
                let report = loop {
                    slow.let_go.notify_one();
                    tokio::select! {
                        biased;
                        report = reports.recv() => break report,
                        () = tokio::task::yield_now() => {}
                    }
                };
                assert!(matches!(report, Some(Report::Completed { result: Ok(_), .. })));
            }
            assert_eq!(slow.most.load(Ordering::Relaxed), u32::from(limit));
        }
    }

    #[tokio::test]
    async fn a_command_to_a_device_without_a_way_was_not_sent() {
        let (mut paths, _slow, mut reports) = paths(1);
        let paths_to_nothing = [
            (Route(0), Device::Configured(0)),
            (Route(0), Device::Sibling(3)),
            (Route(1), Device::Changer),
            (Route(1), Device::Sibling(1)),
        ];
        for (route, device) in paths_to_nothing {
            paths.send(Path { library: LibraryIndex(0), route, device }, CommandId(1), command());
            match reports.recv().await {
                Some(Report::Completed { result: Err(TransportError::NotSent(fault)), .. }) => {
                    assert_eq!((fault.kind, &*fault.device), (PathFaultKind::Unsupported, "slow:"));
                }
                _ => panic!("a report is owed"),
            }
        }
    }

    #[tokio::test]
    async fn what_is_abandoned_in_flight_is_in_doubt_and_what_waits_was_not_sent() {
        let (mut paths, slow, mut reports) = paths(1);
        for id in 0..2 {
            paths.send(CHANGER, CommandId(id), command());
        }
        while slow.in_flight.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        drop(paths);
        let (mut in_doubt, mut not_sent) = (Vec::new(), Vec::new());
        while let Some(report) = reports.recv().await {
            match report {
                Report::Completed { command, result: Err(TransportError::OutcomeUnknown(_)) } => {
                    in_doubt.push(command)
                }
                Report::Completed { command, result: Err(TransportError::NotSent(_)) } => {
                    not_sent.push(command)
                }
                _ => panic!("neither can have an answer"),
            }
        }
        assert_eq!((in_doubt, not_sent), (vec![CommandId(0)], vec![CommandId(1)]));
    }
}
