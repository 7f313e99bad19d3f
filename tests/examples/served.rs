//! The command line of `virtual_library`: whom it serves, and how it says what it lacks.

use std::process::Stdio;
use std::time::Duration;

use autochanger::scsi::{Inquiry, Status};
use autochanger::transport::{self, Command};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{PATIENCE, Run, ended, program, run_alone};

const SECRET: &str = "opensesame12";

async fn run(arguments: &[&str], secret: Option<&str>) -> Run {
    let mut command = program("virtual_library", arguments);
    command.env_remove("CHAP_SECRET");
    if let Some(secret) = secret {
        command.env("CHAP_SECRET", secret);
    }
    ended(command.output()).await
}

#[test]
fn help_is_given_to_who_asks() {
    for option in ["--help", "-h"] {
        let run = run_alone("virtual_library", &[option]);
        run.ended(0);
        for words in ["127.0.0.1:3260", "sim:", "user=", "CHAP_SECRET"] {
            run.says(words);
        }
        assert_eq!(run.err, "");
    }
}

#[tokio::test]
async fn nobody_is_served_over_the_network_without_chap() {
    let run = run(&["0.0.0.0:0"], Some(SECRET)).await;
    run.ended(1);
    assert!(run.err.contains("CHAP") && run.err.contains("user="), "{}", run.err);
    assert!(!run.out.contains("listens"), "{}", run.out);
    let weak = self::run(&["0.0.0.0:0", "user=backup"], Some("short")).await;
    weak.ended(1);
    assert!(weak.err.contains("5 characters") && !weak.err.contains("short"), "{}", weak.err);
}

#[tokio::test]
async fn a_user_without_a_secret_and_words_without_a_meaning_are_refused() {
    let missing = run(&["127.0.0.1:0", "user=backup"], None).await;
    missing.ended(1);
    assert!(missing.err.contains("the secret of backup is missing: set CHAP_SECRET"), "{}", missing.err);
    let wrong = run(&["127.0.0.1"], None).await;
    wrong.ended(1);
    assert!(wrong.err.contains("\"127.0.0.1\" is neither"), "{}", wrong.err);
    let option = run(&["127.0.0.1:0", "sim:slots=none"], None).await;
    option.ended(1);
    assert!(option.err.contains("slots"), "{}", option.err);
}

#[tokio::test]
async fn a_named_user_logs_in_with_the_secret_alone() {
    let mut child = program("virtual_library", &["127.0.0.1:0", "user=backup", "sim:slots=8,cartridges=3"])
        .env("CHAP_SECRET", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let next =
        async || tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it says so").expect("text");
    let mut next = next;
    let (serves, changer) = (next().await.expect("a line"), next().await.expect("a line"));
    assert!(serves.contains("8 slots") && serves.contains("3 cartridges"), "{serves}");
    let url = changer.strip_prefix("Its changer: ").expect("its URL").to_owned();
    assert!(!url.contains(SECRET), "{url}");
    let inquiry = async |login: &str| {
        let (_, rest) = url.split_once("://").expect("a URL");
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        let url = format!("iscsi://{login}{rest}").parse().expect("a URL");
        let device = transport::open(&url).expect("it is complete");
        let cdb = Inquiry { vpd: None, allocation: 36 }.cdb();
        device.execute(Command::reading(cdb, 36, Duration::from_secs(10))).await
    };
    assert_eq!(inquiry(&format!("backup%{SECRET}@")).await.expect("it answers").status, Status::Good);
    for login in ["", "backup%opensesame13@", "restore%opensesame12@"] {
        inquiry(login).await.expect_err("not with that");
    }
    // The end of its standard input is its own.
    drop(child.stdin.take());
    let mut rest = String::new();
    while let Some(line) = next().await {
        rest += &line;
    }
    assert!(rest.contains("Closing: ") && !rest.contains(SECRET), "{rest}");
    let run = ended(child.wait_with_output()).await;
    run.ended(0);
    assert!(!run.err.contains(SECRET), "{}", run.err);
}

#[tokio::test]
async fn two_libraries_on_one_machine_have_serial_numbers_of_their_own_and_so_have_their_drives() {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let mut child = program("virtual_library", &["127.0.0.1:0", "sim:slots=8,drives=2,cartridges=3"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = async || {
            tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it says so").expect("text")
        };
        let mut line = line;
        let (_, changer) = (line().await, line().await.expect("a line"));
        let url = changer.strip_prefix("Its changer: ").expect("its URL");
        let portal = url.split('/').nth(2).expect("a host").to_owned();
        let listed = crate::run("devices", &[&portal]).await;
        listed.ended(0);
        for what in ["changer", "drive"] {
            let row = listed.out.lines().find(|row| row.contains(what) && row.contains(&portal));
            let row = row.unwrap_or_else(|| panic!("{}", listed.out));
            let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
            assert!(seen.insert(cells[cells.len() - 2].to_owned()), "{row} again in {seen:?}");
        }
        drop(child.stdin.take());
        ended(child.wait_with_output()).await.ended(0);
    }
}
