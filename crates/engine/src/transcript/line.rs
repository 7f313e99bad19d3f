//! One line: what it says, and how it is shown.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::time::Duration;

/// The longest text of a line, in bytes, and of its aside: what a log viewer shows without losing the reader, and room for the
/// longest failure with its advice. A batch with thousands of cartridges, or a label of an evil library, does not get more.
pub const LINE_MAX: usize = 1000;

/// The width of the longest kind.
const KIND_WIDTH: usize = 8;

/// A line of a transcript. Shown whole: `+00:00:12.450  asked     r1: mount VT0001L8 for nightly, session 1  [r1 = 0192…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Time since the first line, by the manager's monotonic clock.
    pub at: Duration,
    /// What kind of thing happened.
    pub kind: Kind,
    /// What happened: one line, at most [`LINE_MAX`] bytes, without control characters.
    pub text: String,
    /// What differs between two runs of the same story: the full ids of what is named for the first time, the wall time of a start, the
    /// serial number of a library. Empty in most lines.
    pub aside: String,
}

/// The kinds of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A manager was started.
    Started,
    /// A caller asked for something.
    Asked,
    /// The manager decided something, and gave it to the store as one transaction.
    Decided,
    /// A transaction is durable: what waited for it may be seen, and a motion that was intended may be sent.
    Durable,
    /// A transaction could not be made durable.
    Failed,
    /// A command was sent to a device.
    Sent,
    /// A device answered a command, or its answer was lost.
    Answered,
    /// The manager looked something up: a request in the store, the lock of a library.
    Sought,
    /// What it found.
    Found,
    /// A caller was answered.
    Replied,
    /// Everybody was told.
    Told,
}

impl Line {
    pub(super) fn new(at: Duration, kind: Kind, text: &str, aside: &str) -> Self {
        Self { at, kind, text: one_line(text), aside: one_line(aside) }
    }

    /// The line without its time and its aside: what is the same in two runs of one story, whatever clocks and ids they had.
    ///
    /// ```
    /// # use autochanger_engine::transcript::{Kind, Line};
    /// # use core::time::Duration;
    /// # let (text, aside) = ("r1: inventory for test".into(), "r1 = …".into());
    /// let line = Line { at: Duration::from_millis(1500), kind: Kind::Asked, text, aside };
    /// assert_eq!(line.to_string(), "+00:00:01.500  asked     r1: inventory for test  [r1 = …]");
    /// assert_eq!(line.comparable(), "asked     r1: inventory for test");
    /// ```
    pub fn comparable(&self) -> String {
        format!("{:KIND_WIDTH$}  {}", self.kind, self.text)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, milliseconds) = (self.at.as_secs(), self.at.subsec_millis());
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "+{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}  {:KIND_WIDTH$}  {}",
            self.kind, self.text
        )?;
        if self.aside.is_empty() { Ok(()) } else { write!(f, "  [{}]", self.aside) }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Started => "started",
            Self::Asked => "asked",
            Self::Decided => "decided",
            Self::Durable => "durable",
            Self::Failed => "failed",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Sought => "sought",
            Self::Found => "found",
            Self::Replied => "replied",
            Self::Told => "told",
        })
    }
}

/// Application names, reasons and labels come from outside: what would break the line or turn its reading direction is shown
/// escaped, and what is too long is cut.
fn one_line(text: &str) -> String {
    const MARK: &str = "…";
    let mut line = String::new();
    let mut end = 0;
    for character in text.chars() {
        if breaks_a_line(character) {
            line.push_str(&character.escape_default().to_string());
        } else {
            line.push(character);
        }
        if line.len() > LINE_MAX {
            line.truncate(end);
            line.push_str(MARK);
            break;
        }
        if line.len() + MARK.len() <= LINE_MAX {
            end = line.len();
        }
    }
    line
}

/// Control characters, the separators of lines and paragraphs, and the marks that change the direction of what follows.
fn breaks_a_line(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_on_its_line() {
        assert_eq!(
            one_line("a\nsent      command 1\u{2028}\u{202E}\u{1b}[2J"),
            r"a\nsent      command 1\u{2028}\u{202e}\u{1b}[2J"
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_between_characters_and_says_so() {
        for (unit, count) in [("a", LINE_MAX), ("a", LINE_MAX + 1), ("é", LINE_MAX), ("\u{1}", LINE_MAX)] {
            let line = one_line(&unit.repeat(count));
            assert!(line.len() <= LINE_MAX, "{unit:?} x {count}: {} bytes", line.len());
            assert_eq!(line.ends_with('…'), (unit, count) != ("a", LINE_MAX), "{unit:?} x {count}");
        }
    }

    #[test]
    fn hours_are_counted_on_beyond_a_day() {
        let line = Line::new(Duration::from_millis(100 * 3_600_000 + 61_007), Kind::Told, "x", "");
        assert_eq!(line.to_string(), "+100:01:01.007  told      x");
    }
}
