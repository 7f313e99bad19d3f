//! What is refused, and with which words.

use autochanger::transport::sim::Hold;
use autochanger::{HistoryFilter, LibraryId, Refusal, Role};

use super::common::{Bed, builder, library, new_id, within};
use super::refusal;

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
