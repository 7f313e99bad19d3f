//! What is written on media, and which media go into which drives.

use std::sync::Arc;

use autochanger::catalog::{Compatibility, Label};
use autochanger::label::{FreeLabel, LabelFormat};
use autochanger::request::LabelFound;
use autochanger::{EventKind, HistoryFilter, Operation, Verify};

use super::*;
use crate::common::event;

const TAPE: &str = "VT0001L8";

fn write(bed: &Bed, bytes: &[u8]) {
    use autochanger::transport::sim::Record;
    let recording = vec![Record::Block(bytes.to_vec()), Record::Filemark];
    assert!(bed.library.with(|device| device.set_recording(TAPE, recording)));
}

/// Blocks that begin with `MINE`.
#[derive(Debug)]
struct Mine;

impl LabelFormat for Mine {
    fn name(&self) -> &str {
        "mine"
    }

    fn claim(&self, first_block: &[u8]) -> Option<Label> {
        let id = first_block.strip_prefix(b"MINE")?;
        Some(Label { format: "mine".into(), id: id.into(), description: "".into() })
    }
}

fn mine(id: &str) -> Label {
    Label { format: "mine".into(), id: id.as_bytes().into(), description: "".into() }
}

async fn with_mine(set_up: impl FnOnce(LibraryConfig) -> LibraryConfig) -> Bed {
    let library = common::library();
    on(library, set_up, |builder| builder.label_format(Arc::new(Mine))).await
}

#[tokio::test]
async fn a_blank_medium_gets_a_free_label_that_is_read_again() {
    let bed = bed().await;
    let home = bed.library.find(TAPE);
    assert_eq!(within(bed.session.identify(TAPE)).await.expect("read").found, LabelFound::Blank);
    let written = within(bed.session.write_free_label(TAPE)).await.expect("written");
    let LabelFound::Free(label) = &written.found else { panic!("{:?}", written.found) };
    assert_eq!(&*label.format, FreeLabel::FORMAT);
    assert_eq!(within(bed.session.identify(TAPE)).await.expect("read").found, written.found);
    assert_eq!((bed.library.find(TAPE), bed.library.moves_sent()), (home, 6));
    bed.end().await;
}

#[tokio::test]
async fn a_format_of_the_callers_own_claims_its_label_and_somebodys_data_is_overwritten_only_when_asked() {
    let bed = with_mine(|config| config).await;
    write(&bed, b"MINE7");
    let read = within(bed.session.identify(TAPE)).await.expect("read");
    assert_eq!(read.found, LabelFound::Known(mine("7")));
    assert_eq!(failed(within(bed.session.write_free_label(TAPE)).await), FailureKind::NotFree);
    let written = within(bed.session.write_free_label(TAPE).overwrite()).await.expect("written");
    assert!(matches!(written.found, LabelFound::Free(_)), "{:?}", written.found);
    bed.end().await;
}

#[tokio::test]
async fn an_identification_and_a_free_label_are_stopped_in_the_drive() {
    let bed = bed().await;
    for writes in [false, true] {
        let gate = bed.hold_moves();
        let ticket = if writes {
            bed.session.write_free_label(TAPE).submit().await.expect("accepted")
        } else {
            bed.session.identify(TAPE).submit().await.expect("accepted")
        };
        within(gate.reached()).await;
        let answer = within(bed.session.cancel(ticket.id())).await;
        let Ok(Cancellation::Stopping(verdict)) = answer else { panic!("{answer:?}") };
        gate.release();
        let Ok(Ending::Stopped { place: Some(Place::Element(ElementName { address, .. })) }) =
            within(verdict).await
        else {
            panic!("it is stopped")
        };
        assert_eq!(bed.library.find(TAPE), Some(address));
        assert!(matches!(within(ticket).await, Err(RequestError::Stopped { .. })));
        within(bed.session.dismount(TAPE)).await.expect("dismounted");
    }
    let nothing = bed.library.with(|device| device.recording(TAPE).map(<[_]>::is_empty));
    assert_eq!(nothing, Some(true));
    bed.end().await;
}

#[tokio::test]
async fn a_cleaning_cartridge_is_neither_identified_nor_written() {
    let bed = bed_of(common::described().cleaning_cartridge("CLN001L8"), |config| config).await;
    let refused = bed.session.identify("CLN001L8").submit().await;
    assert!(matches!(refusal(refused), Refusal::Incompatible { .. }));
    let refused = bed.session.write_free_label("CLN001L8").submit().await;
    assert!(matches!(refusal(refused), Refusal::Incompatible { .. }));
    bed.end().await;
}

#[tokio::test]
async fn a_mount_by_label_fails_on_another_tape_and_the_inventory_follows_where_it_shall() {
    for recovers in [true, false] {
        let bed = with_mine(|config| config.verify(Verify::Label).auto_recovery(recovers)).await;
        write(&bed, b"MINE1");
        let tape = within(bed.session.mount(TAPE)).await.expect("the label is recorded");
        within(tape.dismount()).await.expect("dismounted");
        write(&bed, b"MINE2");
        let mut events = bed.session.events();
        assert_eq!(failed(within(bed.session.mount(TAPE)).await), FailureKind::WrongLabel);
        event(&mut events, |kind| matches!(kind, EventKind::LabelChanged { .. })).await;
        // What follows by itself stands before what is asked for now, or is not there at all.
        within(bed.session.inventory()).await.expect("read");
        let history = bed.session.requests(HistoryFilter::default()).await.expect("readable");
        let own = history
            .iter()
            .filter(|it| it.operation() == Operation::Inventory && &*it.application == "autochanger");
        assert_eq!(own.count(), usize::from(recovers));
        assert!(bed.session.mounts().await.expect("open").is_empty());
        bed.end().await;
    }
}

#[tokio::test]
async fn a_rule_of_the_configuration_goes_before_what_is_known_of_lto() {
    let rule = Compatibility { drive: String::new(), medium: "L8".into(), read: true, write: false };
    let bed = bed_of(common::described(), |config| config.compatibility(rule)).await;
    assert!(matches!(refusal(bed.session.mount(TAPE).submit().await), Refusal::Incompatible { .. }));
    within(bed.session.mount(TAPE).read_only()).await.expect("it can be read");
    bed.end().await;
}
