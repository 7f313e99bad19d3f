//! What holds for any sequence of motions: nothing is lost or doubled, the same runs are the same.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use autochanger_scsi::{Cdb, ExchangeMedium};
use autochanger_sim::{Device, Fault, Key, Library, Nexus, Outcome, Quirk, SenseKey, Timing, Unit};

use common::*;

/// Sequences per property. Each prints its seed when it fails.
const SEEDS: u64 = 150;
const COMMANDS: usize = 200;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn seeded(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// An address: mostly of an element, now and then of none.
    fn address(&mut self) -> u16 {
        match self.roll(10) {
            0..=5 => 1000 + self.roll(8) as u16,
            6..=7 => 500 + self.roll(2) as u16,
            8 => 10 + self.roll(2) as u16,
            _ => self.roll(3) as u16,
        }
    }

    fn motion(&mut self) -> Cdb {
        if self.roll(3) > 0 {
            return move_medium(self.address(), self.address());
        }
        let [source, first_destination, second_destination] = [(); 3].map(|()| at(self.address()));
        ExchangeMedium {
            transport: at(0),
            source,
            first_destination,
            second_destination,
            invert_first: false,
            invert_second: false,
        }
        .cdb()
    }

    fn fault(&mut self) -> Fault {
        let fault = match self.roll(8) {
            0 => Fault::sense(SenseKey::HardwareError, 0x15, 0x01),
            1 => Fault::sense(SenseKey::HardwareError, 0x15, 0x01).after_effect(),
            2 => Fault::lost_reply(),
            3 => Fault::late_effect(Duration::from_secs(self.roll(100))),
            4 => Fault::stuck_in_arm(),
            5 => Fault::connection_lost(),
            6 => Fault::silence(),
            _ => return Fault::stuck_in_drive(at(500 + self.roll(2) as u16)),
        };
        fault.on_move()
    }
}

fn library(seed: u64) -> Library {
    let timing = if seed.is_multiple_of(2) { Timing::none() } else { Timing::midrange() };
    let arms = 1 + (seed % 3) as u16;
    Library::new()
        .serial("P")
        .slots(8)
        .ports(2)
        .arms(arms)
        .cartridges("C{:02}", 1..=7)
        .timing(timing)
        .seed(seed)
}

fn run(seed: u64) -> (Device, Vec<(Key, Outcome)>) {
    let mut dice = Dice::seeded(seed);
    let mut device = library(seed).build();
    let mut ended = Vec::new();
    let mut now = Duration::ZERO;
    for _ in 0..COMMANDS {
        if dice.roll(12) == 0 {
            device.inject(dice.fault());
        }
        if dice.roll(12) == 0 {
            // Whether hands may do it is not the matter here.
            let _ = device.operator_swap(at(dice.address()), at(dice.address()));
        }
        if dice.roll(20) == 0 {
            device.repair(at(500));
            device.repair(at(501));
        }
        now += Duration::from_secs(dice.roll(40));
        let unit = Unit { nexus: Nexus(dice.roll(2) as u32), lun: 0 };
        device.submit(now, unit, dice.motion().as_bytes(), &[], 0);
        ended.extend(device.advance(now));
        let barcodes: Vec<_> = device.contents().into_iter().filter_map(|(_, _, barcode)| barcode).collect();
        let distinct: BTreeSet<_> = barcodes.iter().collect();
        assert_eq!((barcodes.len(), distinct.len()), (7, 7), "seed {seed}: {barcodes:?}");
    }
    while let Some(next) = device.next_event() {
        ended.extend(device.advance(next));
    }
    (device, ended)
}

#[test]
fn every_cartridge_is_in_exactly_one_place_whatever_happens() {
    let mut moved = 0;
    for seed in 0..SEEDS {
        let (device, ended) = run(seed);
        let keys: BTreeSet<_> = ended.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys.len(), ended.len(), "seed {seed}: a command ended twice");
        let silent = device.log().filter(|entry| entry.end.is_none()).count();
        assert_eq!(silent, 0, "seed {seed}: commands without an end");
        assert!(device.moves_done() <= device.moves_sent());
        moved += device.moves_done();
    }
    assert!(moved > 20 * SEEDS, "only {moved} moves: runs in which nothing moves show nothing");
}

#[test]
fn the_same_run_gives_the_same_answers_at_the_same_times() {
    for seed in 0..20 {
        let ((one, ended), (two, again)) = (run(seed), run(seed));
        assert_eq!((one.contents(), ended), (two.contents(), again), "seed {seed}");
        assert!(one.log().eq(two.log()), "seed {seed}");
    }
}

#[test]
fn no_bytes_make_it_panic_whatever_it_does_otherwise() {
    for seed in 0..SEEDS {
        let mut dice = Dice::seeded(seed);
        // Each switch in turn, two more by chance, and numbers that nobody would choose.
        let mut device = library(seed).quirk(Quirk::MaxElementsPerReport(dice.roll(9) as u16)).build();
        device.quirk(Quirk::ALL[seed as usize % Quirk::ALL.len()]);
        for _ in 0..2 {
            device.quirk(Quirk::ALL[dice.roll(Quirk::ALL.len() as u64) as usize]);
        }
        for quirk in [Quirk::DescriptorLength(dice.roll(300) as u16), Quirk::SplitPages(dice.roll(3) as u16)]
        {
            if dice.roll(4) == 0 {
                device.quirk(quirk);
            }
        }
        let opcodes = [
            0x00, 0x01, 0x03, 0x07, 0x08, 0x0A, 0x10, 0x12, 0x1A, 0x1B, 0x1E, 0x2B, 0x34, 0x37, 0x44, 0x4D,
            0x5A, 0x5E, 0x5F, 0x8C, 0x8D, 0xA0, 0xA3, 0xA5, 0xA6, 0xB5, 0xB6, 0xB8, 0xE7,
        ];
        for _ in 0..COMMANDS {
            let length = dice.roll(20) as usize;
            let mut cdb: Vec<u8> = (0..length).map(|_| (dice.roll(4) * dice.roll(256)) as u8).collect();
            if let Some(first) = cdb.first_mut().filter(|_| dice.roll(8) > 0) {
                *first = opcodes[dice.roll(opcodes.len() as u64) as usize];
            }
            let now = Duration::from_secs(dice.roll(10_000));
            let room = dice.roll(70_000) as u32;
            let list: Vec<u8> = (0..dice.roll(60)).map(|_| (dice.roll(4) * dice.roll(256)) as u8).collect();
            device.submit(now, dice.roll(5) as u16, &cdb, &list, room);
            for (_, outcome) in device.advance(now) {
                let Outcome::Answered(answer) = outcome else { panic!("no fault was planted") };
                assert!(answer.data.len() <= room as usize);
            }
        }
    }
}
