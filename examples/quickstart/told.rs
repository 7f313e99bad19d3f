//! How the quickstart tells what it does: lines with times, and tables.

use std::time::Instant;

use autochanger::view::LibraryInfo;
use autochanger::{CancelError, Cancellation, EventKind, EventStream, HistoryFilter, Mounted, Session};

use super::{Result, Tale};

/// Full slots that the table shows: a screenful.
const TABLE_ROWS: usize = 40;

impl Tale {
    pub(crate) fn describe(&self, library: &LibraryInfo) {
        if let Some(identity) = &library.identity {
            self.say(format!(
                "{}: {} {}, firmware {}, serial number {}",
                library.name, identity.vendor, identity.product, identity.revision, identity.serial
            ));
        }
        let counts = library.counts;
        self.say(format!(
            "{} slots, {} import/export slots, {} drives, {} arms",
            counts.slots, counts.ports, counts.drives, counts.transports
        ));
    }

    pub(crate) fn title(&self, title: &str) {
        println!("\n{title}");
    }

    pub(crate) fn say(&self, words: impl std::fmt::Display) {
        println!("  {:>6.2}s  {words}", self.start.elapsed().as_secs_f64());
    }

    pub(crate) fn answer(&self, fact: &str, answer: &std::result::Result<Cancellation, CancelError>) {
        let (answer, code) = match answer {
            Ok(Cancellation::Cancelled) => ("Cancelled".to_owned(), 0),
            Ok(Cancellation::Stopping(_)) => ("Stopping, the verdict follows".to_owned(), 0),
            Err(error) => (error.to_string(), error.win32_code()),
        };
        self.say(format!("cancel, when {fact}:\n             -> {answer} (RSM code {code})"));
    }

    pub(crate) fn check(&mut self, holds: bool, statement: &str) {
        self.checked += 1;
        self.untrue += u32::from(!holds);
        self.say(format!("[{}] {statement}", if holds { "true" } else { "NOT TRUE" }));
    }
}

/// Says what the library does while the story waits for it.
pub(crate) async fn narrate(mut events: EventStream, start: Instant) {
    while let Some(event) = events.next().await {
        let words = match event.map(|event| event.kind) {
            Ok(EventKind::Cartridge { barcode, place, .. }) => {
                format!("{} {} now", label(barcode.as_deref()), place.told())
            }
            Ok(EventKind::MotionInDoubt { why, .. }) => format!("a motion's end is in doubt: {why}"),
            Ok(EventKind::Attention { library, what }) => format!("{library}: {what}"),
            _ => continue,
        };
        println!("  {:>6.2}s  · {words}", start.elapsed().as_secs_f64());
    }
}

pub(crate) fn way_to(tape: &Mounted) -> String {
    let serial = tape.serial().unwrap_or("unknown");
    let device = match (tape.os_device(), tape.transport()) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(transport)) => transport.device().to_owned(),
        (None, None) => "no way to it is known".to_owned(),
    };
    format!("serial number {serial}, {device}")
}

pub(crate) fn label(barcode: Option<&str>) -> &str {
    barcode.unwrap_or("(no label)")
}

pub(crate) async fn print_table(session: &Session) -> Result<()> {
    println!("\n  {:>8}  {:<20}  cartridge", "element", "type");
    for drive in session.drives(None).await? {
        let content = if drive.cartridge.is_some() { label(drive.barcode.as_deref()) } else { "-" };
        println!("  {:>8}  {:<20}  {content}", drive.element, "drive");
    }
    let slots = session.slots(None).await?;
    let (full, empty): (Vec<_>, Vec<_>) = slots.iter().partition(|slot| slot.full);
    for slot in full.iter().take(TABLE_ROWS) {
        println!(
            "  {:>8}  {:<20}  {}",
            slot.element.address,
            slot.element.kind,
            label(slot.barcode.as_deref())
        );
    }
    if full.len() > TABLE_ROWS {
        println!("  {:>8}  and {} more that are full", "", full.len() - TABLE_ROWS);
    }
    println!("  {:>8}  and {} that are empty", "", empty.len());
    Ok(())
}

pub(crate) async fn print_history(session: &Session) -> Result<()> {
    println!("\n  {:<24}  {:<9}  {:<12}  {:>6}  state", "asked at", "operation", "cartridge", "moves");
    for request in session.requests(HistoryFilter::default()).await?.iter().rev() {
        println!(
            "  {:<24}  {:<9}  {:<12}  {:>6}  {}",
            request.queued_at.to_string(),
            request.operation().to_string(),
            request.barcode.as_deref().unwrap_or("-"),
            request.motions,
            request.state
        );
    }
    println!();
    Ok(())
}
