//! The same test bodies on every library: the simulator, tgt's changer over iSCSI, the simulator behind our own iSCSI
//! target, and any device that
//! `AUTOCHANGER_DEVICE=URL cargo test --test conformance` names instead. There, what the device lacks is skipped by
//! name, and every cartridge is put back where it was.
//!
//! `conformance/table.rs` says which body runs on which bed. `AUTOCHANGER_SLOW=1` adds, on a named device, the bodies
//! that scan every label and can take an hour.
#![cfg(any(feature = "sim", feature = "iscsi"))]

#[path = "conformance/ask.rs"]
mod ask;
#[cfg(feature = "iscsi")]
mod beds;
#[path = "conformance/elements.rs"]
mod elements;
#[path = "conformance/identity.rs"]
mod identity;
#[path = "conformance/library.rs"]
mod library;
#[path = "conformance/motion.rs"]
mod motion;
#[path = "conformance/need.rs"]
mod need;
#[path = "conformance/services.rs"]
mod services;
// The table is a table: its columns stay in line.
#[rustfmt::skip]
#[path = "conformance/table.rs"]
mod table;
#[path = "conformance/whole.rs"]
mod whole;

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;

use library::Library;
use need::Need;
use table::{TABLE, Verdict};
use tokio::sync::Mutex;

type Body = fn(Arc<Library>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes a test of each body, and the list of them all.
macro_rules! bodies {
    ($($module:ident::$name:ident needs [$($need:ident),*];)*) => {
        const BODIES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let body: Body = |library| Box::pin(async move { $module::$name(&library).await });
                run(stringify!($name), &[$(Need::$need),*], body).await;
            }
        )*
    };
}

bodies! {
    identity::the_standard_inquiry_says_what_it_is needs [];
    identity::the_vital_pages_are_listed_and_can_be_read needs [VitalData];
    identity::a_short_allocation_gives_the_beginning needs [];
    identity::unit_attentions_are_told_and_then_over needs [];
    identity::request_sense_tells_that_nothing_is_wrong needs [];
    identity::the_units_are_listed_and_each_answers needs [];
    identity::an_unknown_command_is_refused needs [];
    identity::an_unknown_vital_page_is_refused needs [];
    elements::both_mode_senses_give_the_same_geometry needs [Geometry];
    elements::the_geometry_agrees_with_the_elements needs [Geometry];
    elements::storage_can_hold_cartridges_and_they_can_be_brought_to_drives needs [Capabilities];
    elements::each_element_type_is_reported_by_itself needs [];
    elements::reading_in_chunks_equals_reading_at_once needs [];
    elements::a_report_from_the_middle_begins_there needs [];
    elements::tags_come_when_they_are_asked_for_and_only_then needs [Cartridge];
    elements::what_is_known_is_told_without_motion needs [];
    elements::drives_are_named_by_their_serial_numbers needs [DriveIdentifiers, DriveUnits];
    motion::a_cartridge_goes_to_another_slot_and_back needs [Cartridge];
    motion::a_cartridge_goes_to_a_drive_and_back needs [Cartridge, Drive];
    motion::a_cartridge_goes_to_a_mail_slot_and_back needs [Cartridge, MailSlot];
    motion::a_drive_becomes_ready_with_a_cartridge_and_not_ready_without needs [Cartridge, DriveUnits];
    motion::an_empty_source_is_refused_and_nothing_moves needs [Cartridge, Drive];
    motion::a_full_destination_is_refused_and_nothing_moves needs [TwoCartridges];
    motion::an_unknown_element_is_refused_and_nothing_moves needs [Cartridge];
    motion::an_exchange_moves_two_cartridges needs [TwoCartridges, Exchange];
    motion::the_arm_is_positioned_and_moves_nothing needs [Cartridge, Position];
    motion::a_locked_door_does_not_hinder_the_arm needs [Cartridge, Prevent];
    whole::a_scan_finds_what_was_there needs [Initialize];
    whole::a_scan_of_a_range_finds_what_was_there needs [Cartridge, InitializeRange];
    whole::many_commands_in_flight_are_each_answered needs [];
    whole::units_of_one_target_are_asked_at_the_same_time needs [DriveUnits];
    services::every_log_page_that_is_listed_can_be_read needs [LogPages];
    services::a_reservation_is_made_seen_and_given_back needs [Reserve];
    services::a_wrong_key_reserves_nothing needs [Reserve];
    services::every_command_that_is_listed_is_supported_by_itself needs [OperationCodes];
    services::a_port_is_put_out_and_taken_in_again needs [Cartridge, MailSlot, Ports];
}

#[test]
fn the_table_names_every_body_and_no_other() {
    let rows: Vec<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
    assert_eq!(rows, BODIES);
}

/// The device that a person named.
fn named_device() -> Option<String> {
    std::env::var("AUTOCHANGER_DEVICE").ok().filter(|url| !url.is_empty())
}

/// A named device is one: bodies take turns on it.
static TURN: Mutex<()> = Mutex::const_new(());

async fn run(name: &str, needs: &[Need], body: Body) {
    if let Some(url) = named_device() {
        let _turn = TURN.lock().await;
        let library = Library::open(&url, ()).await;
        match needs.iter().find(|need| !library.has(**need)) {
            Some(need) => println!("{name}: not run, {} lacks {need:?}", library.changer.device()),
            None => run_on(library, body).await,
        }
        return;
    }
    let (_, simulator, tgt, served) =
        TABLE.iter().find(|(row, ..)| *row == name).expect("a row of the table");
    #[cfg(feature = "sim")]
    hold_to_table("simulator", name, needs, *simulator, beds_of_tests::simulator().await, body).await;
    #[cfg(feature = "iscsi")]
    hold_to_table("tgt", name, needs, *tgt, beds_of_tests::tgt().await, body).await;
    #[cfg(all(feature = "sim", feature = "iscsi"))]
    hold_to_table("virtual library", name, needs, *served, beds_of_tests::virtual_library().await, body)
        .await;
    let _ = (simulator, tgt, served);
}

async fn hold_to_table(
    bed: &str,
    name: &str,
    needs: &[Need],
    verdict: Verdict,
    library: Library,
    body: Body,
) {
    let missing = needs.iter().find(|need| !library.has(**need));
    let found = missing.map_or(Verdict::Runs, |need| Verdict::Lacks(*need));
    assert_eq!(found, verdict, "{name} on {bed}: the bed (left) and the table (right) disagree");
    println!("{name} on {bed}: {verdict:?}");
    if verdict == Verdict::Runs {
        run_on(library, body).await;
    }
}

/// Runs a body and puts everything back, whether or not it passed.
async fn run_on(library: Library, body: Body) {
    let library = Arc::new(library);
    let result = tokio::spawn(body(library.clone())).await;
    library.restore().await;
    if let Err(error) = result {
        resume_unwind(error.into_panic());
    }
}

mod beds_of_tests {
    use super::Library;

    #[cfg(feature = "sim")]
    pub(crate) async fn simulator() -> Library {
        Library::open("sim:slots=20,drives=2,ports=4,cartridges=8,profile=none", ()).await
    }

    #[cfg(feature = "iscsi")]
    pub(crate) async fn tgt() -> Library {
        let bed = crate::beds::TgtBed::start(crate::beds::TgtOptions::default());
        let url = bed.url();
        Library::open(&url, bed).await
    }

    #[cfg(all(feature = "sim", feature = "iscsi"))]
    pub(crate) async fn virtual_library() -> Library {
        use autochanger::transport::sim::{Library as Description, SimulatedLibrary};
        use autochanger::virtual_library::VirtualLibrary;

        let description = Description::new().slots(20).drives(2).ports(4).cartridges("VT{:04}L8", 1..=8);
        let library = SimulatedLibrary::start(description);
        let served = VirtualLibrary::builder(library).listen(([127, 0, 0, 1], 0)).start().await;
        let served = served.unwrap_or_else(|error| panic!("{error}"));
        let url = served.url().to_string();
        Library::open(&url, served).await
    }
}
