//! `examples/soak.rs`, as somebody calls it.

use std::path::PathBuf;
use std::process::{Command, Output};

fn soak(arguments: &[&str]) -> Output {
    example().args(arguments).output().expect("the example runs")
}

fn example() -> Command {
    let test = std::env::current_exe().expect("this test's own path");
    let directory: PathBuf = test.ancestors().nth(2).expect("the directory of the build").join("examples");
    let name = format!("soak{}", std::env::consts::EXE_SUFFIX);
    let example = directory.join(name);
    assert!(
        example.is_file(),
        "{} is not built: run `cargo test`, which builds it, or `cargo build --example soak`",
        example.display()
    );
    Command::new(&example)
}

#[test]
fn a_soak_says_its_seed_and_what_it_came_to() {
    let output = soak(&["--seed", "7", "--requests", "200"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("seed 7\n"), "{said}");
    assert!(said.contains("no checker objects") && said.contains("restarts"), "{said}");
}

/// What a soak with a planted bug says when it has failed, and how it is told again.
fn fails(arguments: &[&str]) -> (String, Vec<String>) {
    let output = example().args(arguments).env("AUTOCHANGER_PLANT", "1").output().expect("the example runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let again = said.lines().find_map(|line| line.strip_prefix("again: ")).expect("how it is told again");
    let again = again.split(' ').map(str::to_owned).collect();
    (said, again)
}

/// So many seeds are tried for the first story; one in five to ten meets the planted bug.
const FIRST_SEEDS: u64 = 100;

#[test]
fn a_soak_in_which_a_checker_objects_ends_with_an_error_and_the_seed_which_tells_it_again() {
    let mut first = 0;
    // Its first story meets no planted bug, so that the seed that is told is not the one that was given.
    let (said, again, seed) = loop {
        assert!(first < FIRST_SEEDS, "each story meets the bug");
        let (said, again) = fails(&["--seed", &first.to_string(), "--requests", "1000000"]);
        let ["--seed", seed, ..] = again.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            panic!("{said}")
        };
        let seed: u64 = seed.parse().expect("a number");
        if seed != first {
            break (said, again, seed);
        }
        first += 1;
    };
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    assert!(said.starts_with(&format!("seed {seed}, step ")) && said.contains(": cancels: "), "{said}");
    assert!(said.contains(&format!("\nThe story of seed {seed}. ")), "the shortest story is shown: {said}");
    assert_eq!(fails(&again).0, said);
}

#[test]
fn a_soak_that_is_told_something_else_says_what_there_is() {
    for (arguments, what) in [
        (&["--hours", "1"][..], "--seconds N"),
        (&["--seed"][..], "needs a number"),
        (&["--seed", "x"][..], "not a number"),
    ] {
        let output = soak(arguments);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(what), "{said}");
    }
}
