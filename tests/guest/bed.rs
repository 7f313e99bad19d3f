//! The guest, from the outside: a test that needs a real kernel runs itself in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Set inside.
const INSIDE: &str = "GUEST";

/// What the guest is to have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guest {
    setup: Option<&'static str>,
    variables: Vec<(&'static str, String)>,
}

impl Guest {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// tgt's library with so many slots and drives; 20 and 2 unless said. Cartridges are in the first slots.
    pub(crate) fn library(self, slots: u16, drives: u16, cartridges: u16) -> Self {
        self.with("BED_SLOTS", slots).with("BED_DRIVES", drives).with("BED_CARTS", cartridges)
    }

    /// A scsi_debug device in the place of the library, with these module parameters.
    pub(crate) fn scsi_debug(self, parameters: &str) -> Self {
        let guest = self.with("MODULES", "crc-t10dif").with("GUEST_SCSI_DEBUG", parameters);
        Self { setup: Some("setup-scsi_debug.sh"), ..guest }
    }

    /// This crate's virtual library in the place of tgt's.
    pub(crate) fn virtual_library(self) -> Self {
        let guest = self.with("GUEST_TARGET", example("virtual_library").display());
        Self { setup: Some("setup-virtual-library.sh"), ..guest }
    }

    /// The same with the library that these options of a `sim:` URL describe, which has so many drives.
    pub(crate) fn virtual_library_of(self, drives: u16, options: &str) -> Self {
        let options = format!("sim:drives={drives},{options}");
        self.virtual_library().with("BED_DRIVES", drives).with("GUEST_LIBRARY", options)
    }

    /// No library: the test serves one of its own.
    pub(crate) fn nothing(self) -> Self {
        Self { setup: Some("setup-nothing.sh"), ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.variables.push((name, value.to_string()));
        self
    }

    /// Runs the test named `test` inside, which is the one that calls this: there `body` is what it does.
    pub(crate) fn run(self, test: &str, body: impl FnOnce()) {
        if std::env::var_os(INSIDE).is_some() {
            return body();
        }
        let own = std::env::current_exe().expect("this program has a path");
        let output =
            self.output(&[own.as_os_str(), test.as_ref(), "--exact".as_ref(), "--nocapture".as_ref()]);
        assert!(text(&output.stdout).contains("1 passed"), "{test} in the guest:\n{}", all(&output));
    }

    /// Runs a shell's command line inside, with programs of this machine as `$1` and on; what it says when it ends 0.
    pub(crate) fn shell(&self, line: &str, programs: &[&Path]) -> String {
        let shell = ["/bin/sh", "-c", line, "sh"].map(Into::into);
        let mut command: Vec<std::ffi::OsString> = shell.to_vec();
        command.extend(programs.iter().map(Into::into));
        let command: Vec<_> = command.iter().map(|word| word.as_os_str()).collect();
        text(&self.output(&command).stdout)
    }

    fn output(&self, command: &[&std::ffi::OsStr]) -> Output {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/beds/guest");
        let mut run = Command::new("sh");
        run.arg(scripts.join("run.sh"));
        if let Some(setup) = self.setup {
            run.arg("-s").arg(scripts.join(setup));
        }
        run.arg("--").args(command).stdin(Stdio::null());
        run.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        let output = run.output().expect("sh runs");
        assert!(output.status.success(), "in the guest:\n{}", all(&output));
        output
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn all(output: &Output) -> String {
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The newest build of another test program; `cargo test` builds them all before it runs one.
pub(crate) fn test_program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let directory = own.parent().expect("it is in a directory");
    let is_it = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        file.strip_prefix(name).is_some_and(|rest| rest.starts_with('-') && !rest.contains('.'))
    };
    let files = std::fs::read_dir(directory).expect("readable").flatten().map(|entry| entry.path());
    let newest = files.filter(is_it).max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    newest
        .unwrap_or_else(|| panic!("the test program {name} is not built: run `cargo test`, which builds it"))
}

/// An example, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let target = own.parent().and_then(Path::parent).expect("it is built into target/*/deps");
    let path = target.join("examples").join(name);
    assert!(path.exists(), "{} is not built: run `cargo test`, which builds it", path.display());
    path
}
