//! What is found without being told.

use std::path::{Path, PathBuf};

use autochanger::transport::{Command, DeviceUrl, Transport, TransportError, open, sg};
use autochanger::{LibraryConfig, Manager, Role};

use autochanger_scsi::sg::Sysfs;
use autochanger_scsi::vpd::UnitSerial;
use autochanger_scsi::{Inquiry, TestUnitReady};

use super::bed::Guest;
use super::inside::{PATIENCE, changer, delete, transport, url};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

#[test]
fn changers_and_their_drives_are_found_and_matched_by_element() {
    Guest::new().library(20, 3, 4).run(
        "discovery::changers_and_their_drives_are_found_and_matched_by_element",
        || {
            let changers = sg::discover().expect("sysfs is readable");
            assert_eq!(changers.len(), 1);
            let found = &changers[0];
            assert_eq!(found.unit.node, changer());
            assert_eq!((&*found.unit.vendor, &*found.unit.product), ("STK", "L700"));
            assert!(found.unit.serial.as_deref().is_some_and(|serial| serial.starts_with("BED")));
            let drives: Vec<_> =
                found.drives.iter().map(|drive| (drive.serial.as_deref(), drive.tape.clone())).collect();
            let nst = |number: u32| Some(PathBuf::from(format!("/dev/nst{number}")));
            assert_eq!(
                drives,
                [(Some("DRV0000001"), nst(0)), (Some("DRV0000002"), nst(1)), (Some("DRV0000003"), nst(2))]
            );
            let matched = runtime().block_on(found.match_drives()).expect("the changer tells");
            let matched: Vec<_> = matched
                .iter()
                .map(|drive| (drive.element.0, drive.unit.as_ref().and_then(|unit| unit.tape.clone())))
                .collect();
            assert_eq!(matched, [(500, nst(0)), (501, nst(1)), (502, nst(2))]);
        },
    );
}

#[test]
fn any_path_that_leads_to_a_unit_is_good_and_a_drive_names_its_tape_device() {
    Guest::new().run(
        "discovery::any_path_that_leads_to_a_unit_is_good_and_a_drive_names_its_tape_device",
        || {
            let changer = transport();
            assert_eq!(changer.os_device(), Some(self::changer()));
            let drive = changer.sibling(1).expect("a drive");
            assert_eq!(drive.os_device().as_deref(), Some(Path::new("/dev/nst0")));
            assert!(changer.sibling(9).is_none());
            std::os::unix::fs::symlink(self::changer(), "/run/my-library").expect("linked");
            for path in ["/run/my-library", "/dev/sch0", "/dev/nst1"] {
                let url: DeviceUrl = format!("sg:{path}").parse().expect("a device URL");
                // tgt's library has the changer behind its two drives.
                let lun = if path == "/dev/nst1" { 2 } else { 3 };
                let unit = open(&url).expect("it can be opened");
                assert_eq!(unit.sibling(lun).and_then(|unit| unit.os_device()), unit.os_device(), "{path}");
                assert!(unit.limits().max_transfer > 64 << 10, "{path} is opened by its sg node");
            }
        },
    );
}

#[test]
fn drives_at_other_targets_are_found_by_a_session_that_is_told_only_the_changer() {
    let name = "discovery::drives_at_other_targets_are_found_by_a_session_that_is_told_only_the_changer";
    // Everything is there twice; then the first has no drives, and the second no changer.
    Guest::new().with("GUEST_SESSIONS", 2).run(name, || {
        let all = sg::discover().expect("sysfs is readable");
        assert_eq!(all.len(), 2, "a changer by each path");
        assert_eq!(all[0].drives.len(), 2, "a drive that is reached twice is one drive");
        let [kept, dropped] = &all[..] else { panic!("two") };
        kept.drives.iter().for_each(|drive| delete(&drive.node));
        delete(&dropped.unit.node);
        let now = sg::discover().expect("sysfs is readable");
        assert_eq!(now.len(), 1);
        assert!(now[0].drives.iter().all(|drive| !drive.address.same_target(&now[0].unit.address)));

        runtime().block_on(async {
            let library = LibraryConfig::new(format!("sg:{}", kept.unit.node.display()));
            let manager = Manager::builder().library(library).open().await.expect("opened");
            manager.ready().await.expect("ready");
            let session = manager.session("guest").role(Role::Administrator).open().expect("a session");
            let tape = session.mount("VT0001L3").await.expect("mounted");
            let serial = tape.serial().expect("the drive is known").to_owned();
            let drive = now[0].drives.iter().find(|drive| drive.serial.as_deref() == Some(&*serial));
            assert_eq!(tape.os_device(), drive.and_then(|drive| drive.tape.as_deref()), "{serial}");
            assert!(tape.os_device().is_some());
            tape.dismount().await.expect("dismounted");
            manager.shutdown().await;
        });
    });
}

#[test]
fn the_largest_transfer_is_what_the_kernel_says() {
    /// The kernel's flag BLIST_MAX_512: transfers of at most 512 sectors.
    const MAX_512_SECTORS: u32 = 0x80_0000;
    let guest = Guest::new().with("GUEST_FLAGS", MAX_512_SECTORS);
    guest.run("discovery::the_largest_transfer_is_what_the_kernel_says", || {
        assert_eq!(transport().limits().max_transfer, 512 * 512);
        let capped: DeviceUrl = format!("{}?max_transfer=4096", url()).parse().expect("a device URL");
        assert_eq!(open(&capped).expect("opened").limits().max_transfer, 4096);
    });
}

#[test]
fn a_drive_is_followed_when_its_node_has_become_anothers() {
    Guest::new().run("discovery::a_drive_is_followed_when_its_node_has_become_anothers", || {
        runtime().block_on(async {
            let changer = transport();
            let drives = [1, 2].map(|lun| changer.sibling(lun).expect("a drive"));
            let nodes = drives.each_ref().map(|drive| drive.device().replace("sg:", ""));
            // Nothing is open yet: an open node keeps its number.
            nodes.iter().for_each(|node| delete(Path::new(node)));
            // The second is found first, and gets the node that was the first's.
            let host = transport().unit().expect("it is there").address.host;
            let scan = |lun: u32| {
                let line = format!("0 0 {lun}");
                std::fs::write(format!("/sys/class/scsi_host/host{host}/scan"), line).expect("scanned");
            };
            scan(2);
            let taken = Sysfs::default().unit(Path::new(&nodes[0])).expect("somebody has the node");
            assert_eq!(taken.serial.as_deref(), Some("DRV0000002"));
            let error = drives[0].execute(test_unit_ready()).await.expect_err("its drive is gone");
            assert!(matches!(error, TransportError::NotSent(_)), "{error}");
            assert!(error.to_string().contains("serial number DRV0000002 is there now"), "{error}");
            assert!(drives[0].os_device().is_none());
            assert_eq!(serial_of(&*drives[1]).await, "DRV0000002");

            scan(1);
            for (drive, serial) in drives.iter().zip(["DRV0000001", "DRV0000002"]) {
                assert_eq!(serial_of(&**drive).await, serial);
            }
            assert_eq!(
                transport().sibling(1).map(|drive| drive.device().replace("sg:", "")),
                Some(nodes[1].clone())
            );
        });
    });
}

fn test_unit_ready() -> Command {
    Command::new(TestUnitReady {}.cdb(), PATIENCE)
}

async fn serial_of(drive: &dyn Transport) -> String {
    let cdb = Inquiry { vpd: Some(0x80), allocation: 255 }.cdb();
    let answer = drive.execute(Command::reading(cdb, 255, PATIENCE)).await.expect("answered");
    UnitSerial::parse(&answer.data).expect("the page").serial().to_owned()
}
