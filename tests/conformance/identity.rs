//! Who is there: INQUIRY, REPORT LUNS, REQUEST SENSE, and what every device owes to unknown commands.

use autochanger::transport::Command;
use autochanger_scsi::vpd::{DeviceIdentification, SupportedPages, UnitSerial};
use autochanger_scsi::{
    Cdb, DeviceType, Inquiry, LunList, ReportLuns, RequestSense, Sense, SenseKey, StandardInquiry, Status,
    TestUnitReady, lun_number,
};

use super::ask::{QUICK, code, good, refused};
use super::library::Library;

fn inquiry(vpd: Option<u8>, allocation: u16) -> Cdb {
    Inquiry { vpd, allocation }.cdb()
}

pub(crate) async fn the_standard_inquiry_says_what_it_is(library: &Library) {
    let data = good(&*library.changer, inquiry(None, 96), 96).await;
    let standard = StandardInquiry::parse(&data).unwrap();
    assert_eq!((standard.device_type(), standard.peripheral_qualifier()), (DeviceType::Changer, 0));
    assert!(!standard.vendor().is_empty() && !standard.product().is_empty());
    assert!(data.len() >= 36, "{} bytes of standard inquiry data", data.len());
}

pub(crate) async fn the_vital_pages_are_listed_and_can_be_read(library: &Library) {
    let data = good(&*library.changer, inquiry(Some(0x00), 255), 255).await;
    let pages: Vec<u8> = SupportedPages::parse(&data).unwrap().pages().collect();
    assert!([0x80, 0x83].iter().all(|page| pages.contains(page)), "{pages:02x?}");

    let data = good(&*library.changer, inquiry(Some(0x80), 255), 255).await;
    let serial = UnitSerial::parse(&data).unwrap();
    assert!(!serial.serial().is_empty());

    let data = good(&*library.changer, inquiry(Some(0x83), 255), 255).await;
    let identification = DeviceIdentification::parse(&data).unwrap();
    assert!(identification.designators().next().is_some(), "a device without a name: {data:02x?}");
}

pub(crate) async fn a_short_allocation_gives_the_beginning(library: &Library) {
    let whole = good(&*library.changer, inquiry(None, 96), 96).await;
    for allocation in [5u16, 36] {
        let part = good(&*library.changer, inquiry(None, allocation), allocation.into()).await;
        assert_eq!(part.len(), usize::from(allocation));
        // The additional length may or may not tell the whole.
        assert_eq!(part[..4], whole[..4]);
        assert_eq!(part[5..], whole[5..usize::from(allocation)]);
    }
}

pub(crate) async fn unit_attentions_are_told_and_then_over(library: &Library) {
    // The power-on attention of this session was heard when the library was opened; a ready device stays so.
    for _ in 0..3 {
        let answer = library.changer.execute(Command::new(TestUnitReady {}.cdb(), QUICK)).await.unwrap();
        assert_eq!(answer.status, Status::Good, "{:?}", answer.sense());
    }
}

pub(crate) async fn request_sense_tells_that_nothing_is_wrong(library: &Library) {
    let data = good(&*library.changer, RequestSense { descriptor: false, allocation: 252 }.cdb(), 252).await;
    let sense = Sense::parse(&data).expect("sense data");
    assert_eq!((sense.key, code(sense)), (SenseKey::NoSense, (0, 0)), "{sense}");
}

pub(crate) async fn the_units_are_listed_and_each_answers(library: &Library) {
    let data = good(&*library.changer, ReportLuns { select: 0, allocation: 4096 }.cdb(), 4096).await;
    let list = LunList::parse(&data).unwrap();
    let luns: Vec<u16> = list.luns().filter_map(lun_number).collect();
    assert!(!luns.is_empty() && !list.is_truncated());
    for lun in luns {
        let Some(unit) = library.changer.sibling(lun) else { continue };
        let data = good(&*unit, inquiry(None, 96), 96).await;
        assert_eq!(StandardInquiry::parse(&data).unwrap().peripheral_qualifier(), 0, "unit {lun}");
    }
}

pub(crate) async fn an_unknown_command_is_refused(library: &Library) {
    let unknown = Cdb::from_bytes(&[0x02, 0, 0, 0, 0, 0]).unwrap();
    let sense = refused(&*library.changer, unknown, 0).await;
    assert_eq!((sense.key, code(sense)), (SenseKey::IllegalRequest, (0x20, 0x00)), "{sense}");
}

pub(crate) async fn an_unknown_vital_page_is_refused(library: &Library) {
    let sense = refused(&*library.changer, inquiry(Some(0x7E), 255), 255).await;
    assert_eq!((sense.key, code(sense)), (SenseKey::IllegalRequest, (0x24, 0x00)), "{sense}");
}
