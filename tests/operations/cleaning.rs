//! Cleaning cartridges and what they are for.

use autochanger::clock::ScaledClock;
use autochanger::{EventKind, HistoryFilter, Operation, State};

use super::*;
use crate::common::event;

const CLEANER: &str = "CLN001L8";
const DRIVE: u16 = 500;

/// A drive is watched for half a minute at the least before it is believed to be clean; the clock makes a second of it.
const FACTOR: f64 = 30.0;

async fn with_cleaner(set_up: impl FnOnce(LibraryConfig) -> LibraryConfig) -> Bed {
    let library = SimulatedLibrary::start(common::described().cleaning_cartridge(CLEANER));
    on(library, set_up, |builder| builder.clock(ScaledClock::new(FACTOR))).await
}

#[tokio::test]
async fn a_drive_is_cleaned_and_the_cleaner_goes_home() {
    let bed = with_cleaner(|config| config).await;
    let home = bed.library.find(CLEANER);
    let cleaned = within(bed.session.clean_drive(DRIVE)).await.expect("cleaned");
    assert_eq!(cleaned.uses_left, None, "nobody said how often it can clean");
    assert_eq!((bed.library.find(CLEANER), bed.library.moves_sent()), (home, 2));
    let drives = bed.session.drives(None).await.expect("open");
    assert!(drives[0].last_cleaned.is_some() && drives[1].last_cleaned.is_none());
    bed.end().await;
}

#[tokio::test]
async fn a_cleaning_is_stopped_on_the_way_to_the_drive_and_the_cleaner_brought_home() {
    let bed = with_cleaner(|config| config).await;
    let home = bed.library.find(CLEANER);
    let gate = bed.hold_moves();
    let ticket = bed.session.clean_drive(DRIVE).submit().await.expect("accepted");
    within(gate.reached()).await;
    let answer = within(bed.session.cancel(ticket.id())).await;
    assert!(matches!(answer, Ok(Cancellation::Stopping(_))), "{answer:?}");
    gate.release();
    let end = within(ticket).await;
    assert!(matches!(end, Err(RequestError::Stopped { .. })), "{end:?}");
    within(async {
        while bed.library.find(CLEANER) != home {
            tokio::task::yield_now().await;
        }
    })
    .await;
    bed.end().await;
}

#[tokio::test]
async fn what_is_no_drive_is_not_cleaned() {
    let bed = with_cleaner(|config| config).await;
    let refused = bed.session.clean_drive(1000).submit().await;
    assert!(matches!(refusal(refused), Refusal::NoSuchElement { address: 1000, .. }));
    bed.end().await;
}

#[tokio::test]
async fn an_injected_cleaner_goes_into_its_slot_counts_its_uses_and_is_ejected_again() {
    let bed = on(common::library(), |config| config, |builder| builder.clock(ScaledClock::new(FACTOR))).await;
    within(bed.session.reserve_cleaner_slot(1023)).await.expect("reserved");
    let ticket = bed.session.inject_cleaner(50).submit().await.expect("accepted");
    asked(&bed).await;
    bed.library.with(|device| device.operator_put_cleaner(PORT, CLEANER)).expect("empty");
    assert_eq!(within(ticket).await.expect("injected").cartridges.len(), 1);
    assert_eq!(bed.library.find(CLEANER), Some(ElementAddress(1023)));
    assert_eq!(within(bed.session.clean_drive(DRIVE)).await.expect("cleaned").uses_left, Some(49));

    let gate = bed.hold_moves();
    let out = bed.session.eject_cleaner().submit().await.expect("accepted");
    within(gate.reached()).await;
    is_too_late(&bed.session, &out).await;
    gate.release();
    let out = within(out).await.expect("ejected");
    assert_eq!((out.port, out.barcode.as_deref()), (Some(PORT), Some(CLEANER)));
    bed.end().await;
}

#[tokio::test]
async fn a_cleaner_needs_a_slot_that_is_kept_for_it() {
    let bed = bed().await;
    let missing = |refusal| matches!(refusal, Refusal::CleanerSlotMissing { .. });
    assert!(missing(refusal(bed.session.inject_cleaner(None).submit().await)));
    assert!(missing(refusal(bed.session.eject_cleaner().submit().await)));
    assert!(missing(refusal(bed.session.release_cleaner_slot().submit().await)));
    let no_slot = bed.session.reserve_cleaner_slot(DRIVE).submit().await;
    assert!(matches!(refusal(no_slot), Refusal::NoSuchElement { address: DRIVE, .. }));

    let reserved = within(bed.session.reserve_cleaner_slot(1023)).await.expect("reserved");
    let late = within(bed.session.cancel(reserved.id)).await;
    assert!(matches!(late, Err(CancelError::AlreadyFinished { .. })), "{late:?}");
    assert_eq!(failed(within(bed.session.eject_cleaner()).await), FailureKind::NoCleaner);
    let waiting = bed.session.inject_cleaner(None).submit().await.expect("accepted");
    asked(&bed).await;
    cancels(&bed.session, waiting).await;
    let taken = refusal(bed.session.reserve_cleaner_slot(1022).submit().await);
    assert!(matches!(taken, Refusal::CleanerSlotTaken { slot: 1023, .. }), "{taken:?}");
    within(bed.session.release_cleaner_slot()).await.expect("released");
    assert!(missing(refusal(bed.session.inject_cleaner(None).submit().await)));
    let full = refusal(bed.session.reserve_cleaner_slot(1000).submit().await);
    assert!(matches!(full, Refusal::SlotFull { slot: 1000, .. }), "{full:?}");
    bed.end().await;
}

/// Mounts and dismounts in a drive that asks to be cleaned; its own cleanings when the wish was told.
async fn cleanings_unasked(bed: &Bed, expected: bool) {
    let mut events = bed.session.events();
    assert!(bed.library.with(|device| device.drive_asks_for_cleaning(DRIVE, false)));
    let tape = within(bed.session.mount("VT0001L8").drive(DRIVE)).await.expect("mounted");
    within(tape.dismount()).await.expect("dismounted");
    event(&mut events, |kind| matches!(kind, EventKind::Drive { wants_cleaning: true, .. })).await;
    if expected {
        event(&mut events, |kind| matches!(kind, EventKind::Drive { wants_cleaning: false, .. })).await;
    } else {
        // The next mount in that drive goes before nothing that was not begun by then.
        let tape = within(bed.session.mount("VT0002L8").drive(DRIVE)).await.expect("mounted");
        within(tape.dismount()).await.expect("dismounted");
    }
    let history = bed.session.requests(HistoryFilter::default()).await.expect("readable");
    let own = history.iter().filter(|request| request.operation() == Operation::CleanDrive);
    let own: Vec<_> = own.map(|request| (&*request.application, request.state.is_final())).collect();
    assert_eq!(own.len(), usize::from(expected), "{own:?}");
    assert!(own.iter().all(|(application, _)| *application == "autochanger"));
}

#[tokio::test]
async fn a_drive_that_asks_is_cleaned_unasked_only_where_that_is_wanted() {
    for wanted in [true, false] {
        let bed = with_cleaner(|config| config.auto_clean(wanted)).await;
        cleanings_unasked(&bed, wanted).await;
        let live = bed.session.live_requests().await.expect("open");
        assert!(live.iter().all(|request| request.state != State::Queued));
        bed.end().await;
    }
}
