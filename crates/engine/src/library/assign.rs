//! Which drive each medium of a group gets: none twice, as many as can be had, and those that can be had soonest.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use autochanger_scsi::ElementAddress;

/// How soon a medium can be in a drive that fits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chance {
    /// It is in it, and nobody has it mounted.
    Here,
    /// The drive is free.
    Free,
    /// The drive is free, and has failed with one medium after another.
    Suspect,
    /// What is in the drive can make way, or the medium has to come out of another drive first.
    Room,
    /// Somebody uses the drive.
    Busy,
    /// The drive does not serve: what changes that is a person, or a cleaning.
    Out,
}

impl Chance {
    const ALL: [Self; 6] = [Self::Here, Self::Free, Self::Suspect, Self::Room, Self::Busy, Self::Out];

    /// Whether nothing has to be waited for.
    pub(crate) fn is_now(self) -> bool {
        self <= Self::Suspect
    }
}

/// A drive that fits a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) drive: ElementAddress,
    pub(crate) chance: Chance,
}

/// Gives each medium one of its choices, in their order where nothing else counts.
///
/// As many media as can be get a drive at all, of these as many as can be one that is free, and so on: a choice that is to be
/// waited for is looked at only when those that are not have given all that they can (augmenting paths, Berge). For 64
/// media and as many drives these are some 10^5 steps at the worst.
pub(crate) fn assign(choices: &[Vec<Choice>]) -> Vec<Option<Choice>> {
    let mut matching = Matching { choices, given: vec![None; choices.len()], holders: BTreeMap::new() };
    for limit in Chance::ALL {
        for medium in 0..choices.len() {
            if matching.given.get(medium).is_some_and(Option::is_none) {
                matching.serve(medium, limit, &mut BTreeSet::new());
            }
        }
    }
    matching.given
}

struct Matching<'a> {
    choices: &'a [Vec<Choice>],
    given: Vec<Option<Choice>>,
    holders: BTreeMap<ElementAddress, usize>,
}

impl Matching<'_> {
    /// Finds a drive for the medium, if need be by giving others other ones. It goes as deep as there are media.
    fn serve(&mut self, medium: usize, limit: Chance, asked: &mut BTreeSet<ElementAddress>) -> bool {
        let Some(choices) = self.choices.get(medium) else { return false };
        let within = || {
            let of = |chance| choices.iter().copied().filter(move |choice| choice.chance == chance);
            Chance::ALL.into_iter().filter(move |chance| *chance <= limit).flat_map(of)
        };
        if let Some(free) = within().find(|choice| !self.holders.contains_key(&choice.drive)) {
            self.give(medium, free);
            return true;
        }
        for choice in within() {
            if !asked.insert(choice.drive) {
                continue;
            }
            let Some(&holder) = self.holders.get(&choice.drive) else { continue };
            if self.serve(holder, limit, asked) {
                self.give(medium, choice);
                return true;
            }
        }
        false
    }

    fn give(&mut self, medium: usize, choice: Choice) {
        if let Some(given) = self.given.get_mut(medium) {
            *given = Some(choice);
            self.holders.insert(choice.drive, medium);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wishes(of: &[&[(u16, Chance)]]) -> Vec<Vec<Choice>> {
        let choice = |&(drive, chance): &(u16, Chance)| Choice { drive: ElementAddress(drive), chance };
        of.iter().map(|choices| choices.iter().map(choice).collect()).collect()
    }

    fn given(of: &[&[(u16, Chance)]]) -> Vec<Option<u16>> {
        assign(&wishes(of)).into_iter().map(|choice| Some(choice?.drive.0)).collect()
    }

    use Chance::*;

    #[test]
    fn one_that_can_use_any_drive_leaves_the_named_one_to_the_other() {
        assert_eq!(given(&[&[(500, Free), (501, Free)], &[(500, Free)]]), [Some(501), Some(500)]);
    }

    #[test]
    fn a_medium_stays_in_its_drive_unless_another_can_use_no_other() {
        let mine: &[_] = &[(501, Room), (500, Here)];
        assert_eq!(given(&[mine, &[(500, Room), (501, Free)]]), [Some(500), Some(501)]);
        assert_eq!(given(&[mine, &[(500, Room)]]), [Some(501), Some(500)]);
    }

    #[test]
    fn what_is_to_be_waited_for_comes_after_what_is_free() {
        assert_eq!(given(&[&[(500, Busy), (501, Suspect), (502, Free)]]), [Some(502)]);
        assert_eq!(given(&[&[(500, Busy), (501, Suspect)], &[(501, Free)]]), [Some(500), Some(501)]);
    }

    #[test]
    fn who_can_use_none_gets_none_and_the_others_theirs() {
        assert_eq!(given(&[&[(500, Free)], &[(500, Free)], &[]]), [Some(500), None, None]);
    }

    /// The most media that can be served, by trying everything.
    fn most(choices: &[Vec<Choice>], limit: Chance, taken: &mut Vec<ElementAddress>) -> usize {
        let Some((first, others)) = choices.split_first() else { return 0 };
        let mut best = most(others, limit, taken);
        for choice in first.iter().filter(|choice| choice.chance <= limit) {
            if !taken.contains(&choice.drive) {
                taken.push(choice.drive);
                best = best.max(1 + most(others, limit, taken));
                taken.pop();
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_more_can_be_served_and_none_twice(
            all in proptest::collection::vec(proptest::collection::vec((500u16..505, 0usize..6), 0..5), 0..6)
        ) {
            let choices: Vec<Vec<Choice>> = all
                .into_iter()
                .map(|of| {
                    let of: BTreeMap<_, _> = of.into_iter().collect();
                    of.into_iter()
                        .map(|(drive, n)| Choice { drive: ElementAddress(drive), chance: Chance::ALL[n] })
                        .collect()
                })
                .collect();
            let given = assign(&choices);
            let drives: BTreeSet<_> = given.iter().flatten().map(|choice| choice.drive).collect();
            let served = given.iter().flatten().count();
            prop_assert_eq!(drives.len(), served);
            for (choice, of) in given.iter().zip(&choices) {
                prop_assert!(choice.is_none_or(|choice| of.contains(&choice)));
            }
            prop_assert_eq!(served, most(&choices, Out, &mut Vec::new()));
            // Who can all be served at once are.
            for limit in Chance::ALL {
                if most(&choices, limit, &mut Vec::new()) == choices.len() {
                    prop_assert!(given.iter().flatten().all(|choice| choice.chance <= limit));
                }
            }
        }
    }
}
