//! Inputs made of known ones.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// The most changes to one input: with more of them little is left of what made it worth keeping.
const MOST_CHANGES: usize = 8;

/// The longest piece that is put in.
const MOST_NEW: usize = 40;

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    /// Puts a number at its end of a field: lengths that are none, short by one, or as long as can be.
    Number(Index, u32),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    /// Goes on as another input does.
    Splice(Index, Index, Index),
    Repeat(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (
            place(),
            prop::sample::select(vec![0, 1, 7, 8, 0xFF, 0xFFFF, 0xFF_FFFF, u32::MAX, u32::MAX - 1, 1 << 31])
        )
            .prop_map(|(at, number)| Change::Number(at, number)),
        place().prop_map(Change::Cut),
        (place(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (place(), vec(any::<u8>(), 1..MOST_NEW)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (place(), place(), place()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
        (place(), 1..64_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

/// One of the inputs with some changes, or now and then bytes of no origin.
pub(crate) fn any_of(inputs: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (any::<Index>(), vec(change(), 1..=MOST_CHANGES)).prop_map(move |(base, changes)| {
        let mut input = inputs[base.index(inputs.len())].clone();
        changes.iter().for_each(|change| apply(change, &mut input, &inputs));
        input
    });
    prop_oneof![7 => changed, 1 => vec(any::<u8>(), 0..400)]
}

fn apply(change: &Change, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
    let at = |index: &Index, length: usize| index.index(length + 1);
    match change {
        Change::Flip(index, _) | Change::Set(index, _) if !input.is_empty() => {
            let byte = index.index(input.len());
            match change {
                Change::Flip(_, bit) => input[byte] ^= 1 << bit,
                Change::Set(_, value) => input[byte] = *value,
                _ => {}
            }
        }
        Change::Number(index, number) => {
            let end = at(index, input.len());
            let width = (4 - number.leading_zeros() as usize / 8).clamp(1, 4).min(end);
            input[end - width..end].copy_from_slice(&number.to_be_bytes()[4 - width..]);
        }
        Change::Cut(index) => input.truncate(at(index, input.len())),
        Change::Remove(index, count) => {
            let from = at(index, input.len());
            input.drain(from..input.len().min(from + count));
        }
        Change::Insert(index, bytes) => {
            let place = at(index, input.len());
            input.splice(place..place, bytes.iter().copied());
        }
        Change::Splice(index, other, from) => {
            let other = &inputs[other.index(inputs.len())];
            input.truncate(at(index, input.len()));
            input.extend_from_slice(&other[at(from, other.len())..]);
        }
        Change::Repeat(index, count) => {
            let from = at(index, input.len());
            let piece = input[from..input.len().min(from + count)].to_vec();
            input.splice(from..from, piece);
        }
        _ => {}
    }
}
