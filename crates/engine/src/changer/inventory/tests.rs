//! What no library may do to the reading of its inventory.

use core::time::Duration;

use autochanger_scsi::{Sense, SenseKey, Status};

use super::*;
use crate::time::WallTime;

/// More questions than the worst honest library needs: one element at a time, at every address, in each of four types.
const MOST_QUESTIONS: usize = 4 * (65_536 + 100);

/// Small steps of a linear congruence: the same bytes for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn answer(dice: &mut Dice) -> Completion {
    let mut completion = Completion::good();
    if dice.roll(4) == 0 {
        let (asc, ascq) = [(0x24, 0), (0x21, 1), (0x00, 0)][dice.roll(3) as usize];
        let sense = Sense::new(SenseKey::IllegalRequest, asc, ascq);
        completion.status = Status::CheckCondition;
        completion.sense = sense.to_fixed().to_vec().into();
        return completion;
    }
    // Mostly something like a report: a header, a page of the type that comes, descriptors of some length.
    let mut data: Vec<u8> = (0..dice.roll(400)).map(|_| (dice.roll(3) * dice.roll(256)) as u8).collect();
    for (at, value) in [(8, 1 + dice.roll(4) as u8), (9, 0x80), (10, 0), (11, (dice.roll(3) * 26) as u8)] {
        if let Some(byte) = data.get_mut(at).filter(|_| dice.roll(5) > 0) {
            *byte = value;
        }
    }
    completion.data = data.into();
    completion
}

#[test]
fn whatever_is_answered_the_questions_come_to_an_end() {
    let now = Now { monotonic: Duration::ZERO, wall: WallTime(0) };
    for seed in 0..3000 {
        let mut dice = Dice(seed);
        let types = super::super::survey::TYPES;
        let mut reading =
            ReadInventory::new(None, &types, ReadStyle::default(), Timing::default(), 65_535).thorough();
        let mut step = reading.step(Heard::Start, now);
        let mut questions = 0;
        loop {
            let heard = match step {
                Do::Send(..) => Heard::Answer(Ok(answer(&mut dice))),
                Do::Wait(_) => Heard::Woken,
                Do::Done(_) => break,
            };
            questions += 1;
            assert!(questions < MOST_QUESTIONS, "seed {seed}");
            step = reading.step(heard, now);
        }
    }
}
