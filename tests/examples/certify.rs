//! `certify` on simulated libraries and on tgt: what it tells, what it sends, and that every cartridge is where it was.

use autochanger::transport::sim::{self, Quirk, SimulatedLibrary};
use autochanger::virtual_library::VirtualLibrary;

use crate::beds::proxy::{Cut, Proxy};
use crate::beds::{TgtBed, TgtOptions};
use crate::reads::only_reads;
use crate::temp::TempDir;
use crate::{Run, directory, run, run_alone, truth};

const MOVE_MEDIUM: u8 = 0xA5;

/// The lines of the block that speak of quirks.
fn quirks(run: &Run) -> Vec<&str> {
    run.block().lines().filter(|line| line.starts_with("quirk")).collect()
}

#[test]
fn without_arguments_certify_reads_a_simulated_library_and_moves_nothing() {
    let run = run_alone("certify", &[]);
    run.ended(0);
    assert_eq!(run.err, "");
    run.says("read-only");
    for words in [
        "INQUIRY: ",
        "VPD 83h: type",
        "geometry: 1 transport from 1, 24 storage from 1000",
        "storage: 24 elements, 20 full, 20 with a label",
        "drive: 2 elements, 0 full",
        "log page 00h",
        "TEST UNIT READY: p50",
        "status of slots: p50",
        "1 TEST UNIT READY together: 1 GOOD",
    ] {
        assert!(run.block().contains(words), "{words:?} is missing in:\n{}", run.block());
    }
    assert!(!run.out.contains("MOVE MEDIUM, slot"), "{}", run.out);
    assert_eq!(quirks(&run), ["quirks: none seen"]);
    assert!(!run.block().contains("SIM-"), "no serial number is pasted: {}", run.block());
}

#[test]
fn with_move_certify_moves_and_exchanges_and_puts_back() {
    let locks = TempDir::new();
    let run =
        run_alone("certify", &["sim:", "--move", "--runs", "2", "--lock-directory", &directory(&locks)]);
    run.ended(0);
    for words in [
        "MOVE MEDIUM, slot to slot, there: ",
        "MOVE MEDIUM, slot to slot, back: ",
        "EXCHANGE MEDIUM, three slots: ",
        "and it moved as it should",
        "every cartridge is where it was",
    ] {
        assert!(run.block().contains(words), "{words:?} is missing in:\n{}", run.block());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_move_certify_sends_nothing_that_changes_a_library_whose_drives_are_in_use_and_want_to_be_cleaned()
 {
    let description =
        sim::Library::new().slots(8).drives(2).cartridges("VT{:04}L8", 1..=4).serial("READONLY");
    let library = SimulatedLibrary::start(
        description.cartridge_at(500, "IN0001L8").cleaning_cartridge("CLN001L1").quirk(Quirk::WrongHeader),
    );
    let served = VirtualLibrary::builder(library.clone()).listen(([127, 0, 0, 1], 0)).start().await;
    let served = served.expect("a port is free");
    let locks = TempDir::new();
    let url = served.url().to_string();
    let run = run("certify", &[&url, "--runs", "2", "--lock-directory", &directory(&locks)]).await;
    run.ended(0);
    let log = library.log();
    assert!(log.len() > 50 && log[0].number == 0, "the whole log is here: {}", log.len());
    only_reads(log.iter().map(|entry| entry.cdb()));
    // What a manager finds stands in the one section, beside what is seen without one.
    let section = quirks(&run);
    assert!(!section.is_empty() && section.iter().all(|line| line.starts_with("quirk: ")), "{section:?}");
    assert_eq!(run.out.matches("== Quirks").count(), 1, "{}", run.out);
    served.shutdown().await;
}

#[tokio::test]
async fn without_move_certify_sends_tgt_nothing_that_changes_it() {
    let bed = TgtBed::start(TgtOptions::default());
    let proxy = Proxy::start(bed.port()).await;
    run("certify", &[&bed.url_through(proxy.port()), "--runs", "2"]).await.ended(0);
    let sent = proxy.commands();
    assert!(sent.len() > 50, "{sent:02X?}");
    only_reads(sent.iter().map(std::slice::from_ref));
}

#[test]
fn on_tgt_certify_leaves_every_cartridge_where_it_was() {
    let bed = TgtBed::start(TgtOptions::default());
    let before = truth::contents(&bed.url());
    for arguments in [&["--runs", "5"][..], &["--runs", "5", "--move"]] {
        let url = bed.url();
        let run = run_alone("certify", &[&[&*url], arguments].concat());
        run.ended(0);
        assert_eq!(truth::contents(&bed.url()), before, "{}", run.out);
        let moved = run.block().contains("MOVE MEDIUM, slot to slot, back: ");
        assert_eq!(moved, arguments.contains(&"--move"), "{}", run.out);
        assert!(run.block().contains("STK L700") && run.block().contains("storage: 20 elements, 8 full"));
        assert!(!run.block().contains("127.0.0.1") && !run.block().contains("VT000"), "{}", run.block());
    }
}

#[tokio::test]
async fn a_connection_lost_over_a_move_ends_certify_with_every_cartridge_back_and_no_host_in_the_block() {
    for cut in [Cut::BeforeCommand(MOVE_MEDIUM), Cut::BeforeAnswer(MOVE_MEDIUM)] {
        let bed = TgtBed::start(TgtOptions::default());
        let contents = || {
            let url = bed.url();
            tokio::task::spawn_blocking(move || truth::contents(&url))
        };
        let before = contents().await.expect("it can be read");
        let proxy = Proxy::start(bed.port()).await;
        proxy.cut(cut);
        let run = run("certify", &[&bed.url_through(proxy.port()), "--move", "--runs", "2"]).await;
        run.is_refused(&["It could not be done"]);
        assert!(run.block().contains("it ended with: ConnectionLost"), "{cut:?}: {}", run.out);
        assert!(run.block().contains("every cartridge is where it was"), "{cut:?}: {}", run.out);
        assert!(!run.block().contains("127.0.0.1"), "{}", run.block());
        assert_eq!(contents().await.expect("it can be read"), before, "{cut:?}");
        // The move that was cut is not sent again; whatever moved is brought back by one of its own.
        assert!(proxy.count(MOVE_MEDIUM) <= 2, "{cut:?}: {:?}", proxy.commands());
    }
}

#[test]
fn certify_tells_what_is_no_changer_and_which_unit_is() {
    let bed = TgtBed::start(TgtOptions::default());
    let changer = bed.url();
    run_alone("certify", &[&bed.drive_url(0)]).is_refused(&["tape", "not a medium changer", &changer]);
    let empty = run_alone("certify", &["--move", "sim:cartridges=0,serial=EMPTY"]);
    empty.is_refused(&["--move needs a labelled cartridge"]);
    assert!(empty.block().contains("it ended with: --move needs"), "what was found is told: {}", empty.out);
    run_alone("certify", &["tape0"]).is_refused(&["tape0", "sim:"]);
    run_alone("certify", &["--runs", "0"]).is_refused(&["--runs needs a number"]);
    run_alone("certify", &["--shuffle"]).is_refused(&["--shuffle"]);
}
