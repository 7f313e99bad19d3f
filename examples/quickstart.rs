//! The main job, told step by step: opens a library, mounts two cartridges, cancels what can be cancelled, puts
//! everything back, prints what was done. Without arguments on a simulated library; see `--help`.

#[path = "quickstart/options.rs"]
mod options;
#[path = "quickstart/told.rs"]
mod told;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use autochanger::view::SlotInfo;
use autochanger::{
    CancelError, Cancellation, Cartridge, CartridgeId, Dismounted, ElementAddress, ElementType, Ending,
    EventKind, EventStream, LibraryConfig, Manager, Mounted, Place, RequestError, RequestId, Role, Session,
    State, Ticket,
};
use options::{HELP, Options};
use tokio::task::JoinHandle;
use told::{label, narrate, print_history, print_table, way_to};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A midrange library, a minute of it in a second.
const SIMULATED: &str = "sim:slots=24,drives=2,ports=4,arms=1,cartridges=20,profile=midrange,scale=60";

/// How long anything here may take: a mount of a real library takes two minutes, and more when it is busy.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let mut tale = Tale::new();
    match tale.tell(options).await {
        Ok(()) if tale.untrue == 0 => {
            println!("\nAll {} statements were true; it took {:.1?}.", tale.checked, tale.start.elapsed());
            ExitCode::SUCCESS
        }
        Ok(()) => {
            println!("\n{} of {} statements were not true.", tale.untrue, tale.checked);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\nIt could not be done: {error}");
            ExitCode::from(2)
        }
    }
}

/// What is told and how much of it was true.
struct Tale {
    start: Instant,
    checked: u32,
    untrue: u32,
    narrator: Option<JoinHandle<()>>,
}

/// A cartridge of the story and the slot that it lives in.
struct Tape {
    id: CartridgeId,
    label: String,
    slot: ElementAddress,
}

impl Tale {
    fn new() -> Self {
        Self { start: Instant::now(), checked: 0, untrue: 0, narrator: None }
    }

    async fn tell(&mut self, options: Options) -> Result<()> {
        self.title("Opening the library");
        let mut library = LibraryConfig::new(options.device.as_deref().unwrap_or(SIMULATED));
        for (element, url) in options.drives {
            library = library.drive(element, url);
        }
        let mut manager = Manager::builder().library(library);
        if let Some(path) = options.store {
            manager = manager.store(path);
        }
        let manager = manager.open().await?;
        self.say("the manager is open; the library is being identified");
        let told = self.tell_of(&manager).await;
        // Also after an error: otherwise the library stays reserved.
        manager.shutdown().await;
        // The events end with the manager.
        if let Some(narrator) = self.narrator.take() {
            narrator.await?;
        }
        told
    }

    async fn tell_of(&mut self, manager: &Manager) -> Result<()> {
        manager.ready().await?;
        let session = manager.session("quickstart").role(Role::Administrator).open()?;
        for library in session.libraries().await? {
            self.describe(&library);
        }
        let inventory = session.inventory().await?;
        self.say(format!(
            "inventory: {} cartridges in {} elements",
            inventory.cartridges, inventory.elements
        ));
        print_table(&session).await?;

        self.narrator = Some(tokio::spawn(narrate(session.events(), self.start)));
        let before = session.cartridges(None).await?;
        let worked = self.work(manager, &session).await;
        // Also when something went wrong on the way: nothing is left in a drive.
        let returned = self.put_back(&session, &before).await;
        worked.and(returned)?;

        self.title("What the manager remembers");
        print_history(&session).await?;
        let cancelled = session.close().await?;
        self.check(cancelled == 0, "closing the session had nothing left to cancel");
        Ok(())
    }

    async fn work(&mut self, manager: &Manager, session: &Session) -> Result<()> {
        let (tapes, drive) = choose(session).await?;
        let [first, second, third] = &tapes;

        self.title("Two mounts, and a third that is cancelled while the library is busy");
        let one = session.mount(first.id).drive(drive).deadline(PATIENCE).submit().await?;
        self.say(format!("asked for {} in drive {drive}: request {}", first.label, one.id()));
        let two = session.mount(second.id).read_only().deadline(PATIENCE).submit().await?;
        self.say(format!("asked for {} in any drive: request {}", second.label, two.id()));
        let busy = in_process(&one).await;
        let third_one = session.mount(third.id).drive(drive).submit().await?;
        self.say(format!("asked for {} in drive {drive}: request {}", third.label, third_one.id()));
        let (asked, third_id) = (Instant::now(), third_one.id());
        let answer = session.cancel(third_id).reason("the backup was called off").await;
        let took = asked.elapsed();
        self.answer("no step of it was ever sent", &answer);
        self.check(matches!(answer, Ok(Cancellation::Cancelled)), "the third mount was cancelled");
        self.say(format!(
            "the answer took {took:.1?}; the library was {}",
            if busy { "moving" } else { "done already" }
        ));
        let told = third_one.await.err();
        self.say(format!(
            "its waiter was told: {}",
            told.as_ref().map_or("nothing".into(), ToString::to_string)
        ));
        self.check(
            matches!(told, Some(RequestError::Cancelled { .. })),
            "its waiter knows that it was cancelled",
        );
        self.check(session.motions(third_id).await?.is_empty(), "nothing was moved for it");

        let (one_id, tape) = (one.id(), one.await?);
        self.say(format!("{} is ready in drive {}, {}", label(tape.barcode()), tape.drive(), way_to(&tape)));
        self.check(tape.drive() == drive, "it is in the drive that was asked for");
        let other = two.await?;
        self.say(format!(
            "{} is ready in drive {}, {}",
            label(other.barcode()),
            other.drive(),
            way_to(&other)
        ));
        self.check(other.drive() != drive, "it is in another drive");
        let mounts = session.mounts().await?;
        self.check(
            [tape.id(), other.id()].iter().all(|id| mounts.iter().any(|mount| mount.id == *id)),
            "both are among the mounts",
        );

        self.title("The other answers of a cancel");
        let answer = session.cancel_library_request(one_id).await;
        self.answer("it ended before, as passed", &answer);
        self.check(
            matches!(answer, Err(CancelError::AlreadyFinished { .. })),
            "a mount that passed has ended",
        );
        self.refusals(manager, session, third, drive).await?;

        self.title("Dismounting");
        let back = self.dismount_and_try_to_cancel(session, &tape, first.slot).await?;
        self.say(format!("{} is in {back}", first.label));
        self.check(back.slot() == Some(first.slot), "it is in the slot that was named");
        let back = other.dismount().await?;
        self.say(format!("{} is in {back}", second.label));
        self.check(back.slot() == Some(second.slot), "it found the slot that it came from by itself");

        self.title("Stopping mounts on their way");
        let mount = session.mount(first.id).submit().await?;
        self.say(format!("asked for {}: request {}", first.label, mount.id()));
        in_process(&mount).await;
        self.stop(session, mount, first, "a step is in flight, and later ones exist").await?;
        let mut events = session.events();
        let mount = session.mount(second.id).submit().await?;
        self.say(format!("asked for {}: request {}", second.label, mount.id()));
        in_a_drive(&mut events, &mount).await?;
        self.stop(session, mount, second, "its cartridge is in the drive, and the drive gets ready").await
    }

    /// When the drive has unloaded, the move to the slot is the last step of a dismount.
    async fn dismount_and_try_to_cancel(
        &mut self,
        session: &Session,
        tape: &Mounted,
        slot: ElementAddress,
    ) -> Result<Dismounted> {
        let leaving = tape.dismount().to(slot).submit().await?;
        while session.motions(leaving.id()).await?.is_empty() && !leaving.state().is_final() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let answer = session.cancel_library_request(leaving.id()).await;
        self.answer("its last step is under way", &answer);
        match answer {
            Err(CancelError::InProgress { .. }) => self.check(true, "what is under way cannot be taken back"),
            Err(CancelError::AlreadyFinished { .. }) => self.say("(this library was faster than the cancel)"),
            Err(error) => return Err(error.into()),
            Ok(Cancellation::Cancelled) => self.check(false, "something had been done for it already"),
            Ok(Cancellation::Stopping(verdict)) => {
                self.say(format!(
                    "(it was caught between the unloading and the move; the verdict: {})",
                    verdict.await?
                ));
                self.check(leaving.await.is_err(), "the dismount did not pass");
                return Ok(session.dismount(tape.cartridge()).to(slot).await?);
            }
        }
        Ok(leaving.await?)
    }

    /// What strangers, closed sessions and wrong ids are told.
    async fn refusals(
        &mut self,
        manager: &Manager,
        session: &Session,
        tape: &Tape,
        drive: ElementAddress,
    ) -> Result<()> {
        let waiting = session.mount(tape.id).drive(drive).submit().await?.id();
        self.say(format!("asked for {} in drive {drive}, which is taken: request {waiting}", tape.label));

        let operator = manager.session("somebody-else").role(Role::Operator).open()?;
        let answer = operator.cancel_library_request(waiting).await;
        self.answer("an operator may see it, and may not control another application's", &answer);
        self.check(matches!(answer, Err(CancelError::PermissionDenied { .. })), "the operator was refused");

        let stranger = manager.session("a-stranger").role(Role::Application).open()?;
        let answer = stranger.cancel_library_request(waiting).await;
        self.answer("it is not the caller's to see", &answer);
        self.check(matches!(answer, Err(CancelError::NotFound { .. })), "the stranger learned nothing");

        let unknown = RequestId(uuid::Uuid::now_v7());
        let answer = session.cancel_library_request(unknown).await;
        self.answer("it never existed", &answer);
        self.check(matches!(answer, Err(CancelError::NotFound { .. })), "an id out of the blue is not found");

        operator.close().await?;
        let answer = operator.cancel_library_request(waiting).await;
        self.answer("the session is closed", &answer);
        self.check(matches!(answer, Err(CancelError::SessionClosed)), "a closed session is told so");

        let answer = session.cancel_library_request(waiting).await;
        self.answer("no step of it was ever sent", &answer);
        self.check(matches!(answer, Ok(Cancellation::Cancelled)), "its own session cancelled it");
        let answer = session.cancel_library_request(waiting).await;
        self.answer("it ended before, as cancelled", &answer);
        self.check(
            matches!(answer, Err(CancelError::AlreadyFinished { .. })),
            "it cannot be cancelled twice",
        );
        self.say("(two more answers need a full house or a broken store: see tests/cancel.rs)");
        Ok(())
    }

    async fn stop(
        &mut self,
        session: &Session,
        mount: Ticket<Mounted>,
        tape: &Tape,
        fact: &str,
    ) -> Result<()> {
        let answer = session.cancel(mount.id()).reason("changed our mind").await;
        self.answer(fact, &answer);
        match answer {
            Ok(Cancellation::Stopping(verdict)) => {
                let ending = verdict.await?;
                self.say(format!("the verdict: {ending}"));
                if let Ending::Stopped { place } = ending {
                    let known = session.cartridges(None).await?.into_iter().find(|known| known.id == tape.id);
                    self.check(known.map(|known| known.place) == place, "the catalogue has it there, too");
                    self.check(mount.await.is_err(), "the mount did not pass");
                }
            }
            Ok(Cancellation::Cancelled) => self.check(mount.await.is_err(), "the mount did not pass"),
            Err(CancelError::InProgress { .. } | CancelError::AlreadyFinished { .. }) => {
                self.say("(this library was faster than the cancel)");
                mount.await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Dismounts what the story left in a drive, and looks whether everything is where it was.
    async fn put_back(&mut self, session: &Session, before: &[Cartridge]) -> Result<()> {
        self.title("Putting everything back");
        for request in session.live_requests().await? {
            // What cannot be cancelled any more ends by itself.
            let _ = session.cancel(request.id).reason("the story is over").await.map(|_| ());
        }
        while !session.live_requests().await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for was in before {
            let Place::Element(home) = &was.place else { continue };
            let now = session.cartridges(None).await?.into_iter().find(|now| now.id == was.id);
            if home.kind == ElementType::Storage
                && now.is_some_and(
                    |now| matches!(&now.place, Place::Element(at) if at.kind == ElementType::Drive),
                )
            {
                let back = session.dismount(was.id).to(home.address).await?;
                self.say(format!("{} went back to {back}", label(was.barcode.as_deref())));
            }
        }
        let inventory = session.inventory().await?;
        self.say(format!(
            "inventory: {} cartridges in {} elements",
            inventory.cartridges, inventory.elements
        ));
        self.check(
            inventory.appeared == 0 && inventory.missing == 0,
            "no cartridge came and none is missing",
        );
        let now = session.cartridges(None).await?;
        let moved =
            before.iter().filter(|was| !now.iter().any(|now| now.id == was.id && now.place == was.place));
        self.check(moved.count() == 0, "every cartridge is in the slot that it came from");
        Ok(())
    }
}

/// Three cartridges in slots, and an empty drive beside which there is another one.
async fn choose(session: &Session) -> Result<([Tape; 3], ElementAddress)> {
    let tapes: Vec<Tape> = session.slots(None).await?.iter().filter_map(data_tape).take(3).collect();
    let drives: Vec<ElementAddress> = session
        .drives(None)
        .await?
        .iter()
        .filter(|drive| drive.cartridge.is_none())
        .map(|drive| drive.element)
        .collect();
    let counted = tapes.len();
    match (<[Tape; 3]>::try_from(tapes), drives.as_slice()) {
        (Ok(tapes), [first, _, ..]) => Ok((tapes, *first)),
        _ => Err(format!(
            "it needs 3 labelled cartridges in slots and 2 empty drives; this library has {counted} and {}",
            drives.len()
        )
        .into()),
    }
}

/// A labelled cartridge in a slot; cleaning cartridges (their labels begin with CLN) are left alone.
fn data_tape(slot: &SlotInfo) -> Option<Tape> {
    let label = slot.barcode.as_deref().filter(|label| !label.starts_with("CLN"))?;
    let in_slot = slot.element.kind == ElementType::Storage;
    in_slot.then_some(Tape { id: slot.cartridge?, label: label.to_owned(), slot: slot.element.address })
}

/// Waits until the request is being carried out; `false` when it has ended already.
async fn in_process(ticket: &Ticket<Mounted>) -> bool {
    let mut progress = ticket.progress();
    while let Some(state) = progress.next().await {
        match state {
            State::InProcess => return true,
            state if state.is_final() => return false,
            _ => {}
        }
    }
    false
}

/// Waits until the mount's cartridge is in the drive, or the mount has ended.
async fn in_a_drive(events: &mut EventStream, mount: &Ticket<Mounted>) -> Result<()> {
    let cartridge = mount.request().cartridge;
    while let Some(event) = events.next().await {
        match event?.kind {
            EventKind::Cartridge { id, place: Place::Element(element), .. }
                if Some(id) == cartridge && element.kind == ElementType::Drive =>
            {
                break;
            }
            EventKind::Request(request) if request.id == mount.id() && request.state.is_final() => break,
            _ => {}
        }
    }
    Ok(())
}
