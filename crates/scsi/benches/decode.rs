//! How fast an inventory is read: `cargo bench -p autochanger-scsi --bench decode`.
//!
//! A report of 65,535 elements with volume tags, the most that there can be, is decoded again and again for a few
//! seconds; elements per second, gigabytes per second, and how much memory that took are printed. Beside it stands
//! what a program would do that copies each element into a list of its own. Run by `cargo test --benches`, or with `--test`, it does everything
//! once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use autochanger_scsi::{
    Element, ElementAddress, ElementPageOptions, ElementRecord, ElementStatus, ElementStatusWriter,
    ElementType, MediumType,
};

/// As many elements as there are addresses, less one: a count has 16 bits.
const ELEMENTS: u16 = u16::MAX;

/// How long each measurement lasts; long enough for a second digit.
const DURATION: Duration = Duration::from_secs(2);

fn report() -> Vec<u8> {
    let options = ElementPageOptions { volume_tags: true, ..ElementPageOptions::new(ElementType::Storage) };
    let mut buffer = vec![0; 16 + usize::from(ELEMENTS) * usize::from(options.length())];
    let mut writer = ElementStatusWriter::new(&mut buffer);
    writer.page(options);
    for address in 0..ELEMENTS {
        let label = format!("VT{address:05}L9");
        // Every eighth slot is empty.
        let full = address % 8 != 7;
        writer.element(&ElementRecord {
            full,
            access: true,
            medium_type: if full { MediumType::Data } else { MediumType::Unspecified },
            source: (address % 3 == 0).then_some(ElementAddress(address)),
            tag: full.then_some(label.as_bytes()),
            ..ElementRecord::new(ElementAddress(address))
        });
    }
    let length = writer.finish();
    assert_eq!(length, buffer.len());
    buffer
}

/// Reads all there is of each element; a sum, so that nothing is left out.
fn decode(data: &[u8]) -> (usize, usize) {
    let report = ElementStatus::parse(data).expect("a header");
    report.elements().fold((0, 0), |(count, sum), element| (count + 1, sum + everything(&element)))
}

fn everything(element: &Element<'_>) -> usize {
    usize::from(element.address().0)
        + usize::from(element.full())
        + usize::from(element.access())
        + usize::from(element.exception().is_some())
        + element.source().map_or(0, |source| usize::from(source.0))
        + element.volume_tag().map_or(0, |tag| tag.identifier().len())
}

/// The same into a list with an owned label for each element.
fn collect(data: &[u8]) -> (usize, usize) {
    let report = ElementStatus::parse(data).expect("a header");
    let list: Vec<(u16, bool, Option<u16>, Option<String>)> = report
        .elements()
        .map(|element| {
            let label = element.volume_tag().map(|tag| tag.identifier().to_owned());
            (element.address().0, element.full(), element.source().map(|source| source.0), label)
        })
        .collect();
    (list.len(), list.iter().filter_map(|(.., label)| label.as_ref()).map(String::len).sum())
}

/// The most memory that the process has had so far, in KiB; `None` where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn measure(name: &str, data: &[u8], once: bool, work: fn(&[u8]) -> (usize, usize)) {
    let before = peak_memory();
    let (count, _) = work(data);
    assert_eq!(count, usize::from(ELEMENTS), "{name}: every element is found");
    let grown = peak_memory().zip(before).map(|(after, before)| after - before);
    let start = Instant::now();
    let mut rounds = 0u32;
    while rounds == 0 || (!once && start.elapsed() < DURATION) {
        black_box(work(black_box(data)));
        rounds += 1;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(rounds);
    let elements = count as f64 / seconds;
    let gigabytes = data.len() as f64 / seconds / 1e9;
    let memory = grown.map_or_else(|| "unknown".to_owned(), |kib| format!("{kib} KiB"));
    println!(
        "{name:32} {:8.1} million elements/s {gigabytes:7.2} GB/s {:8.2} ms per report, {memory} of memory",
        elements / 1e6,
        seconds * 1e3,
    );
}

fn main() {
    let given = |name: &str| std::env::args().any(|argument| argument == name);
    // `cargo bench` passes --bench, `cargo test --benches` nothing.
    let once = !given("--bench") || given("--test");
    let data = report();
    println!("{ELEMENTS} elements with volume tags, {} bytes", data.len());
    measure("decoded in place", &data, once, decode);
    measure("copied into a list", &data, once, collect);
}
