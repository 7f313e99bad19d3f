//! Barcodes by the dozen: `VT{:04}L8` with a number.

use alloc::format;
use alloc::string::String;

/// A barcode pattern: text around at most one placeholder, `{}`, `{:N}` or `{:0N}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern<'a> {
    before: &'a str,
    width: Option<(usize, bool)>,
    after: &'a str,
}

/// Wider numbers than a barcode field holds (32 characters, SMC-3 6.16) make no sense.
const MAX_WIDTH: usize = 32;

impl<'a> Pattern<'a> {
    /// Reads a pattern; `None` when the braces do not make one.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let Some((before, rest)) = text.split_once('{') else {
            return (!text.contains('}')).then_some(Self { before: text, width: None, after: "" });
        };
        let (inside, after) = rest.split_once('}')?;
        if before.contains('}') || after.contains(['{', '}']) {
            return None;
        }
        let digits = if inside.is_empty() { "" } else { inside.strip_prefix(':')? };
        let zeros = digits.starts_with('0');
        let width = if digits.is_empty() {
            0
        } else {
            digits.parse::<usize>().ok().filter(|width| *width <= MAX_WIDTH)?
        };
        Some(Self { before, width: Some((width, zeros)), after })
    }

    pub(crate) fn fill(&self, number: u32) -> String {
        let Self { before, after, .. } = self;
        match self.width {
            None => String::from(*before),
            Some((width, true)) => format!("{before}{number:0width$}{after}"),
            Some((width, false)) => format!("{before}{number:width$}{after}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_filled_with_the_number() {
        let filled = |text: &str| Pattern::parse(text).map(|pattern| pattern.fill(7));
        assert_eq!(filled("VT{:04}L8").as_deref(), Some("VT0007L8"));
        assert_eq!(filled("{}").as_deref(), Some("7"));
        assert_eq!(filled("A{:3}").as_deref(), Some("A  7"));
        assert_eq!(filled("CLN001L1").as_deref(), Some("CLN001L1"));
    }

    #[test]
    fn broken_patterns_are_refused() {
        for text in ["{", "}", "a{:x}", "{4}", "{}{}", "}{", "{:99}"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }
}
