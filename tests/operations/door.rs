//! The door.

use autochanger::request::{AfterDoor, Outcome, ServiceTarget};
use autochanger::{Request, State};

use super::*;

/// Somebody goes through the door and takes a cartridge with him.
fn visit(bed: &Bed, slot: u16) {
    bed.library.operator_open_door().expect("it is unlocked");
    bed.library.operator_take(slot).expect("there");
    bed.library.operator_close_door();
}

#[tokio::test]
async fn a_door_access_passes_with_an_inventory_unless_none_is_wanted() {
    let bed = bed().await;
    let inventoried = bed.session.door_access().submit().await.expect("accepted");
    asked(&bed).await;
    visit(&bed, 1000);
    let done = within(inventoried).await.expect("it was opened and closed");
    let request: Request = within(bed.session.request(done.id)).await.expect("readable").expect("kept");
    assert!(
        matches!(request.state, State::Passed(Outcome::Inventoried { missing: 1, .. })),
        "{}",
        request.state
    );
    let plain = bed.session.door_access().then(AfterDoor::Nothing).submit().await.expect("accepted");
    asked(&bed).await;
    visit(&bed, 1001);
    within(plain).await.expect("it was opened and closed");
    bed.end().await;
}

#[tokio::test]
async fn a_door_access_is_cancelled_while_nobody_has_come() {
    let bed = bed().await;
    let ticket = bed.session.door_access().submit().await.expect("accepted");
    asked(&bed).await;
    cancels(&bed.session, ticket).await;
    within(bed.session.mount("VT0001L8")).await.expect("the library works on");
    bed.end().await;
}

#[tokio::test]
async fn a_disabled_library_lets_nobody_in_on_request() {
    let bed = bed().await;
    within(bed.session.disable(ServiceTarget::Library(None))).await.expect("disabled");
    assert!(matches!(refusal(bed.session.door_access().submit().await), Refusal::Disabled { .. }));
    bed.end().await;
}

#[tokio::test]
async fn a_cleaner_comes_and_goes_through_the_door_of_a_library_without_ports() {
    let portless = Library::new().slots(4).drives(1).ports(0).cartridges("VT{:04}L8", 1..=2);
    let bed = bed_of(portless, |config| config).await;
    within(bed.session.reserve_cleaner_slot(1003)).await.expect("reserved");
    let coming = bed.session.inject_cleaner(20).submit().await.expect("accepted");
    asked(&bed).await;
    bed.library.operator_open_door().expect("it is unlocked");
    bed.library.with(|device| device.operator_put_cleaner(1003, "CLN001L8")).expect("empty");
    bed.library.operator_close_door();
    assert_eq!(within(coming).await.expect("injected").cartridges.len(), 1);
    let going = bed.session.eject_cleaner().submit().await.expect("accepted");
    asked(&bed).await;
    visit(&bed, 1003);
    assert_eq!(within(going).await.expect("taken out").port, None);
    bed.end().await;
}
