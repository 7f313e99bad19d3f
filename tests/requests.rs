//! Library requests beyond mount, dismount and inventory: service, order, groups, deferred dismounts, people, faults.
#![cfg(feature = "sim")]

mod common;

use autochanger::catalog::{Label, MediumKind, Service};
use autochanger::request::{CancelledBy, ServiceTarget};
use autochanger::transport::sim::Fault;
use autochanger::view::OperatorTask;
use autochanger::{
    CancelError, Cancellation, ElementAddress, EventKind, FailureKind, FaultFilter, FaultOf, GroupMember,
    Mounted, Purge, PurgeError, Refusal, ReorderError, ReorderRefusal, RequestError, RequestId, Role, State,
    SubmitError, Ticket, Waiting,
};
use common::{Bed, Hand, TEST_UNIT_READY, event, until, within};

fn refusal<T: std::fmt::Debug>(result: Result<T, SubmitError>) -> Refusal {
    match result {
        Err(SubmitError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A waiting mount, told to wait for this.
async fn waiting(bed: &Bed, barcode: &str, wanted: Waiting) -> Ticket<Mounted> {
    let ticket = bed.session.mount(barcode).submit().await.expect("accepted");
    until(&ticket, |state| *state == State::Waiting(wanted)).await;
    ticket
}

/// Both drives with a medium.
async fn full_drives(bed: &Bed) -> [Mounted; 2] {
    let one = within(bed.session.mount("VT0001L8").drive(500)).await.expect("mounted");
    let two = within(bed.session.mount("VT0002L8").drive(501)).await.expect("mounted");
    [one, two]
}

mod service {
    use super::*;

    #[tokio::test]
    async fn a_paused_library_begins_no_mount_until_it_is_resumed() {
        let bed = Bed::new().await;
        let library = ServiceTarget::Library(None);
        within(bed.session.pause(library.clone())).await.expect("paused");
        assert_eq!(bed.session.libraries().await.expect("open")[0].service, Service::Paused);
        let ticket = waiting(&bed, "VT0001L8", Waiting::Service).await;
        within(bed.session.inventory()).await.expect("a paused library can be read");
        assert_eq!(bed.library.moves_sent(), 0);
        within(bed.session.resume(library)).await.expect("resumed");
        within(ticket).await.expect("mounted");
        bed.end().await;
    }

    #[tokio::test]
    async fn a_library_is_drained_when_its_last_medium_is_dismounted() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let drain = bed.session.drain(ServiceTarget::Library(None)).submit().await.expect("accepted");
        until(&drain, |state| *state == State::InProcess).await;
        let later = waiting(&bed, "VT0002L8", Waiting::Service).await;
        within(tape.dismount()).await.expect("dismounts go on");
        within(drain).await.expect("drained");
        assert_eq!(bed.session.libraries().await.expect("open")[0].service, Service::Paused);
        assert!(!later.state().is_final());
        bed.end().await;
    }

    #[tokio::test]
    async fn what_waits_for_a_library_fails_when_it_is_disabled_and_what_is_asked_then_is_refused() {
        let bed = Bed::new().await;
        let _media = full_drives(&bed).await;
        let ticket = waiting(&bed, "VT0003L8", Waiting::Drive).await;
        within(bed.session.disable(ServiceTarget::Library(None))).await.expect("disabled");
        let error = within(ticket).await.expect_err("it cannot be served");
        let failure = error.failure().expect("it failed");
        assert_eq!((failure.kind, failure.win32_code()), (FailureKind::Disabled, Some(4309)));
        let refused = bed.session.mount("VT0004L8").submit().await;
        assert_eq!(refused.as_ref().expect_err("refused").win32_code(), 4309);
        assert!(matches!(refusal(refused), Refusal::Disabled { .. }));
        bed.end().await;
    }

    #[tokio::test]
    async fn a_paused_drive_gets_no_medium() {
        let bed = Bed::new().await;
        within(bed.session.pause(ServiceTarget::drive(500))).await.expect("paused");
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        assert_eq!(tape.drive(), ElementAddress(501));
        let second = bed.session.mount("VT0002L8").submit().await.expect("accepted");
        until(&second, |state| matches!(state, State::Waiting(_))).await;
        within(bed.session.enable(ServiceTarget::drive(500))).await.expect("enabled");
        assert_eq!(within(second).await.expect("mounted").drive(), ElementAddress(500));
        bed.end().await;
    }

    #[tokio::test]
    async fn mounts_that_wait_for_a_cartridge_fail_when_it_is_disabled() {
        let bed = Bed::new().await;
        let _media = full_drives(&bed).await;
        let ticket = waiting(&bed, "VT0003L8", Waiting::Drive).await;
        within(bed.session.disable(ServiceTarget::cartridge("VT0003L8"))).await.expect("disabled");
        let error = within(ticket).await.expect_err("its cartridge is disabled");
        assert_eq!(error.failure().map(|failure| failure.kind), Some(FailureKind::Disabled));
        let again = bed.session.mount("VT0003L8").submit().await;
        assert!(matches!(refusal(again), Refusal::Disabled { .. }));
        bed.end().await;
    }

    #[tokio::test]
    async fn the_service_of_library_drive_and_cartridge_outlives_the_manager() {
        let hand = Hand::default();
        let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
        within(bed.session.pause(ServiceTarget::Library(None))).await.expect("paused");
        within(bed.session.disable(ServiceTarget::drive(501))).await.expect("disabled");
        within(bed.session.disable(ServiceTarget::cartridge("VT0007L8"))).await.expect("disabled");
        let library = bed.library.clone();
        bed.end().await;
        let bed = Bed::on(library, |builder| builder.store_with(hand.store())).await;
        assert_eq!(bed.session.libraries().await.expect("open")[0].service, Service::Paused);
        let drives = bed.session.drives(None).await.expect("open");
        let services: Vec<_> = drives.iter().map(|drive| drive.service).collect();
        assert_eq!(services, [Service::Enabled, Service::Disabled]);
        let cartridges = bed.session.cartridges(None).await.expect("open");
        let disabled: Vec<_> = cartridges.iter().filter(|one| one.disabled).collect();
        assert_eq!(disabled.len(), 1);
        assert_eq!(disabled[0].barcode.as_deref(), Some("VT0007L8"));
        bed.end().await;
    }
}

mod order {
    use super::*;

    #[tokio::test]
    async fn a_reordered_mount_is_served_first_and_told_its_place() {
        let bed = Bed::new().await;
        let [one, _two] = full_drives(&bed).await;
        let third = waiting(&bed, "VT0003L8", Waiting::Drive).await;
        let fourth = waiting(&bed, "VT0004L8", Waiting::Drive).await;
        assert_eq!(bed.session.queue_position(fourth.id()).await.expect("open"), Some(2));
        assert_eq!(bed.session.reorder(fourth.id(), 1).await.expect("moved"), 1);
        assert_eq!(bed.session.queue_position(third.id()).await.expect("open"), Some(2));
        assert_eq!(bed.session.reorder(fourth.id(), u32::MAX).await.expect("moved"), 2);
        assert_eq!(bed.session.reorder(fourth.id(), 1).await.expect("moved"), 1);
        within(one.dismount()).await.expect("dismounted");
        within(fourth).await.expect("it is served first");
        assert!(!third.state().is_final());
        bed.end().await;
    }

    #[tokio::test]
    async fn only_what_is_in_the_queue_and_ones_own_can_be_reordered() {
        let bed = Bed::new().await;
        let [one, _two] = full_drives(&bed).await;
        let third = waiting(&bed, "VT0003L8", Waiting::Drive).await;
        let stranger = bed.other(Role::Operator);
        let denied = stranger.reorder(third.id(), 1).await.expect_err("not its own");
        assert!(matches!(denied, ReorderError::Refused(ReorderRefusal::PermissionDenied { .. })), "{denied}");
        let hidden = bed.other(Role::Application);
        assert_eq!(hidden.queue_position(third.id()).await.expect("open"), None);
        let ended = bed.session.reorder(one.id(), 1).await.expect_err("it has ended");
        assert!(matches!(ended, ReorderError::Refused(ReorderRefusal::NotFound { .. })), "{ended}");
        bed.end().await;
    }

    #[tokio::test]
    async fn a_mount_at_once_is_refused_where_it_would_wait() {
        let bed = Bed::new().await;
        let [one, _two] = full_drives(&bed).await;
        assert!(matches!(
            refusal(bed.session.mount("VT0003L8").at_once().submit().await),
            Refusal::Busy { .. }
        ));
        within(one.dismount()).await.expect("dismounted");
        within(bed.session.mount("VT0003L8").at_once()).await.expect("a drive is free");
        bed.end().await;
    }
}

mod people {
    use super::*;

    async fn asked_for(bed: &Bed) -> Ticket<Mounted> {
        bed.library.operator_take(1000).expect("there");
        within(bed.session.inventory()).await.expect("read");
        let mut events = bed.session.events();
        let ticket = bed.session.mount("VT0001L8").wait_for_operator().submit().await.expect("accepted");
        event(&mut events, |kind| matches!(kind, EventKind::OperatorAsked(_))).await;
        let asked = bed.session.operator_requests().await.expect("open");
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].request, ticket.id());
        assert!(
            matches!(&asked[0].task, OperatorTask::BringCartridge { cartridge, .. } if &**cartridge == "VT0001L8")
        );
        assert!(bed.other(Role::Application).operator_requests().await.expect("open").is_empty());
        ticket
    }

    #[tokio::test]
    async fn a_mount_waits_for_a_cartridge_that_somebody_brings() {
        let bed = Bed::new().await;
        let ticket = asked_for(&bed).await;
        bed.library.operator_put(1023, "VT0001L8").expect("empty");
        within(bed.session.inventory()).await.expect("read");
        within(ticket).await.expect("mounted");
        assert!(bed.session.operator_requests().await.expect("open").is_empty());
        bed.end().await;
    }

    #[tokio::test]
    async fn a_refused_operator_request_ends_its_mount() {
        let bed = Bed::new().await;
        let ticket = asked_for(&bed).await;
        let denied = bed.other(Role::Application).refuse_operator_request(ticket.id()).await;
        assert!(matches!(denied, Err(CancelError::NotFound { .. })), "{denied:?}");
        let answer = within(bed.session.refuse_operator_request(ticket.id())).await.expect("refused");
        assert!(matches!(answer, Cancellation::Cancelled));
        let error = within(ticket).await.expect_err("nobody brings it");
        assert!(
            matches!(&error, RequestError::Cancelled { by: CancelledBy::Operator { .. }, .. }),
            "{error}"
        );
        assert_eq!(bed.library.moves_sent(), 0);
        bed.end().await;
    }
}

mod groups {
    use super::*;

    #[tokio::test]
    async fn a_group_waits_until_there_is_a_drive_for_each_and_then_has_both() {
        let bed = Bed::new().await;
        let one = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let members = [GroupMember::new("VT0003L8").drive(501).read_only(), "VT0004L8".into()];
        let tickets = bed.session.mount_all(members).submit().await.expect("accepted");
        until(&tickets[0], |state| matches!(state, State::Waiting(_))).await;
        until(&tickets[1], |state| matches!(state, State::Waiting(_))).await;
        assert_eq!(bed.library.moves_sent(), 1, "none is begun alone");
        within(one.dismount()).await.expect("dismounted");
        let mut drives = Vec::new();
        for ticket in tickets {
            drives.push(within(ticket).await.expect("mounted").drive());
        }
        assert_eq!(drives, [ElementAddress(501), ElementAddress(500)]);
        bed.end().await;
    }

    #[tokio::test]
    async fn one_that_is_cancelled_takes_its_group_with_it() {
        let bed = Bed::new().await;
        let _one = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let mut tickets = bed.session.mount_all(["VT0003L8", "VT0004L8"]).submit().await.expect("accepted");
        let second = tickets.pop().expect("two");
        let first = tickets.pop().expect("two");
        until(&first, |state| matches!(state, State::Waiting(_))).await;
        let answer = within(bed.session.cancel(first.id())).await.expect("cancelled");
        assert!(matches!(answer, Cancellation::Cancelled));
        let cancelled_by = |error: RequestError| match error {
            RequestError::Cancelled { by, .. } => by,
            other => panic!("{other}"),
        };
        let id = first.id();
        assert!(matches!(
            cancelled_by(within(first).await.expect_err("cancelled")),
            CancelledBy::Session { .. }
        ));
        let by = cancelled_by(within(second).await.expect_err("cancelled with it"));
        assert_eq!(by, CancelledBy::Group { member: id });
        assert_eq!(bed.library.moves_sent(), 1);
        bed.end().await;
    }

    /// Hands the same group in while it lives, when it has ended, and with other content.
    pub(super) async fn hand_in_again(bed: &Bed) {
        let ids = [RequestId::from(uuid::Uuid::now_v7()), RequestId::from(uuid::Uuid::now_v7())];
        let group = |barcodes: [&str; 2]| {
            let members = barcodes.into_iter().zip(ids).map(|(barcode, id)| GroupMember::new(barcode).id(id));
            bed.session.mount_all(members)
        };
        let both = ["VT0001L8", "VT0002L8"];
        let first = group(both).submit().await.expect("accepted");
        let again = group(both).submit().await.expect("it is known");
        assert!(first.iter().zip(&again).all(|(first, again)| first.id() == again.id()));
        let mut media = Vec::new();
        for ticket in first {
            media.push(within(ticket).await.expect("mounted"));
        }
        for tape in media {
            within(tape.dismount()).await.expect("dismounted");
        }
        let moves = bed.library.moves_sent();
        assert_eq!(within(group(both)).await.expect("it was mounted").len(), 2);
        for other in [["VT0002L8", "VT0001L8"], ["VT0001L8", "VT0003L8"]] {
            assert!(matches!(refusal(group(other).submit().await), Refusal::IdReused { .. }));
        }
        let one = bed.session.mount_all([GroupMember::new("VT0001L8").id(ids[0])]).submit().await;
        assert!(matches!(refusal(one), Refusal::IdReused { .. }), "a part of it is not it");
        assert_eq!(bed.library.moves_sent(), moves, "nothing is done twice");
        within(bed.session.mount("VT0003L8")).await.expect("service goes on");
    }

    #[tokio::test]
    async fn a_group_that_is_handed_in_again_is_answered_and_not_repeated() {
        let bed = Bed::new().await;
        hand_in_again(&bed).await;
        bed.end().await;
    }

    #[tokio::test]
    async fn a_group_of_which_one_is_away_waits_for_a_person_and_keeps_no_drive() {
        let bed = Bed::new().await;
        bed.library.operator_take(1000).expect("it is there");
        within(bed.session.inventory()).await.expect("read");
        let refused = bed.session.mount_all(["VT0001L8", "VT0002L8"]).submit().await;
        assert!(matches!(refusal(refused), Refusal::CartridgeNotAvailable { .. }));
        let group = bed.session.mount_all(["VT0001L8", "VT0002L8"]).wait_for_operator();
        let tickets = group.submit().await.expect("accepted");
        until(&tickets[0], |state| *state == State::Waiting(Waiting::Operator)).await;
        assert_eq!(bed.session.operator_requests().await.expect("open").len(), 1);
        let [one, two] = [
            within(bed.session.mount("VT0003L8")).await.expect("a drive is free"),
            within(bed.session.mount("VT0004L8")).await.expect("and the other"),
        ];
        bed.library.operator_put(1000, "VT0001L8").expect("it is empty");
        within(bed.session.inventory()).await.expect("read");
        within(one.dismount()).await.expect("dismounted");
        within(two.dismount()).await.expect("dismounted");
        for ticket in tickets {
            within(ticket).await.expect("mounted");
        }
        bed.end().await;
    }

    #[tokio::test]
    async fn a_group_with_a_member_that_is_refused_leaves_nothing() {
        let bed = Bed::new().await;
        let refused = bed.session.mount_all(["VT0003L8", "NOWHERE"]).submit().await;
        assert!(matches!(refusal(refused), Refusal::CartridgeNotFound { .. }));
        assert!(bed.session.live_requests().await.expect("open").is_empty());
        let twice = bed.session.mount_all(["VT0003L8", "VT0003L8"]).submit().await;
        assert!(matches!(refusal(twice), Refusal::Unfit(_)));
        bed.end().await;
    }
}

mod deferred {
    use super::*;

    #[tokio::test]
    async fn a_deferred_medium_is_mounted_again_without_a_move() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let dismount = tape.dismount().deferred().submit().await.expect("accepted");
        until(&dismount, |state| *state == State::Deferred).await;
        assert!(bed.session.mounts().await.expect("open").is_empty());
        let again = within(bed.other(Role::Operator).mount("VT0001L8")).await.expect("handed over");
        let left = within(dismount).await.expect("passed");
        assert_eq!((left.slot(), left.kept_in_drive()), (None, Some(again.drive())));
        assert_eq!(bed.library.moves_sent(), 1);
        bed.end().await;
    }

    #[tokio::test]
    async fn a_deferred_medium_that_is_ejected_passes_with_its_port() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let dismount = tape.dismount().deferred().submit().await.expect("accepted");
        until(&dismount, |state| *state == State::Deferred).await;
        let ejected = within(bed.session.eject("VT0001L8")).await.expect("ejected");
        let left = within(dismount).await.expect("it is out of its drive");
        assert_eq!((left.slot(), left.kept_in_drive(), left.port()), (None, None, ejected.port));
        assert_eq!(left.to_string(), format!("port {}", left.port().expect("a port")));
        bed.end().await;
    }

    #[tokio::test]
    async fn a_deferred_medium_makes_way_for_one_that_needs_its_drive() {
        let bed = Bed::new().await;
        let [one, _two] = full_drives(&bed).await;
        let dismount = one.dismount().deferred().submit().await.expect("accepted");
        until(&dismount, |state| *state == State::Deferred).await;
        let third = within(bed.session.mount("VT0003L8")).await.expect("mounted");
        assert_eq!(third.drive(), ElementAddress(500));
        assert_eq!(within(dismount).await.expect("passed").slot(), Some(ElementAddress(1000)));
        bed.end().await;
    }

    #[tokio::test]
    async fn whatever_is_in_a_drive_is_dismounted_by_the_drive() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let back = within(bed.session.dismount_drive(tape.drive())).await.expect("dismounted");
        assert_eq!((back.slot(), back.barcode.as_deref()), (Some(ElementAddress(1000)), Some("VT0001L8")));
        bed.end().await;
    }
}

mod catalogue {
    use super::*;

    #[tokio::test]
    async fn a_recorded_label_and_the_cleaners_slot_outlive_the_manager() {
        let hand = Hand::default();
        let bed = Bed::with(|builder| builder.store_with(hand.store())).await;
        let label = Label { format: "tar".into(), id: [1, 2, 3].into(), description: "week 12".into() };
        within(bed.session.update_label("VT0001L8", label.clone())).await.expect("recorded");
        assert_eq!(within(bed.session.classify("VT0001L8")).await.expect("known").kind, MediumKind::Data);
        within(bed.session.reserve_cleaner_slot(1023)).await.expect("reserved");
        let full = within(bed.session.reserve_cleaner_slot(1001)).await.expect_err("it is kept already");
        assert!(full.to_string().contains("1023"), "{full}");
        let library = bed.library.clone();
        bed.end().await;
        let bed = Bed::on(library, |builder| builder.store_with(hand.store())).await;
        let cartridges = bed.session.cartridges(None).await.expect("open");
        let found = cartridges.iter().find(|one| one.barcode.as_deref() == Some("VT0001L8"));
        assert_eq!(found.and_then(|one| one.label.clone()), Some(label));
        within(bed.session.release_cleaner_slot()).await.expect("released");
        within(bed.session.release_cleaner_slot()).await.expect_err("there is none any more");
        bed.end().await;
    }

    #[tokio::test]
    async fn an_administrator_purges_what_has_ended_and_nobody_else_does() {
        let bed = Bed::new().await;
        let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let read = within(bed.session.inventory()).await.expect("read");
        let denied = bed.other(Role::Operator).purge_requests(Purge::KeepNewest(0)).await;
        assert!(matches!(denied, Err(PurgeError::PermissionDenied { role: Role::Operator })), "{denied:?}");
        let purged = within(bed.session.purge_requests(Purge::KeepNewest(0))).await.expect("purged");
        assert_eq!((purged.deleted, purged.kept), (1, 1), "the mount is held by its medium");
        assert!(bed.session.request(read.id).await.expect("readable").is_none());
        assert!(bed.session.request(tape.id()).await.expect("readable").is_some());
        bed.end().await;
    }

    #[tokio::test]
    async fn after_the_store_failed_nothing_is_purged() {
        for blocking in [false, true] {
            let hand = Hand::default();
            let bed = Bed::with(|builder| match blocking {
                true => builder.store_with(hand.blocking_store()),
                false => builder.store_with(hand.store()),
            })
            .await;
            hand.fail();
            let _ = within(bed.session.inventory().submit()).await;
            let answer = within(bed.session.purge_requests(Purge::KeepNewest(0))).await;
            assert!(matches!(answer, Err(PurgeError::StoreFailed { .. })), "{answer:?}");
            bed.end().await;
        }
    }
}

mod faults {
    use super::*;

    #[tokio::test]
    async fn a_drive_that_cannot_read_a_medium_is_blamed_when_another_one_can() {
        let bed = Bed::new().await;
        let broken = Fault::sense(autochanger::transport::sim::SenseKey::MediumError, 0x11, 0x00);
        bed.library.inject(broken.on(TEST_UNIT_READY).lun(1).always());
        let tape = within(bed.session.mount("VT0001L8")).await.expect("another drive does it");
        assert_eq!(tape.drive(), ElementAddress(501));
        let faults = bed.session.faults(tape.id()).await.expect("readable");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!((faults[0].of, faults[0].drive), (FaultOf::Drive, Some(ElementAddress(500))));
        let drives = bed.session.drives(None).await.expect("open");
        assert_eq!(drives.iter().map(|drive| drive.blame.faults).collect::<Vec<_>>(), [1, 0]);
        let stranger = bed.other(Role::Application);
        assert!(stranger.faults(FaultFilter::default()).await.expect("readable").is_empty());
        bed.end().await;
    }
}

#[cfg(feature = "redb")]
mod restarts {
    use super::*;
    use std::path::{Path, PathBuf};

    fn store(name: &str) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("requests-{}-{name}.redb", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[tokio::test]
    async fn a_place_in_the_queue_outlives_the_manager() {
        let path = store("order");
        let bed = Bed::with(|builder| builder.store(&path)).await;
        let [one, _two] = full_drives(&bed).await;
        let (first, mut behind) = (one.cartridge(), Vec::new());
        for barcode in ["VT0003L8", "VT0004L8"] {
            let ticket = bed.session.mount(barcode).detached().submit().await.expect("accepted");
            until(&ticket, |state| *state == State::Waiting(Waiting::Drive)).await;
            behind.push(ticket.id());
        }
        assert_eq!(bed.session.reorder(behind[1], 1).await.expect("moved"), 1);
        let library = bed.library.clone();
        bed.end().await;

        let bed = Bed::on(library, |builder| builder.store(&path)).await;
        let mut tickets = Vec::new();
        for id in &behind {
            tickets.push(within(bed.session.adopt(*id)).await.expect("adopted"));
        }
        for ticket in &tickets {
            until(ticket, |state| *state == State::Waiting(Waiting::Drive)).await;
        }
        assert_eq!(bed.session.queue_position(behind[1]).await.expect("open"), Some(1));
        within(bed.session.dismount(first)).await.expect("dismounted");
        within(tickets.pop().expect("two")).await.expect("it is served first");
        bed.end().await;
        let _ = std::fs::remove_file(path);
    }

    #[tokio::test]
    async fn a_group_in_a_file_that_is_handed_in_again_is_answered_and_not_repeated() {
        let path = store("group-again");
        let bed = Bed::with(|builder| builder.store(&path)).await;
        groups::hand_in_again(&bed).await;
        bed.end().await;
        let _ = std::fs::remove_file(path);
    }

    #[tokio::test]
    async fn a_group_that_waits_for_its_owner_after_a_restart_is_mounted_when_one_is_adopted() {
        let path = store("group");
        let bed = Bed::with(|builder| builder.store(&path)).await;
        let one = within(bed.session.mount("VT0001L8")).await.expect("mounted");
        let tickets = bed.session.mount_all(["VT0003L8", "VT0004L8"]).submit().await.expect("accepted");
        until(&tickets[0], |state| matches!(state, State::Waiting(_))).await;
        let ids: Vec<_> = tickets.iter().map(Ticket::id).collect();
        let (library, first) = (bed.library.clone(), one.cartridge());
        bed.end().await;

        let bed = Bed::on(library, |builder| builder.store(&path)).await;
        within(bed.session.dismount(first)).await.expect("dismounted");
        assert_eq!(bed.library.moves_sent(), 2, "none is begun without an owner");
        // A group has one owner: with its first the others have one.
        let mut adopted = Vec::new();
        for id in ids {
            adopted.push(within(bed.session.adopt(id)).await.expect("adopted"));
        }
        for ticket in adopted {
            within(ticket).await.expect("mounted");
        }
        bed.end().await;
        let _ = std::fs::remove_file(path);
    }
}
