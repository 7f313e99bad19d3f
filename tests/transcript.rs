//! The transcript of a manager, as a program gets it.
#![cfg(feature = "sim")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use autochanger::transcript::{Kind, Recording};
use autochanger::{Cancellation, ManagerBuilder, RequestError};
use common::{Bed, Hand, within};

/// A mount that is cancelled while its move is under way, and the dismount of what it left in the drive.
async fn story(recording: &Recording) {
    let sink = recording.sink();
    let bed = Bed::with(|builder| builder.transcript(sink)).await;
    recording.clear();
    let (ticket, gate) = bed.mount_in_flight("VT0001L8").await;
    let answer = bed.session.cancel_library_request(ticket.id()).await.expect("accepted");
    assert!(matches!(answer, Cancellation::Stopping(_)));
    gate.release();
    let error = within(ticket).await.expect_err("it was stopped");
    assert!(matches!(error, RequestError::Stopped { .. }), "{error}");
    within(bed.session.dismount("VT0001L8")).await.expect("dismounted");
    bed.end().await;
}

#[tokio::test]
async fn a_session_reads_from_the_question_to_the_end_and_without_its_times_the_same_each_time() {
    let (first, second) = (Recording::new(), Recording::new());
    story(&first).await;
    story(&second).await;
    assert_eq!(first.comparable(), second.comparable());
    assert_ne!(first.to_string(), second.to_string(), "the ids are others");
    let told = first.comparable();
    let mut rest = told.as_str();
    for line in [
        "asked     r1: mount VT0001L8 for backup, session 1\n",
        "decided   batch 3: r1 queued\n",
        "durable   batch 3\n",
        "replied   r1 is accepted: queued\n",
        "decided   batch 4: r1 in process with drive 500; r1 moves VT0001L8 from slot 1000 to drive 500, intent 1\n",
        "durable   batch 4\n",
        ": MOVE MEDIUM slot 1000 to drive 500\n",
        "asked     to cancel r1 for backup, session 1, administrator\n",
        "replied   r1 is stopping\n",
        " MOVE MEDIUM: GOOD\n",
        "told      r1 stopped by backup; the cartridge is in drive 500\n",
        "asked     r2: dismount VT0001L8 for backup, session 1, detached\n",
        "LOAD UNLOAD to unload\n",
        ": MOVE MEDIUM drive 500 to slot 1000\n",
        "told      r2 passed: dismounted to slot 1000\n",
        "asked     to stop\n",
    ] {
        let at = rest.find(line).unwrap_or_else(|| panic!("no {line:?} in the rest of\n{told}"));
        rest = &rest[at + line.len()..];
    }
}

#[tokio::test]
async fn the_line_of_an_answer_is_there_before_the_answer() {
    let recording = Recording::new();
    let sink = recording.sink();
    let bed = Bed::with(|builder| builder.transcript(sink)).await;
    for n in 1..=5 {
        let error = bed.session.mount(format!("XX000{n}L8")).submit().await.expect_err("no such cartridge");
        let last = recording.lines().pop().expect("lines");
        assert_eq!((last.kind, last.text.starts_with(&format!("r{n} is refused: "))), (Kind::Replied, true));
        assert!(last.text.ends_with(&error.to_string()), "{last}, but {error}");
    }
    bed.end().await;
}

#[tokio::test]
async fn a_sink_that_panics_is_not_called_again_and_the_manager_goes_on() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let bed = Bed::with(|builder| {
        builder.transcript(move |line| {
            counted.fetch_add(1, Ordering::SeqCst);
            // Unwinds without the panic's message, which would look like a failed test.
            if line.kind == Kind::Asked {
                std::panic::resume_unwind(Box::new("a broken sink"));
            }
        })
    })
    .await;
    let before = calls.load(Ordering::SeqCst);
    let tape = within(bed.session.mount("VT0001L8")).await.expect("mounted");
    within(tape.dismount()).await.expect("dismounted");
    assert_eq!(calls.load(Ordering::SeqCst), before + 1);
    bed.end().await;
}

#[cfg(feature = "iscsi")]
#[tokio::test]
async fn secrets_of_device_urls_are_in_no_line() {
    use autochanger::LibraryConfig;
    use common::{builder, library};

    // A port on which nobody listens: bound, and closed again.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|bound| bound.local_addr())
        .expect("a port")
        .port();
    let url = format!("iscsi://backup%hush-hush@127.0.0.1:{port}/iqn.2026-01.example:library/0");
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let recording = Recording::new();
    let mut record = recording.sink();
    let simulated = library();
    let manager = builder(&simulated)
        .library(LibraryConfig::new(url))
        .transcript(move |line| {
            record(line);
            if line.text.contains("not sent") {
                let _ = heard.send(());
            }
        })
        .open()
        .await
        .expect("the manager opens");
    within(hears.recv()).await.expect("the unreachable library is told");
    within(manager.shutdown()).await;
    let told = recording.to_string();
    assert!(told.contains("iqn.2026-01.example:library"), "{told}");
    assert!(!told.contains("hush"), "{told}");
}

#[tokio::test]
async fn a_manager_that_takes_up_a_store_says_what_it_found_there() {
    let hand = Hand::default();
    let recording = Recording::new();
    let open = |builder: ManagerBuilder| builder.store_with(hand.store()).transcript(recording.sink());
    let bed = Bed::with(open).await;
    within(bed.session.mount("VT0001L8")).await.expect("mounted");
    let Bed { library, manager, .. } = bed;
    within(manager.shutdown()).await;
    Bed::on(library, open).await.end().await;
    let started = recording.lines().into_iter().filter(|line| line.kind == Kind::Started);
    let started: Vec<String> = started.map(|line| line.text).collect();
    assert_eq!(
        started,
        ["with the library; nothing in the store", "with the library; in the store 20 cartridges, 1 mount"]
    );
}
