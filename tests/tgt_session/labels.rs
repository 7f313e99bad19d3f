//! Labels on tgt's tapes: REWIND, READ and WRITE by a drive that is not ours.

use autochanger::label::FreeLabel;
use autochanger::request::LabelFound;
use autochanger::{LibraryConfig, Verify};

use crate::Setting;
use crate::beds::TgtOptions;
use crate::common::within;

#[tokio::test]
async fn a_blank_medium_gets_a_free_label_that_the_drive_gives_back() {
    let setting = Setting::new(TgtOptions::default()).await;
    let before = setting.contents().await;
    let blank = within(setting.session.identify("VT0001L3")).await.expect("read");
    // tgt's BLANK CHECK says no more than that, as a damaged tape may: it is not taken for blank.
    assert_eq!(blank.found, LabelFound::Unreadable);
    let written = within(setting.session.write_free_label("VT0001L3").overwrite()).await.expect("written");
    let LabelFound::Free(label) = &written.found else { panic!("{:?}", written.found) };
    assert_eq!(&*label.format, FreeLabel::FORMAT);
    let read = within(setting.session.identify("VT0001L3")).await.expect("read");
    assert_eq!(read.found, written.found);
    let other = within(setting.session.identify("VT0002L3")).await.expect("read");
    assert_eq!(other.found, blank.found, "only the one that was asked for was written");
    setting.end(&before).await;
}

#[tokio::test]
async fn a_mount_by_label_records_what_it_finds_and_finds_it_again() {
    let by_label = |config: LibraryConfig| config.verify(Verify::Label);
    let setting = Setting::with(TgtOptions::default(), by_label).await;
    let before = setting.contents().await;
    let written = within(setting.session.write_free_label("VT0001L3").overwrite()).await.expect("written");
    for _ in 0..2 {
        let tape = setting.mount("VT0001L3").await;
        within(tape.dismount()).await.expect("dismounted");
    }
    let cartridges = within(setting.session.cartridges(None)).await.expect("the session is open");
    let known = cartridges.iter().find(|known| known.barcode.as_deref() == Some("VT0001L3"));
    let label = known.and_then(|known| known.label.clone()).expect("it is recorded");
    assert_eq!(LabelFound::Free(label), written.found);
    setting.end(&before).await;
}
