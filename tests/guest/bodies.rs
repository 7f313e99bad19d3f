//! The conformance bodies and the main job, on a real kernel's `/dev/sgN`.

use autochanger::transport::sim;
use autochanger::{LibraryConfig, Manager, Role};
use autochanger_scsi::ReadElementStatus;

use super::bed::{Guest, example, test_program};
use super::foreign::Bed;

/// The kernel's flag BLIST_MAX_512: transfers of at most 512 sectors.
const MAX_512_SECTORS: u32 = 0x80_0000;

/// What tgt lacks, as the table of the conformance bodies has it. The virtual library lacks nothing.
const TGT_LACKS: &[(&str, &str)] = &[
    ("a_locked_door_does_not_hinder_the_arm", "Prevent"),
    ("a_port_is_put_out_and_taken_in_again", "Ports"),
    ("a_reservation_is_made_seen_and_given_back", "Reserve"),
    ("a_wrong_key_reserves_nothing", "Reserve"),
    ("an_exchange_moves_two_cartridges", "Exchange"),
    ("every_log_page_that_is_listed_can_be_read", "LogPages"),
    ("the_arm_is_positioned_and_moves_nothing", "Position"),
];

/// Every body runs, but for those that need what the library lacks.
fn conformance(guest: &Guest, options: &str, lacks: &[(&str, &str)]) {
    let program = test_program("conformance");
    let list = std::process::Command::new(&program).arg("--list").output().expect("it runs");
    let all = String::from_utf8_lossy(&list.stdout).lines().filter(|line| line.ends_with(": test")).count();
    assert!(all > 20, "{all} bodies");

    let line = format!("AUTOCHANGER_SLOW=1 AUTOCHANGER_DEVICE=sg:$CHANGER{options} exec \"$1\" --nocapture");
    let out = guest.shell(&line, &[&program]);
    assert!(out.contains(&format!("{all} passed; 0 failed")), "{out}");
    let mut lacking: Vec<(&str, &str)> = out
        .lines()
        .filter_map(|line| {
            // Without capture a body's words come after libtest's own on the same line.
            let (before, need) = line.split_once(" lacks ")?;
            let (name, _) = before.split_once(": not run, ")?;
            Some((name.rsplit(' ').next()?, need))
        })
        .collect();
    lacking.sort_unstable();
    assert_eq!(lacking, lacks, "{out}");
}

#[test]
fn the_conformance_bodies_pass_on_a_changer_of_20_slots() {
    conformance(&Guest::new(), "", TGT_LACKS);
}

#[test]
fn the_conformance_bodies_pass_on_a_changer_of_1000_slots_and_4_drives() {
    conformance(&Guest::new().library(1000, 4, 12), "", TGT_LACKS);
}

#[test]
fn the_conformance_bodies_pass_where_little_is_transferred_at_once() {
    let guest = Guest::new().library(1000, 4, 12).with("GUEST_FLAGS", MAX_512_SECTORS);
    conformance(&guest, "?max_transfer=8192", TGT_LACKS);
}

#[test]
fn the_conformance_bodies_pass_on_our_virtual_library_behind_the_kernels_initiator() {
    conformance(&Guest::new().virtual_library(), "", &[]);
}

/// A thousand slots and four drives, whose arm needs a second for ten minutes' way.
const LARGE: &str = "slots=1000,ports=4,cartridges=12,profile=midrange,scale=600";

#[test]
fn the_conformance_bodies_pass_on_our_virtual_library_of_1000_slots_and_4_drives() {
    conformance(&Guest::new().virtual_library_of(4, LARGE), "", &[]);
}

#[test]
fn the_conformance_bodies_pass_on_our_virtual_library_where_little_is_transferred_at_once() {
    conformance(&Guest::new().virtual_library_of(4, LARGE), "?max_transfer=8192", &[]);
}

#[test]
fn an_inventory_of_1000_slots_is_read_in_pieces_where_little_is_transferred_at_once() {
    const MOST: u32 = 4096;
    let name = "bodies::an_inventory_of_1000_slots_is_read_in_pieces_where_little_is_transferred_at_once";
    Guest::new().nothing().run(name, || {
        let library = sim::Library::new().slots(1000).drives(4).cartridges("VT{:04}L8", 1..=900);
        let bed = Bed::start_with(library, 4);
        let before = bed.library.log().len();
        let slots = bed.runtime.block_on(async {
            let url = format!("sg:{}?max_transfer={MOST}", bed.changer);
            let manager = Manager::builder().library(LibraryConfig::new(url)).open().await.expect("it opens");
            manager.ready().await.expect("the inventory is read");
            let session = manager.session("test").role(Role::Administrator).open().expect("a session");
            let slots = session.slots(None).await.expect("a list");
            manager.shutdown().await;
            slots
        });
        let full = slots.iter().filter(|slot| slot.barcode.is_some()).count();
        // Four mail slots and the arm are listed, too.
        assert_eq!((slots.len(), full), (1000 + 4 + 1, 900));
        let asked: Vec<u32> = bed.library.log()[before..]
            .iter()
            .filter_map(|entry| ReadElementStatus::decode(entry.cdb()).ok())
            .filter(|command| command.volume_tags)
            .map(|command| command.allocation)
            .collect();
        // A slot with its label has 52 bytes.
        assert!(asked.len() >= 1000 * 52 / MOST as usize, "{} reports", asked.len());
        assert!(asked.iter().all(|allocation| *allocation <= MOST), "{asked:?}");
    });
}

/// The main job: mounts, cancels and dismounts through a session, and every cartridge is back afterwards.
fn quickstart(guest: &Guest, options: &str, slots: u16, mounted: [&str; 2]) {
    let line = format!("exec \"$1\" sg:$CHANGER{options}");
    let out = guest.shell(&line, &[&example("quickstart")]);
    assert!(!out.contains("NOT TRUE") && out.contains("statements were true"), "{out}");
    assert!(out.contains(&format!("{slots} slots, 4 import/export slots,")), "{out}");
    // Drives are found without being told, with the node that a backup program writes to.
    for (n, start) in mounted.iter().enumerate() {
        let line = out.lines().find_map(|line| line.split_once(start)).map(|(_, rest)| rest);
        let line = line.unwrap_or_else(|| panic!("{start:?} is missing in:\n{out}"));
        assert!(line.contains(&format!("/dev/nst{n}")), "{start}{line}");
    }
}

const ON_TGT: [&str; 2] = [
    "VT0001L3 is ready in drive 500, serial number DRV0000001, ",
    "VT0002L3 is ready in drive 501, serial number DRV0000002, ",
];

#[test]
fn a_session_does_the_main_job_and_finds_the_drives_by_itself() {
    quickstart(&Guest::new(), "", 20, ON_TGT);
}

#[test]
fn a_session_does_the_main_job_on_1000_slots_and_4_drives_in_small_transfers() {
    quickstart(&Guest::new().library(1000, 4, 12), "?max_transfer=8192", 1000, ON_TGT);
}

#[test]
fn a_session_does_the_main_job_on_our_virtual_library_behind_the_kernels_initiator() {
    let mounted =
        ["VT0001L8 is ready in drive 500, serial number ", "VT0002L8 is ready in drive 501, serial number "];
    quickstart(&Guest::new().virtual_library(), "", 24, mounted);
}
