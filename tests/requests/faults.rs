//! Faults, and what is kept of them.

use autochanger::transport::sim::Fault;
use autochanger::{ElementAddress, FaultFilter, FaultOf, Role};

use super::common::{Bed, TEST_UNIT_READY, within};

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
