//! Initiators that send whatever commands they like to the simulated library.

use std::collections::BTreeSet;
use std::time::Duration;

use autochanger_sim::{
    Device, ElementAddress, Fault, Library, Nexus, Outcome, Quirk, SenseKey, Timing, Unit,
};

use super::Script;

/// Operation codes that mean something to the changer or to its drives; the script picks from them, or brings its own.
pub const OPCODES: [u8; 32] = [
    0x00, 0x01, 0x03, 0x07, 0x08, 0x0A, 0x10, 0x12, 0x1A, 0x1B, 0x1E, 0x2B, 0x34, 0x37, 0x44, 0x4D, 0x5A,
    0x5E, 0x5F, 0x8C, 0x8D, 0xA0, 0xA3, 0xA5, 0xA6, 0xB5, 0xB6, 0xB8, 0xE7, 0x55, 0x15, 0x11,
];

/// Addresses of the library below, some of nothing; so that one byte is an address that means something.
const ADDRESSES: [u16; 20] =
    [1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 500, 501, 10, 11, 1, 2, 0, 1008, 502, 12, 0xFFFF, 999];

/// How many cartridges the library has.
const CARTRIDGES: usize = 7;

/// How often something may happen in the library on its own account, for each command: a motion has a few steps, a drive
/// a few states, and each answer is one.
const EVENTS_PER_COMMAND: usize = 32;

fn build(flavour: u8) -> Device {
    let library = Library::new()
        .serial("F")
        .slots(8)
        .ports(2)
        .arms(1 + u16::from(flavour & 1))
        .cartridges("C{:02}", 1..=CARTRIDGES as u32)
        .timing(if flavour & 2 == 0 { Timing::none() } else { Timing::midrange() });
    let quirk = match flavour >> 2 & 7 {
        1 => Quirk::ShortBy8,
        2 => Quirk::MaxElementsPerReport(0),
        3 => Quirk::SerializeAll,
        4 => Quirk::HostUnloadFirst,
        5 => Quirk::NoDvcid,
        6 => Quirk::TransportCountZero,
        7 => Quirk::RejectCurdata,
        _ => return library.build(),
    };
    library.quirk(quirk).build()
}

/// Any command with any data-out to every logical unit, among faults and hands: afterwards each cartridge is in exactly
/// one place, and every command has ended once, but those that a fault kept silent about.
pub fn library(input: &[u8]) {
    let mut script = Script::new(input);
    let mut device = build(script.byte());
    let (mut now, mut sent, mut silences) = (Duration::ZERO, 0, 0);
    let mut waiting = BTreeSet::new();
    let mut rooms = std::collections::BTreeMap::new();
    while !script.is_over() {
        now += Duration::from_millis(u64::from(script.byte()).pow(2));
        match script.byte() {
            0 => {
                let (fault, silent) = fault(&mut script);
                device.inject(fault);
                silences += usize::from(silent);
            }
            1 => _ = device.operator_swap(address(&mut script), address(&mut script)),
            2 => device.repair(address(&mut script)),
            3 => device.reset(now, u16::from(script.byte() % 4)),
            4 => device.forget(Nexus(u32::from(script.byte() % 3))),
            5 => device.abort(now, unit(&mut script)),
            _ => {
                let unit = unit(&mut script);
                let (cdb, room) = (cdb(&mut script), u32::from(script.short()));
                let key = device.submit(now, unit, &cdb, script.counted(), room);
                assert!(waiting.insert(key), "a key is used again");
                rooms.insert(key, room);
                sent += 1;
            }
        }
        take(&mut device, now, &mut waiting, &rooms);
        assert_whole(&device);
    }
    let mut events = 0;
    while let Some(next) = device.next_event() {
        take(&mut device, next, &mut waiting, &rooms);
        events += 1;
        assert!(
            events <= EVENTS_PER_COMMAND * (sent + 1),
            "{sent} commands, and the library comes to no rest"
        );
    }
    assert_whole(&device);
    // A fault that keeps silent does so to one command, of which nothing is ever heard.
    assert!(waiting.len() <= silences, "{silences} silences, commands without an end: {waiting:?}");
    assert!(device.moves_done() <= device.moves_sent());
}

fn take(
    device: &mut Device,
    now: Duration,
    waiting: &mut BTreeSet<autochanger_sim::Key>,
    rooms: &std::collections::BTreeMap<autochanger_sim::Key, u32>,
) {
    for (key, outcome) in device.advance(now) {
        assert!(waiting.remove(&key), "{key:?} ended twice");
        if let Outcome::Answered(answer) = outcome {
            assert!(answer.data.len() <= rooms[&key] as usize, "more data than there was room for");
            assert!(answer.sense.len() <= 252);
        }
    }
}

fn assert_whole(device: &Device) {
    let barcodes: Vec<_> = device.contents().into_iter().filter_map(|(_, _, barcode)| barcode).collect();
    let distinct: BTreeSet<_> = barcodes.iter().collect();
    assert_eq!((barcodes.len(), distinct.len()), (CARTRIDGES, CARTRIDGES), "{barcodes:?}");
}

fn address(script: &mut Script<'_>) -> ElementAddress {
    let byte = script.byte();
    ElementAddress(ADDRESSES.get(usize::from(byte)).copied().unwrap_or(u16::from(byte)))
}

fn unit(script: &mut Script<'_>) -> Unit {
    let byte = script.byte();
    Unit { nexus: Nexus(u32::from(byte >> 4 & 1)), lun: u16::from(byte % 4) }
}

/// A command: of any bytes, of a known code, or with addresses that mean something where motions have theirs.
fn cdb(script: &mut Script<'_>) -> Vec<u8> {
    let opcode = script.byte();
    let length = usize::from(script.byte());
    let mut cdb = script.bytes(length % 20).to_vec();
    if let Some(first) = cdb.first_mut() {
        *first = OPCODES.get(usize::from(opcode)).copied().unwrap_or(opcode);
    }
    if length >= 0x80 {
        for at in [2, 4, 6, 8] {
            if let Some(field) = cdb.get_mut(at..at + 2) {
                field.copy_from_slice(&ADDRESSES[usize::from(field[1]) % ADDRESSES.len()].to_be_bytes());
            }
        }
    }
    cdb
}

/// A fault, and whether it is one after which nothing is heard of a command.
fn fault(script: &mut Script<'_>) -> (Fault, bool) {
    let (what, detail) = (script.byte(), script.byte());
    let fault = match what % 8 {
        0 => Fault::sense(SenseKey::HardwareError, 0x15, 0x01),
        1 => Fault::sense(SenseKey::from_bits(detail), detail, what).after_effect(),
        2 => Fault::lost_reply(),
        3 => Fault::late_effect(Duration::from_secs(u64::from(detail))),
        4 => Fault::stuck_in_arm(),
        5 => Fault::connection_lost(),
        6 => Fault::silence(),
        _ => return (Fault::stuck_in_drive(address(script)), false),
    };
    (if detail & 1 == 0 { fault.on_move() } else { fault }, what % 8 == 6)
}
