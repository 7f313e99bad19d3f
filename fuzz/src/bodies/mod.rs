//! What the fuzzers run: one plain function for each thing that bytes from outside get into, and what must hold of it.
//!
//! The same functions stand behind libFuzzer (`fuzz_targets/`) and behind proptest (`tests/fuzz_bodies.rs` of the root
//! package, on any toolchain). A body asserts what it counts; [`Target::check`] asserts how much memory it took.

pub mod engine;
pub mod iscsi;
pub mod library;
mod meter;
mod script;
pub mod scsi;
pub mod store;

pub use script::Script;

/// One body with its bounds.
pub struct Target {
    /// Its name: of the fuzz target, and of its folder in `corpus/`.
    pub name: &'static str,
    /// Takes any bytes. It panics when something does not hold, and never otherwise.
    pub run: fn(&[u8]),
    /// How many bytes of memory it may hold at once for each byte of input.
    pub heap_per_byte: usize,
    /// How many more it may hold, whatever the input.
    pub heap_fixed: usize,
}

/// The longest input: an element report of two thousand elements, or some hundred PDUs. What is longer takes the same
/// ways again, only slower.
pub const MAX_INPUT: usize = 64 * 1024;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The codec allocates nothing; what is counted are the texts that a body makes of what it found (`Debug` of one element
/// at a time) and the copies that it alters.
const fn codec(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, heap_per_byte: 4, heap_fixed: 64 * KIB }
}

/// A session holds what it was sent and has not handed on, which `BytesMut` may have doubled while it grew, and each
/// copy of it that goes on. Whatever it is sent, that is room for one announced data segment (256 KiB), and for the data
/// that the body itself makes of a byte: 32 commands of up to 64 KiB, once as handed in and once as PDUs, and a window
/// of PDUs of up to 32 KiB that came before their turn.
const fn session(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, heap_per_byte: 64, heap_fixed: 8 * MIB }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    codec("element_status", scsi::element_status),
    codec("sense", scsi::sense),
    codec("inquiry", scsi::inquiry),
    codec("mode_pages", scsi::mode_pages),
    codec("log_pages", scsi::log_pages),
    codec("attributes", scsi::attributes),
    codec("reservations", scsi::reservations),
    codec("luns_and_codes", scsi::luns_and_codes),
    codec("tape", scsi::tape),
    codec("volume_tags", scsi::volume_tags),
    codec("commands", scsi::commands),
    session("pdu_reader", iscsi::text::pdu_reader),
    // A pair is two strings (48 bytes) from three bytes of text at least, and is held twice: as read, and as read again.
    Target { name: "text", run: iscsi::text::text, heap_per_byte: 128, heap_fixed: 64 * KIB },
    session("initiator_login", iscsi::initiator::login),
    session("initiator_session", iscsi::initiator::session),
    session("discovery", iscsi::initiator::discovery),
    session("target_login", iscsi::target::login),
    session("target_session", iscsi::target::session),
    // A library of twenty elements, its log of commands, and the parameter list of each command that waits.
    Target { name: "library", run: library::library, heap_per_byte: 64, heap_fixed: 4 * MIB },
    // Two reports of all elements (64 KiB each) while they are compared, and what the catalogue keeps of what it was told:
    // a cartridge with its label takes some 300 bytes, and comes from a descriptor of 16 bytes at least.
    Target { name: "engine", run: engine::engine, heap_per_byte: 256, heap_fixed: 8 * MIB },
    // The database's own cache and pages (its file takes 1.5 MiB when it is empty), beside records of 64 KiB at most.
    Target { name: "store", run: store::store, heap_per_byte: 64, heap_fixed: 48 * MIB },
];

/// The target of this name.
///
/// # Panics
/// When there is none.
pub fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name}"))
}

impl Target {
    /// Runs the body on the input, and asserts that it took no more memory than it may. One call at a time in a process:
    /// the memory of all threads is counted.
    pub fn check(&self, input: &[u8]) {
        let input = input.get(..MAX_INPUT).unwrap_or(input);
        let allowed = self.heap_per_byte * input.len() + self.heap_fixed;
        let used = meter::most_used_by(|| (self.run)(input));
        assert!(used <= allowed, "{}: {used} bytes of memory for {} of input", self.name, input.len());
    }
}
