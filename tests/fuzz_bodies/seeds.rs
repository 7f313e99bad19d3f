//! The first inputs: what changers answered (`tests/captures`), what the simulated library answers where no capture has
//! it, and scripts for the bodies that follow one.

#[path = "kept.rs"]
mod kept;
#[path = "pdus.rs"]
mod pdus;
#[path = "../captures/record.rs"]
#[allow(dead_code, reason = "the tests of the captures read more of a record")]
mod record;
#[path = "scripts.rs"]
mod scripts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use autochanger_sim::{Device, Library, Outcome};

use crate::bodies::library::OPCODES;
use crate::corpus::Seeds;

/// The most seeds of a target that come from devices, evenly chosen: what differs in a label shows a fuzzer nothing new.
const MOST: usize = 40;

/// The longest seed. A fuzzer changes a byte at a time, and a long report is a short one repeated.
const LONGEST: usize = 3 * 1024;

/// Every seed of every target.
pub(crate) fn all() -> Seeds {
    let mut found: BTreeMap<&'static str, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let mut sessions = Vec::new();
    let captures = record::read_directory(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures"));
    for capture in captures {
        let mut cdbs = Vec::new();
        for record in &capture.records {
            found.entry("commands").or_default().insert(record.cdb.clone());
            cdbs.push(record.cdb.clone());
            let Some(answer) = &record.answer else { continue };
            found.entry("sense").or_default().insert(answer.sense.clone());
            if let Some(target) = reader_of(&record.cdb) {
                found.entry(target).or_default().insert(answer.data.clone());
            }
        }
        sessions.push(cdbs);
    }
    simulated(&mut found);
    found.insert("library", sessions.iter().map(|cdbs| commands(cdbs)).collect());
    let reports: Vec<Vec<u8>> = found["element_status"].iter().cloned().collect();
    found.insert("engine", scripts::lies(&chosen(reports)).into_iter().collect());
    let mut seeds: Seeds = found.into_iter().map(|(target, found)| (target, named(found))).collect();
    for (target, name, script) in scripts::by_hand() {
        seeds.entry(target).or_default().push((name.into(), script));
    }
    seeds.entry("store").or_default().extend(kept::records());
    seeds
}

/// The target that reads the answers to a command.
fn reader_of(cdb: &[u8]) -> Option<&'static str> {
    Some(match cdb.first()? {
        0x03 => "sense",
        0x12 => "inquiry",
        0x1A | 0x5A => "mode_pages",
        0x34 | 0x44 => "tape",
        0x4D => "log_pages",
        0x5E => "reservations",
        0x8C => "attributes",
        0xA0 | 0xA3 => "luns_and_codes",
        0xB6 => "volume_tags",
        0xB8 => "element_status",
        _ => return None,
    })
}

fn chosen(found: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let short: Vec<_> = found.into_iter().filter(|seed| !seed.is_empty() && seed.len() <= LONGEST).collect();
    let step = short.len().div_ceil(MOST).max(1);
    short.into_iter().step_by(step).collect()
}

/// Their order is that of their bytes, so that the same captures make the same files.
fn named(found: BTreeSet<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    let name = |seed: Vec<u8>| (format!("device-{:08x}", sum(&seed)), seed);
    chosen(found.into_iter().collect()).into_iter().map(name).collect()
}

/// A name for some bytes (FNV-1a).
fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |state, byte| (state ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The script of the library's body that sends these commands, one after the other.
fn commands(cdbs: &[Vec<u8>]) -> Vec<u8> {
    let mut script = vec![0];
    for cdb in cdbs.iter().take(60) {
        let opcode = OPCODES.iter().position(|opcode| *opcode == cdb[0]).map_or(cdb[0], |at| at as u8);
        script.extend_from_slice(&[20, 6, 0, opcode, cdb.len() as u8]);
        script.extend_from_slice(cdb);
        script.extend_from_slice(&[0x0F, 0xFF, 0]);
    }
    script
}

/// What no changer of the captures has, or has only in one form.
fn simulated(found: &mut BTreeMap<&'static str, BTreeSet<Vec<u8>>>) {
    let mut device = Library::new()
        .serial("F")
        .slots(4)
        .cartridges("VT{:04}L8", 1..=3)
        .cartridge_at(500, "VT0009L8")
        .build();
    let service = [
        // REPORT LUNS, REPORT SUPPORTED OPERATION CODES: all of them, and one.
        vec![0xA0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
        vec![0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
        vec![0xA3, 0x0C, 0x80, 0, 0, 0, 0, 0, 4, 0, 0, 0],
        vec![0xA3, 0x0C, 0x01, 0xA5, 0, 0, 0, 0, 4, 0, 0, 0],
        // INQUIRY and its pages.
        vec![0x12, 0, 0, 4, 0, 0],
        vec![0x12, 1, 0, 4, 0, 0],
        vec![0x12, 1, 0x80, 4, 0, 0],
        vec![0x12, 1, 0x83, 4, 0, 0],
        // READ ELEMENT STATUS with labels and identifiers.
        vec![0xB8, 0x10, 0, 0, 0xFF, 0xFF, 1, 0, 8, 0, 0, 0],
        // PERSISTENT RESERVE OUT of a key and a reservation follow below; IN: keys, holder, capabilities, full status.
        vec![0x5E, 0, 0, 0, 0, 0, 0, 4, 0, 0],
        vec![0x5E, 1, 0, 0, 0, 0, 0, 4, 0, 0],
        vec![0x5E, 2, 0, 0, 0, 0, 0, 4, 0, 0],
        vec![0x5E, 3, 0, 0, 0, 0, 0, 4, 0, 0],
        // READ POSITION in both forms, REPORT DENSITY SUPPORT of the drive and of the medium.
        vec![0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        vec![0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0],
        vec![0x44, 0, 0, 0, 0, 0, 0, 4, 0, 0],
        vec![0x44, 1, 0, 0, 0, 0, 0, 4, 0, 0],
        // READ ATTRIBUTE: values, the list, the partitions.
        vec![0x8C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
        vec![0x8C, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
        vec![0x8C, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
        // REQUEST VOLUME ELEMENT ADDRESS after the search below.
        vec![0xB5, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
    ];
    let logs =
        [0x00, 0x0D, 0x11, 0x12, 0x14, 0x2E].map(|page| vec![0x4D, 0, 0x40 | page, 0, 0, 0, 0, 4, 0, 0]);
    let modes = [0x1D, 0x1E, 0x1F, 0x3F].map(|page| vec![0x1A, 8, page, 0, 255, 0]);
    // Registers the key 1, reserves with it (exclusive access, registrants only), searches for every label.
    let mut register = [0; 24];
    register[15] = 1;
    let mut reserve = [0; 24];
    reserve[7] = 1;
    let mut every_label = [0; 40];
    every_label[0] = b'*';
    found.entry("volume_tags").or_default().insert(every_label.to_vec());
    found.entry("reservations").or_default().extend([register.to_vec(), reserve.to_vec()]);
    for lun in 0..3 {
        for _ in 0..3 {
            answer(&mut device, lun, &[0; 6], &[]);
        }
        answer(&mut device, lun, &[0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0], &register);
        answer(&mut device, lun, &[0x5F, 1, 6, 0, 0, 0, 0, 0, 24, 0], &reserve);
        if lun == 0 {
            answer(&mut device, lun, &[0xB6, 0, 0, 0, 0, 5, 0, 0, 0, 40, 0, 0], &every_label);
        }
        for cdb in service.iter().chain(&logs).chain(&modes) {
            let Some((data, sense)) = answer(&mut device, lun, cdb, &[]) else { continue };
            found.entry("sense").or_default().insert(sense);
            let target = if cdb[0] == 0xB5 { "volume_tags" } else { reader_of(cdb).unwrap_or("sense") };
            found.entry(target).or_default().insert(data);
        }
    }
}

fn answer(device: &mut Device, lun: u16, cdb: &[u8], data_out: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = device.submit(Duration::ZERO, lun, cdb, data_out, 4096);
    match device.take(key) {
        Some(Outcome::Answered(answer)) => Some((answer.data, answer.sense)),
        _ => None,
    }
}
