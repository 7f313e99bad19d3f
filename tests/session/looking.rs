//! Looking: views, events, history.

use autochanger::{ElementAddress, ElementType, EventKind, HistoryFilter, Operation, Place};

use super::common::{Bed, within};

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
        assert!(last.is_none_or(|last| event.sequence == last + 1), "after {last:?} came {}", event.sequence);
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
