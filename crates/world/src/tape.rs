//! What happened in a world, as a person reads it.

use autochanger_engine::transcript::{Line, Transcript};

/// Lines that are printed when a test fails: enough for a request with everything that went wrong around it.
const LAST_LINES: usize = 60;

/// The lines of a story; the last of them are printed when its test fails.
#[derive(Debug, Default)]
pub struct Tape {
    transcript: Transcript,
    /// What was written so far.
    pub lines: Vec<Line>,
    /// Nothing is written: for stories by the hundred, which are told again when one fails.
    pub off: bool,
}

impl Tape {
    /// What was written so far, as it compares with another run.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    pub(crate) fn write(&mut self, line: impl FnOnce(&mut Transcript) -> Option<Line>) {
        if !self.off {
            self.lines.extend(line(&mut self.transcript));
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.off {
            let skipped = self.lines.len().saturating_sub(LAST_LINES);
            for line in self.lines.iter().skip(skipped) {
                eprintln!("{line}");
            }
        }
    }
}
