//! The fuzzers' bodies on any toolchain: each takes every input of its corpus as it stands, and then what proptest makes of
//! them: flipped, cut, spliced and grown. `scripts/fuzz` runs the same bodies with coverage.

#![cfg(all(feature = "iscsi", feature = "sim", feature = "redb"))]

#[path = "../fuzz/src/bodies/mod.rs"]
#[allow(unreachable_pub, reason = "the same files are a library in fuzz/")]
mod bodies;
#[path = "fuzz_bodies/corpus.rs"]
mod corpus;
#[path = "fuzz_bodies/mutate.rs"]
mod mutate;
#[path = "fuzz_bodies/seeds.rs"]
mod seeds;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bodies::{TARGETS, Target};
use proptest::prelude::*;

/// Memory is counted for the whole process: one body at a time, and nothing beside it that gives back much of what it holds.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

fn run(name: &str) {
    alone(|| {
        let target = bodies::target(name);
        let corpus = corpus::read(name);
        assert!(!corpus.is_empty(), "{name} has no corpus");
        for (file, input) in &corpus {
            let held = std::panic::catch_unwind(|| target.check(input));
            assert!(held.is_ok(), "{name}: the input {file} of the corpus");
        }
        let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
        // More with PROPTEST_CASES; a failure prints the input, which belongs into the corpus then.
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(input in mutate::any_of(inputs))| target.check(&input));
    });
}

macro_rules! bodies {
    ($($target:ident),+ $(,)?) => {
        mod nothing_panics_and_nothing_runs_away {
            $(#[test] fn $target() { super::run(stringify!($target)); })+
        }
        const RUN: &[&str] = &[$(stringify!($target)),+];
    };
}

bodies![
    element_status,
    sense,
    inquiry,
    mode_pages,
    log_pages,
    attributes,
    reservations,
    luns_and_codes,
    tape,
    volume_tags,
    commands,
    pdu_reader,
    text,
    initiator_login,
    initiator_session,
    discovery,
    target_login,
    target_session,
    library,
    engine,
    store,
];

#[test]
fn every_target_is_run_here_and_has_a_program_of_libfuzzers() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names, RUN.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(names, corpus::names("fuzz_targets"));
    assert_eq!(names, corpus::names("corpus"));
    let manifest = corpus::text("Cargo.toml");
    for name in names {
        let program = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&program), "fuzz/Cargo.toml has no program {name}");
        assert!(corpus::text(&format!("fuzz_targets/{name}.rs")).contains(&format!("target!(\"{name}\")")));
    }
}

/// With AUTOCHANGER_WRITE_CORPUS=1 they are written instead.
#[test]
fn the_seeds_are_those_that_the_captures_and_our_own_devices_make() {
    let made = alone(seeds::all);
    if std::env::var_os("AUTOCHANGER_WRITE_CORPUS").is_some() {
        corpus::write(&made);
    }
    alone(|| {
        for (target, seeds) in made {
            let known: BTreeSet<Vec<u8>> = corpus::read(target).into_iter().map(|(_, input)| input).collect();
            for (name, seed) in seeds {
                assert!(
                    known.contains(&seed),
                    "{target}/{name} is missing: run this test with AUTOCHANGER_WRITE_CORPUS=1"
                );
            }
        }
    });
}

#[test]
fn the_corpus_is_small_enough_to_be_kept() {
    let inputs = || TARGETS.iter().flat_map(|target| corpus::read(target.name));
    let size: usize = alone(|| inputs().map(|(_, input)| input.len()).sum());
    assert!(size < 1 << 20, "{size} bytes");
}

/// What the threads of the test harness may take or give back meanwhile.
const NOISE: usize = 64 * 1024;

#[test]
#[should_panic(expected = "bytes of memory for 3 of input")]
fn a_body_that_takes_more_memory_than_it_may_is_found_out() {
    let greedy = |input: &[u8]| drop(vec![1_u8; 1000 * input.len() + NOISE]);
    alone(|| Target { name: "greedy", run: greedy, heap_per_byte: 1000, heap_fixed: 0 }.check(b"abc"));
}

#[test]
fn a_body_that_takes_what_it_may_is_let_go() {
    let modest = |input: &[u8]| drop(vec![1_u8; 1000 * input.len()]);
    alone(|| Target { name: "modest", run: modest, heap_per_byte: 1000, heap_fixed: NOISE }.check(b"abc"));
}
