//! What users start in the background ends when it is ended, and leaves nothing behind.
#![cfg(all(unix, feature = "sim", feature = "iscsi"))]

mod beds;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A directory of the test's own, in the place of `/tmp`: what is left is seen.
fn temporary(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scripts-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

/// Starts a program without a standard input.
fn start(command: &mut Command) -> (Child, BufReader<ChildStdout>) {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let out = child.stdout.take().expect("it is piped");
    (child, BufReader::new(out))
}

/// What it says up to a line that begins so.
fn lines_to(last: &str, out: &mut BufReader<ChildStdout>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    while !told.last().is_some_and(|line| line.starts_with(last)) {
        let mut line = String::new();
        assert!(out.read_line(&mut line).expect("text") > 0, "it ended after {told:?}");
        told.push(line.trim_end().to_owned());
    }
    told
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// What it says until nobody holds its standard output any more: all that it started has ended by then.
fn rest(mut out: BufReader<ChildStdout>) -> String {
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
    rest
}

#[test]
fn the_library_of_tgt_takes_its_daemon_and_its_directory_with_it_however_it_ends() {
    for signal in ["TERM", "KILL"] {
        let directory = temporary(signal);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/tgt-library");
        let mut command = Command::new(script);
        command.arg(beds::free_port().to_string()).env("TMPDIR", &directory);
        let (mut script, mut out) = start(&mut command);
        let told = lines_to("ready", &mut out);
        assert!(told.iter().any(|line| line.starts_with("iscsi://127.0.0.1:")), "{told:?}");
        let bed = std::fs::read_dir(&directory).expect("readable").next().expect("one").expect("readable");
        let tgtd = std::fs::read_to_string(bed.path().join("pid")).expect("tgtd's process id");
        let tgtd = Path::new("/proc").join(tgtd.trim());
        assert!(tgtd.exists());

        send(signal, &script);
        rest(out);
        assert_eq!(script.wait().expect("it ends").success(), signal == "TERM");
        assert!(!tgtd.exists(), "SIG{signal} leaves tgtd");
        let left: Vec<_> = std::fs::read_dir(&directory).expect("readable").collect();
        assert!(left.is_empty(), "SIG{signal} leaves {left:?}");
        let _ = std::fs::remove_dir(&directory);
    }
}

#[test]
fn the_virtual_library_serves_without_a_standard_input_until_it_is_terminated() {
    let test = std::env::current_exe().expect("this program has a path");
    let built = test.parent().and_then(Path::parent).expect("it is built into target/*/deps");
    let mut command = Command::new(built.join("examples/virtual_library"));
    let (mut served, mut out) = start(command.arg("127.0.0.1:0"));
    let told = lines_to("It serves until Ctrl-C", &mut out);
    let at = told.iter().find_map(|line| line.strip_prefix("Its changer: iscsi://")?.split('/').next());
    TcpStream::connect(at.expect("it says where it listens")).expect("it listens");
    send("TERM", &served);
    let said = rest(out);
    assert!(said.contains("Closing: "), "{said}");
    assert!(served.wait().expect("it ends").success());
}
