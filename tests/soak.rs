//! `examples/soak.rs`, as somebody calls it.

use std::path::PathBuf;
use std::process::{Command, Output};

fn soak(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().expect("this test's own path");
    let directory: PathBuf = test.ancestors().nth(2).expect("the directory of the build").join("examples");
    let name = format!("soak{}", std::env::consts::EXE_SUFFIX);
    let example = directory.join(name);
    assert!(
        example.is_file(),
        "{} is not built: run `cargo test`, which builds it, or `cargo build --example soak`",
        example.display()
    );
    Command::new(&example).args(arguments).output().expect("the example runs")
}

#[test]
fn a_soak_says_its_seed_and_what_it_came_to() {
    let output = soak(&["--seed", "7", "--requests", "200"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("seed 7\n"), "{said}");
    assert!(said.contains("no checker objects") && said.contains("restarts"), "{said}");
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
