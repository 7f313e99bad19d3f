//! Sessions on the simulated library: asking, waiting, looking, and the life of the manager around them.
#![cfg(feature = "sim")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use autochanger::clock::ManualClock;
use autochanger::request::CancelledBy;
use autochanger::scsi::{Status, TestUnitReady};
use autochanger::transport::sim::{Hold, SimulatedLibrary};
use autochanger::transport::{Command, Completion, Limits, Transport, TransportError};
use autochanger::{
    AdoptError, CancelError, CartridgeRef, ElementAddress, ElementType, EventKind, HistoryFilter,
    LibraryConfig, LibraryError, LibraryId, Manager, OpenError, Operation, Place, QueryError, ReadyError,
    Refusal, RequestError, Role, SessionClosed, SessionError, State, SubmitError, Timing, Waiting,
};
use common::{Bed, Hand, MOVE_MEDIUM, builder, event, library, lock_directory, new_id, until, within};

fn refusal<T: std::fmt::Debug>(result: Result<T, SubmitError>) -> Refusal {
    match result {
        Err(SubmitError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

mod mounting {
    use super::*;

    #[tokio::test]
    async fn a_mount_gives_a_ready_drive_with_its_serial_number_and_the_way_to_it() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        assert_eq!(tape.barcode(), Some("VT0001L8"));
        assert_eq!(bed.library.find("VT0001L8"), Some(tape.drive()));
        let drives = bed.session.drives(None).await.expect("open");
        let drive = drives.iter().find(|drive| drive.element == tape.drive()).expect("the drive is listed");
        assert!(tape.serial().is_some() && drive.serial.as_deref() == tape.serial());
        assert_eq!((drive.mount, drive.barcode.as_deref()), (Some(tape.id()), Some("VT0001L8")));
        let way = tape.transport().expect("the simulated drives are siblings of the changer");
        let answer = within(way.execute(Command::new(TestUnitReady {}.cdb(), Duration::from_secs(10)))).await;
        let answer = answer.expect("the drive answers");
        assert!(answer.status == Status::Good || answer.sense().is_some(), "{answer:?}");
        bed.end().await;
    }

    #[tokio::test]
    async fn a_configured_way_to_a_drive_is_the_one_that_is_given_out() {
        let library = library();
        let way = library.drive_transport(1).expect("there are two drives");
        let manager = Manager::builder()
            .library(
                LibraryConfig::transport("lib", library.transport()).drive_transport(Some(501.into()), way),
            )
            .lock_directory(lock_directory())
            .open()
            .await
            .expect("it opens");
        within(manager.ready()).await.expect("ready");
        let session = manager.session("backup").open().expect("open");
        let tape = within(session.mount("VT0001L8").drive(501)).await.expect("mounted");
        assert_eq!(tape.drive(), ElementAddress(501));
        assert!(tape.transport().expect("a way").device().ends_with("lun=2"));
        within(manager.shutdown()).await;
    }

    #[tokio::test]
    async fn a_dismount_returns_the_cartridge_to_its_slot_or_to_the_one_that_is_named() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0005L8")).await.expect("mounted");
        assert_eq!(within(tape.dismount()).await.expect("dismounted").slot(), Some(ElementAddress(1004)));
        let tape = within(bed.session.mount(tape.cartridge())).await.expect("mounted by its id");
        assert_eq!(
            within(tape.dismount().to(1023)).await.expect("dismounted").slot(),
            Some(ElementAddress(1023))
        );
        assert_eq!(bed.library.find("VT0005L8"), Some(ElementAddress(1023)));
        let tape = within(bed.session.mount("VT0005L8")).await.expect("mounted");
        let back = within(bed.session.dismount("VT0005L8")).await.expect("dismounted by its label");
        assert_eq!((back.slot(), back.barcode.as_deref()), (Some(ElementAddress(1023)), Some("VT0005L8")));
        drop(tape);
        bed.end().await;
    }

    #[tokio::test]
    async fn dropping_a_ticket_or_a_mounted_medium_moves_nothing() {
        let bed = Bed::new().await;
        let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
        let mut events = bed.session.events();
        drop(ticket);
        gate.release();
        event(&mut events, |kind| matches!(kind, EventKind::Mounted(_))).await;
        let mounts = bed.session.mounts().await.expect("open");
        assert_eq!(mounts.len(), 1);
        let tape =
            within(bed.session.adopt(mounts[0].id).await.expect("adopted")).await.expect("it is mounted");
        drop(tape);
        within(bed.session.inventory()).await.expect("time passes");
        assert_eq!(bed.session.mounts().await.expect("open").len(), 1);
        assert_eq!(bed.library.moves_sent(), 1);
        bed.end().await;
    }

    #[tokio::test]
    async fn a_ticket_can_be_waited_for_again_after_a_wait_was_given_up() {
        let bed = Bed::new().await;
        let (mut ticket, gate) = bed.mount_in_flight("VT0001L8").await;
        tokio::select! {
            biased;
            result = &mut ticket => panic!("it cannot have ended: {result:?}"),
            () = tokio::task::yield_now() => {}
        }
        gate.release();
        assert_eq!(within(&mut ticket).await.expect("mounted").barcode(), Some("VT0001L8"));
        assert!(within(ticket).await.is_ok(), "the end can be asked for twice");
        bed.end().await;
    }

    #[tokio::test]
    async fn the_progress_of_a_mount_begins_with_the_present_state_and_ends_with_the_final_one() {
        let bed = Bed::new().await;
        let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
        let mut progress = ticket.progress();
        assert_eq!(within(progress.next()).await, Some(State::InProcess));
        gate.release();
        let mut last = None;
        while let Some(state) = within(progress.next()).await {
            last = Some(state);
        }
        assert!(matches!(last, Some(State::Passed(_))), "{last:?}");
        bed.end().await;
    }

    #[tokio::test]
    async fn a_third_mount_waits_for_a_drive_and_gets_the_first_that_is_free() {
        let bed = Bed::new().await;
        let first = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let second = within(bed.session.mount("VT0002L8")).await.expect("mounted");
        let third = bed.session.mount("VT0003L8").submit().await.expect("accepted");
        until(&third, |state| *state == State::Waiting(Waiting::Drive)).await;
        within(second.dismount()).await.expect("dismounted");
        assert_eq!(within(third).await.expect("mounted").drive(), second.drive());
        drop(first);
        bed.end().await;
    }

    #[tokio::test]
    async fn the_higher_priority_is_served_first() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
        let low = bed.session.mount("VT0002L8").drive(500).priority(-1).submit().await.expect("accepted");
        let high = bed.session.mount("VT0003L8").drive(500).priority(1).submit().await.expect("accepted");
        within(tape.dismount()).await.expect("dismounted");
        within(high).await.expect("mounted");
        assert!(!low.state().is_final());
        bed.end().await;
    }

    #[tokio::test]
    async fn a_failed_move_fails_its_mount_with_the_devices_words_and_nothing_is_left_reserved() {
        use autochanger::transport::sim::{Fault, SenseKey};
        let bed = Bed::new().await;
        bed.library.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().times(2));
        let error = within(bed.session.mount("VT0001L8").drive(500)).await.expect_err("the robot failed");
        let failure = error.failure().expect("it failed");
        assert!(failure.sense.is_some(), "{failure:?}");
        assert!(error.to_string().contains("VT0001L8"), "{error}");
        bed.library.clear_faults();
        within(bed.session.mount("VT0001L8").drive(500)).await.expect("the next one passes");
        bed.end().await;
    }
}

mod refusals {
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_done_is_refused_at_once_and_nothing_is_kept_of_it() {
        let bed = Bed::new().await;
        let session = &bed.session;
        let unknown = refusal(session.mount("NOSUCH").submit().await);
        assert!(
            matches!(&unknown, Refusal::CartridgeNotFound { cartridge } if cartridge == "NOSUCH"),
            "{unknown:?}"
        );
        let slot = refusal(session.mount("VT0001L8").drive(1000).submit().await);
        assert!(slot.to_string().contains("500, 501"), "it says which drives there are: {slot}");
        let empty = refusal(session.dismount("VT0001L8").submit().await);
        assert!(matches!(empty, Refusal::NotMounted { .. }), "{empty:?}");
        let priority = refusal(session.mount("VT0001L8").priority(16).submit().await);
        assert_eq!(priority, Refusal::PriorityOutOfRange(16));
        let library = refusal(session.inventory().library(LibraryId(uuid::Uuid::nil())).submit().await);
        assert!(matches!(library, Refusal::NoSuchLibrary(_)), "{library:?}");
        assert!(session.requests(HistoryFilter::default()).await.expect("readable").is_empty());
        assert_eq!(bed.library.moves_sent(), 0);
        bed.end().await;
    }

    #[tokio::test]
    async fn the_same_request_handed_in_again_is_answered_and_not_repeated() {
        let bed = Bed::new().await;
        let id = new_id();
        let (first, again) = (bed.session.mount("VT0001L8").id(id), bed.session.mount("VT0001L8").id(id));
        let tape = within(first).await.expect("mounted");
        let same = within(again.clone()).await.expect("it is mounted");
        assert_eq!((tape.id(), tape.drive()), (same.id(), same.drive()));
        assert_eq!(bed.library.moves_sent(), 1);
        let other = refusal(bed.session.mount("VT0002L8").id(id).submit().await);
        assert_eq!(other, Refusal::IdReused { id });
        bed.end().await;
    }

    #[tokio::test]
    async fn one_request_more_than_the_bound_is_refused_until_one_has_ended() {
        let bed = Bed::with(|builder| builder.max_live_requests(2)).await;
        let (first, gate) = bed.mount_in_flight("VT0001L8").await;
        let second = bed.session.mount("VT0002L8").submit().await.expect("accepted");
        let third = refusal(bed.session.mount("VT0003L8").submit().await);
        assert_eq!(third, Refusal::ResourceExhausted { limit: 2 });
        within(bed.session.cancel_library_request(second.id())).await.map(|_| ()).expect("cancelled");
        let third = bed.session.mount("VT0003L8").submit().await.expect("there is room again");
        gate.release();
        within(first).await.expect("mounted");
        within(third).await.expect("mounted");
        bed.end().await;
    }

    #[tokio::test]
    async fn another_applications_medium_is_open_unless_an_administrator_insists() {
        let bed = Bed::new().await;
        within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let operator = bed.other(Role::Operator);
        for attempt in [operator.dismount("VT0001L8"), operator.dismount("VT0001L8").force()] {
            let open = refusal(attempt.submit().await);
            assert!(
                matches!(&open, Refusal::MediaOpen { application, .. } if application == "backup"),
                "{open:?}"
            );
        }
        let administrator = bed.other(Role::Administrator);
        within(administrator.dismount("VT0001L8").force()).await.expect("dismounted by force");
        bed.end().await;
    }

    #[tokio::test]
    async fn a_request_before_the_library_is_ready_says_so() {
        let library = library();
        let gate = library.hold(Hold::all());
        let manager = builder(&library).open().await.expect("open does not wait for the library");
        let session = manager.session("backup").open().expect("open");
        let early = refusal(within(session.mount("VT0001L8").submit()).await);
        assert!(matches!(early, Refusal::NotReady { .. }), "{early:?}");
        gate.release();
        within(manager.ready()).await.expect("ready");
        within(session.mount("VT0001L8")).await.expect("mounted");
        within(manager.shutdown()).await;
    }
}

mod sessions {
    use super::*;

    #[tokio::test]
    async fn closing_a_session_cancels_its_mounts_and_nothing_else() {
        let bed = Bed::new().await;
        let session = bed.manager.session("backup").open().expect("open");
        let tape = within(session.mount("VT0001L8").drive(500)).await.expect("mounted");
        let gate = bed.hold_moves();
        let dismount = tape.dismount().submit().await.expect("accepted");
        within(gate.reached()).await;
        let bound = session.mount("VT0002L8").submit().await.expect("accepted");
        let detached = session.mount("VT0003L8").detached().submit().await.expect("accepted");
        let others = bed.session.mount("VT0004L8").drive(500).submit().await.expect("accepted");

        assert_eq!(within(session.close()).await, Ok(1));
        match within(bound).await {
            Err(RequestError::Cancelled { by: CancelledBy::SessionClosed, .. }) => {}
            other => panic!("expected Cancelled by the closing, got {other:?}"),
        }
        gate.release();
        within(dismount).await.expect("a dismount goes on");
        within(detached).await.expect("what is detached goes on");
        within(others).await.expect("another session's is not touched");
        bed.end().await;
    }

    #[tokio::test]
    async fn dropping_a_session_cancels_nothing() {
        let bed = Bed::new().await;
        let session = bed.manager.session("backup").open().expect("open");
        let gate = bed.hold_moves();
        let mount = session.mount("VT0001L8").submit().await.expect("accepted");
        drop(session);
        gate.release();
        within(mount).await.expect("mounted");
        bed.end().await;
    }

    #[tokio::test]
    async fn a_closed_session_answers_every_call_that_it_is_closed() {
        let bed = Bed::new().await;
        let clone = bed.session.clone();
        within(bed.session.close()).await.expect("closed");
        assert!(clone.is_closed(), "clones are the same session");
        assert_eq!(clone.close().await, Err(SessionClosed));
        assert!(matches!(clone.mount("VT0001L8").submit().await, Err(SubmitError::SessionClosed(_))));
        assert!(matches!(clone.mount("VT0001L8").await, Err(RequestError::NotAccepted(_))));
        assert!(matches!(clone.adopt(new_id()).await, Err(AdoptError::SessionClosed(_))));
        assert_eq!(clone.libraries().await.map(|_| ()), Err(SessionClosed));
        assert!(matches!(clone.requests(HistoryFilter::default()).await, Err(QueryError::SessionClosed(_))));
        assert_eq!(bed.library.moves_sent(), 0);
        bed.end().await;
    }

    #[tokio::test]
    async fn a_name_must_be_given_and_is_bounded() {
        let bed = Bed::new().await;
        for name in [String::new(), "n".repeat(autochanger::APPLICATION_NAME_MAX + 1)] {
            let error = bed.manager.session(&name).open().expect_err("no name");
            assert!(matches!(error, SessionError::Name { length, .. } if length == name.len()), "{error:?}");
        }
        bed.end().await;
    }

    #[tokio::test]
    async fn an_application_sees_its_own_requests_mounts_and_events_and_no_others() {
        let bed = Bed::new().await;
        let own = bed.other(Role::Application);
        let mut events = own.events();
        let theirs = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let mine = within(own.mount("VT0002L8")).await.expect("mounted");

        let ids = |requests: Vec<autochanger::Request>| requests.iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(own.requests(HistoryFilter::default()).await.expect("readable")), [mine.id()]);
        assert_eq!(own.mounts().await.expect("open").iter().map(|m| m.id).collect::<Vec<_>>(), [mine.id()]);
        assert_eq!(own.request(theirs.id()).await.expect("readable"), None);
        assert!(matches!(own.motions(theirs.id()).await, Err(QueryError::NotFound(_))));
        let asked = HistoryFilter { application: Some("backup".into()), ..HistoryFilter::default() };
        assert!(own.requests(asked).await.expect("readable").is_empty());
        let first = event(&mut events, |kind| matches!(kind, EventKind::Request(_))).await;
        assert!(matches!(&first.kind, EventKind::Request(request) if request.id == mine.id()), "{first:?}");

        let everything = bed.session.requests(HistoryFilter::default()).await.expect("readable");
        assert_eq!(ids(everything), [mine.id(), theirs.id()], "newest first");
        bed.end().await;
    }
}

mod looking {
    use super::*;

    #[tokio::test]
    async fn libraries_drives_slots_and_cartridges_are_as_the_library_has_them() {
        let bed = Bed::new().await;
        let libraries = bed.session.libraries().await.expect("open");
        assert_eq!(libraries.len(), 1);
        let counts = libraries[0].counts;
        assert_eq!((counts.transports, counts.slots, counts.ports, counts.drives), (1, 24, 4, 2));
        let id = libraries[0].id;
        assert!(id.is_some());
        assert_eq!(bed.session.drives(id).await.expect("open").len(), 2);
        let slots = bed.session.slots(id).await.expect("open");
        let of = |kind| slots.iter().filter(|slot| slot.element.kind == kind).count();
        assert_eq!((of(ElementType::Storage), of(ElementType::ImportExport)), (24, 4));
        let mut known: Vec<_> = bed
            .session
            .cartridges(None)
            .await
            .expect("open")
            .into_iter()
            .map(|cartridge| match (cartridge.barcode, cartridge.place) {
                (Some(barcode), Place::Element(element)) => (element.address, barcode.to_string()),
                other => panic!("every cartridge has a label and a place: {other:?}"),
            })
            .collect();
        known.sort();
        let truth: Vec<_> = bed
            .library
            .contents()
            .into_iter()
            .filter_map(|(address, _, barcode)| Some((address, barcode?)))
            .collect();
        assert_eq!(known, truth);
        bed.end().await;
    }

    #[tokio::test]
    async fn an_inventory_sees_what_hands_have_done() {
        let bed = Bed::new().await;
        bed.library.operator_take(ElementAddress(1000)).expect("taken");
        bed.library.operator_put(ElementAddress(1022), "NEW001L8").expect("put");
        within(bed.session.inventory()).await.expect("read");
        let cartridges = bed.session.cartridges(None).await.expect("open");
        let place = |label: &str| {
            let found = cartridges.iter().find(|cartridge| cartridge.barcode.as_deref() == Some(label));
            found.map(|cartridge| cartridge.place.to_string())
        };
        assert!(matches!(place("VT0001L8"), Some(place) if place.starts_with("missing")));
        assert_eq!(place("NEW001L8").as_deref(), Some("slot 1022"));
        within(bed.session.mount("NEW001L8")).await.expect("the new one can be mounted");
        bed.end().await;
    }

    #[tokio::test]
    async fn the_history_can_be_filtered_and_read_on() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let back = within(tape.dismount()).await.expect("dismounted");
        let inventory = within(bed.session.inventory()).await.expect("read");
        let newest = HistoryFilter { limit: 1, ..HistoryFilter::default() };
        let first = bed.session.requests(newest.clone()).await.expect("readable");
        assert_eq!(first.iter().map(|r| r.id).collect::<Vec<_>>(), [inventory.id]);
        let older = HistoryFilter { before: Some(inventory.id), ..HistoryFilter::default() };
        let older = bed.session.requests(older).await.expect("readable");
        assert_eq!(older.iter().map(|r| r.id).collect::<Vec<_>>(), [back.id, tape.id()]);
        let mounts = HistoryFilter { operation: Some(Operation::Mount), ..HistoryFilter::default() };
        let mounts = bed.session.requests(mounts).await.expect("readable");
        assert_eq!(mounts.iter().map(|r| r.id).collect::<Vec<_>>(), [tape.id()]);
        let motions = bed.session.motions(back.id).await.expect("readable");
        assert_eq!(motions.len(), 1);
        assert_eq!(
            (motions[0].source.address, motions[0].destination.address),
            (tape.drive(), back.slot().expect("in a slot"))
        );
        bed.end().await;
    }

    #[tokio::test]
    async fn events_are_numbered_without_gaps() {
        let bed = Bed::new().await;
        let mut events = bed.session.events();
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        within(tape.dismount()).await.expect("dismounted");
        let mut last: Option<u64> = None;
        loop {
            let event = within(events.next()).await.expect("the manager lives").expect("none is missed");
            assert!(
                last.is_none_or(|last| event.sequence == last + 1),
                "after {last:?} came {}",
                event.sequence
            );
            last = Some(event.sequence);
            if matches!(&event.kind, EventKind::Request(r) if r.operation() == Operation::Dismount && r.state.is_final())
            {
                break;
            }
        }
        bed.end().await;
    }

    #[tokio::test]
    async fn a_subscriber_that_is_too_slow_is_told_how_much_it_missed() {
        let bed = Bed::new().await;
        let (first, gate) = bed.mount_in_flight("VT0001L8").await;
        let mut slow = bed.session.events();
        for _ in 0..4200 {
            bed.session.mount("VT0001L8").submit().await.expect("accepted");
        }
        let lagged = within(slow.next()).await.expect("the manager lives").expect_err("events were dropped");
        assert!(lagged.missed > 0);
        within(slow.next()).await.expect("the manager lives").expect("then it goes on");
        gate.release();
        within(first).await.expect("mounted");
        bed.end().await;
    }

    #[tokio::test]
    async fn the_streams_end_with_the_manager() {
        let bed = Bed::new().await;
        let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
        let (mut events, mut progress) = (bed.session.events(), ticket.progress());
        bed.end().await;
        while within(events.next()).await.is_some() {}
        while within(progress.next()).await.is_some() {}
        drop(gate);
    }
}

mod managers {
    use super::*;

    #[tokio::test]
    async fn a_manager_needs_a_library_and_a_right_url() {
        let error = Manager::builder().open().await.expect_err("no library");
        assert!(matches!(error, OpenError::NoLibrary), "{error:?}");
        let wrong = Manager::builder().library(LibraryConfig::new("scsi://user%hunter2@nowhere"));
        let error = wrong.open().await.expect_err("no such scheme");
        assert!(matches!(error, OpenError::Url(_)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }

    #[tokio::test]
    async fn a_second_manager_on_the_same_library_is_told_who_has_it() {
        let bed = Bed::new().await;
        let second = builder(&bed.library).open().await.expect("it opens");
        let error = within(second.ready()).await.expect_err("the library is taken");
        match &error {
            ReadyError::Unusable { error: LibraryError::InUse { .. }, .. } => {}
            other => panic!("expected InUse, got {other:?}"),
        }
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        within(second.shutdown()).await;
        within(bed.session.mount("VT0001L8")).await.expect("the first one is not disturbed");

        let library = bed.library.clone();
        bed.end().await;
        let third = builder(&library).open().await.expect("it opens");
        within(third.ready()).await.expect("the library is free again");
        within(third.shutdown()).await;
    }

    #[tokio::test]
    async fn a_drive_given_for_a_changer_is_told_apart() {
        let library = library();
        let drive = library.drive_transport(0).expect("a drive");
        let manager = Manager::builder()
            .library(LibraryConfig::transport("not a library", drive))
            .lock_directory(lock_directory())
            .open()
            .await
            .expect("it opens");
        let error = within(manager.ready()).await.expect_err("it is a tape drive");
        assert!(
            matches!(&error, ReadyError::Unusable { error: LibraryError::NotAChanger { .. }, .. }),
            "{error:?}"
        );
        within(manager.shutdown()).await;
    }

    #[cfg(feature = "iscsi")]
    #[tokio::test]
    async fn a_refused_connection_is_told_with_the_device_and_without_its_secret_and_tried_again() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let clock = ManualClock::new();
        let url = format!("iscsi://backup%hunter2@127.0.0.1:{port}/iqn.2026-01.test:lib/0");
        let manager = Manager::builder()
            .library(LibraryConfig::new(url))
            .lock_directory(lock_directory())
            .clock(clock.clone())
            .open()
            .await
            .expect("it opens");
        let waiting = manager.ready();
        let error =
            common::advance_until(&clock, Duration::from_secs(1), waiting).await.expect_err("nobody listens");
        assert!(matches!(error, ReadyError::NotPresent { .. }), "{error:?}");
        let text = format!("{error}");
        assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        within(manager.shutdown()).await;
    }

    #[tokio::test]
    async fn ready_within_gives_up_by_the_managers_clock() {
        let clock = ManualClock::new();
        let library = library();
        let gate = library.hold(Hold::all());
        let manager = builder(&library).clock(clock.clone()).open().await.expect("it opens");
        let minute = Duration::from_secs(60);
        let waiting = manager.ready_within(minute);
        let error =
            common::advance_until(&clock, Duration::from_secs(1), waiting).await.expect_err("it is held");
        assert!(
            matches!(error, ReadyError::StillInitializing { waited, .. } if waited >= minute),
            "{error:?}"
        );
        gate.release();
        within(manager.ready()).await.expect("ready");
        within(manager.shutdown()).await;
    }

    #[tokio::test]
    async fn after_the_shut_down_waiters_know_and_sessions_are_closed() {
        let bed = Bed::new().await;
        let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
        let session = bed.session.clone();
        bed.end().await;
        let id = ticket.id();
        assert_eq!(within(ticket).await.map(|_| ()), Err(RequestError::ManagerClosed { id }));
        assert!(session.is_closed());
        assert!(matches!(session.mount("VT0002L8").submit().await, Err(SubmitError::SessionClosed(_))));
        assert!(matches!(session.cancel_library_request(id).await, Err(CancelError::SessionClosed)));
        drop(gate);
    }

    #[tokio::test]
    async fn dropping_the_manager_closes_its_sessions_too() {
        let Bed { manager, session, library } = Bed::new().await;
        drop(manager);
        let closed = within(async {
            loop {
                match session.libraries().await {
                    Ok(_) => tokio::task::yield_now().await,
                    Err(SessionClosed) => return true,
                }
            }
        });
        assert!(closed.await);
        drop(library);
    }

    #[tokio::test]
    async fn a_shut_down_waits_for_what_the_store_was_given_and_for_no_move() {
        let hand = Hand::default();
        let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
        let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
        hand.hold();
        let session = bed.session.clone();
        let submitted = tokio::spawn(async move { session.mount("VT0002L8").submit().await });
        within(hand.reached()).await;
        let id_of_moving = moving.id();
        let mut shut_down = std::pin::pin!(bed.manager.shutdown());
        tokio::select! {
            biased;
            () = &mut shut_down => panic!("it did not wait for the store"),
            () = tokio::task::yield_now() => {}
        }
        hand.release();
        within(shut_down).await;
        let accepted = within(submitted).await.expect("it ends").expect("what was committed is told").id();
        assert!(hand.has_committed(accepted, |request| request.state == State::Queued));
        assert!(!hand.has_committed(id_of_moving, |request| request.state.is_final()));
        drop(gate);
    }

    #[tokio::test]
    async fn waiting_requests_share_a_sync() {
        const REQUESTS: usize = 1000;
        let hand = Hand::default();
        let bed = Bed::with(|builder| builder.store_with(hand.blocking_store())).await;
        let (moving, gate) = bed.mount_in_flight("VT0001L8").await;
        hand.hold();
        let before = hand.commits();
        let submitters: Vec<_> = (0..REQUESTS)
            .map(|_| {
                let session = bed.session.clone();
                tokio::spawn(async move { session.mount("VT0001L8").submit().await.expect("accepted") })
            })
            .collect();
        within(hand.reached()).await;
        // All of them are asked for before the store's first answer: looks pass behind what the lane has taken.
        for _ in 0..REQUESTS {
            bed.session.libraries().await.expect("open");
        }
        hand.release();
        for submitter in submitters {
            within(submitter).await.expect("submitted");
        }
        let commits = hand.commits() - before;
        assert!(commits < REQUESTS / 10, "{commits} transactions for {REQUESTS} requests");
        gate.release();
        within(moving).await.expect("mounted");
        bed.end().await;
    }

    #[tokio::test]
    async fn a_mount_is_adopted_after_a_restart() {
        let hand = Hand::default();
        let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let (id, drive) = (tape.id(), tape.drive());
        let library = bed.library.clone();
        bed.end().await;

        let bed = Bed::on(library, |builder| builder.store_with(hand.store())).await;
        let mounts = bed.session.mounts().await.expect("open");
        assert_eq!(mounts.iter().map(|mount| (mount.id, mount.drive)).collect::<Vec<_>>(), [(id, drive)]);
        let stranger = bed.other(Role::Operator);
        assert!(matches!(within(stranger.adopt(id)).await, Err(AdoptError::Refused(_))));
        let tape = within(within(bed.session.adopt(id)).await.expect("adopted")).await.expect("mounted");
        assert_eq!((tape.barcode(), tape.drive()), (Some("VT0001L8"), drive));
        assert!(tape.transport().is_some());
        within(tape.dismount()).await.expect("dismounted");
        assert_eq!(bed.library.moves_sent(), 2);
        bed.end().await;
    }

    #[tokio::test]
    async fn two_libraries_are_served_by_one_manager() {
        let (one, two) = (library(), SimulatedLibrary::start(common::described_as("B{:05}L8")));
        let manager = builder(&one)
            .library(LibraryConfig::transport("the other", two.transport()))
            .open()
            .await
            .expect("it opens");
        within(manager.ready()).await.expect("both are ready");
        let session = manager.session("backup").open().expect("open");
        let (a, b) = (session.mount("VT0001L8"), session.mount("B00001L8"));
        let (a, b) = (within(a).await.expect("mounted"), within(b).await.expect("mounted"));
        assert_ne!(a.library(), b.library());
        assert_eq!((one.moves_done(), two.moves_done()), (1, 1));
        let several = refusal(session.inventory().submit().await);
        assert!(matches!(several, Refusal::NoSuchLibrary(_)), "{several:?}");
        within(session.inventory().library(b.library())).await.expect("read");
        within(manager.shutdown()).await;
    }

    #[tokio::test]
    async fn a_cartridge_is_named_by_its_label_or_its_id() {
        let bed = Bed::new().await;
        let cartridges = bed.session.cartridges(None).await.expect("open");
        let id = cartridges.iter().find(|c| c.barcode.as_deref() == Some("VT0007L8")).expect("known").id;
        let tape = within(bed.session.mount(CartridgeRef::Id(id))).await.expect("mounted");
        assert_eq!((tape.barcode(), tape.cartridge()), (Some("VT0007L8"), id));
        bed.end().await;
    }
}

/// A transport that panics once when it is to send a move, after the library has got it.
struct Panicking {
    way: Arc<dyn Transport>,
    armed: AtomicBool,
}

#[async_trait]
impl Transport for Panicking {
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        let is_move = command.cdb.opcode() == MOVE_MEDIUM;
        let result = self.way.execute(command).await;
        assert!(!(is_move && self.armed.swap(false, Ordering::Relaxed)), "a defect of the transport");
        result
    }

    fn limits(&self) -> Limits {
        self.way.limits()
    }

    fn device(&self) -> &str {
        self.way.device()
    }

    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        self.way.sibling(lun)
    }
}

#[tokio::test]
async fn a_transport_that_panics_leaves_its_command_in_doubt_and_the_elements_are_looked_at() {
    let library = library();
    let way = Panicking { way: library.transport(), armed: AtomicBool::new(true) };
    let manager = Manager::builder()
        .library(LibraryConfig::transport("shaky", Arc::new(way)).timing(Timing::default()))
        .lock_directory(lock_directory())
        .open()
        .await
        .expect("it opens");
    within(manager.ready()).await.expect("ready");
    let session = manager.session("backup").open().expect("open");
    let mut events = session.events();
    let mount = session.mount("VT0001L8").submit().await.expect("accepted");
    event(&mut events, |kind| matches!(kind, EventKind::MotionInDoubt { .. })).await;
    within(mount).await.expect("it was found in the drive");
    assert_eq!(library.moves_sent(), 1, "it was not sent again");
    within(manager.shutdown()).await;
}

/// A transport that carries so many commands at once.
struct Narrow {
    way: Arc<dyn Transport>,
    carries: u16,
}

#[async_trait]
impl Transport for Narrow {
    async fn execute(&self, command: Command) -> Result<Completion, TransportError> {
        self.way.execute(command).await
    }

    fn limits(&self) -> Limits {
        Limits { max_in_flight: self.carries, ..self.way.limits() }
    }

    fn device(&self) -> &str {
        self.way.device()
    }

    fn sibling(&self, lun: u16) -> Option<Arc<dyn Transport>> {
        self.way.sibling(lun)
    }
}

#[tokio::test]
async fn no_more_moves_are_under_way_at_once_than_every_path_carries_and_that_is_shown() {
    for (asked, carry, shown) in [(4, [8, 2], 2), (3, [8, 300], 3), (1, [8, 8], 1), (4, [0, 8], 1)] {
        let library = library();
        let [first, second] = carry
            .map(|carries| -> Arc<dyn Transport> { Arc::new(Narrow { way: library.transport(), carries }) });
        let config = LibraryConfig::transport("narrow", first).path_transport(second).moves_in_flight(asked);
        let manager = Manager::builder()
            .library(config)
            .lock_directory(lock_directory())
            .open()
            .await
            .expect("it opens");
        let session = manager.session("backup").open().expect("open");
        let libraries = session.libraries().await.expect("told");
        assert_eq!(libraries[0].moves_in_flight, shown, "{asked} over {carry:?}");
        within(manager.shutdown()).await;
    }
}
