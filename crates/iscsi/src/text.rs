//! The text of login and negotiation: `key=value` pairs, each ended by a zero byte (RFC 7143 section 6.1).

use bytes::{BufMut, Bytes, BytesMut};

/// The longest text of a login that is put together from several PDUs. The standard's minimum is 8 KiB.
pub const MAX_TEXT: usize = 64 * 1024;

/// The most pairs in one text: about three times the keys that the standard defines.
pub const MAX_PAIRS: usize = 96;

/// The longest list of targets that is taken in: a thousand targets with long names and several addresses each.
pub const MAX_DISCOVERY_TEXT: usize = 512 * 1024;

/// The most pairs in a list of targets.
const MAX_DISCOVERY_PAIRS: usize = 16 * 1024;

/// The longest key name (RFC 7143 section 6.1).
const MAX_KEY: usize = 63;

/// The longest value: large binary values may have this many characters (RFC 7143 section 6.1).
const MAX_VALUE: usize = 8192;

/// Key and value pairs, in the order in which they were said.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// No pairs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When it is not `key=value` text of printable characters, or passes one of the bounds of this module.
    pub fn parse(text: &[u8]) -> Result<Self, TextError> {
        Self::parse_within(text, MAX_TEXT, MAX_PAIRS)
    }

    /// Reads a list of targets, which may be longer: [`MAX_DISCOVERY_TEXT`].
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_discovery(text: &[u8]) -> Result<Self, TextError> {
        Self::parse_within(text, MAX_DISCOVERY_TEXT, MAX_DISCOVERY_PAIRS)
    }

    fn parse_within(text: &[u8], max_text: usize, max_pairs: usize) -> Result<Self, TextError> {
        if text.len() > max_text {
            return Err(TextError::TooLong);
        }
        let mut pairs = Self::new();
        for piece in text.split(|byte| *byte == 0).filter(|piece| !piece.is_empty()) {
            let piece = std::str::from_utf8(piece).map_err(|_| TextError::NotText)?;
            let (key, value) = piece.split_once('=').ok_or(TextError::NoValue)?;
            if key.is_empty() || key.len() > MAX_KEY || value.len() > MAX_VALUE || pairs.0.len() >= max_pairs
            {
                return Err(TextError::TooLong);
            }
            if piece.chars().any(char::is_control) {
                return Err(TextError::NotText);
            }
            pairs.push(key, value);
        }
        Ok(pairs)
    }

    /// Adds a pair.
    pub fn push(&mut self, key: &str, value: impl Into<String>) {
        self.0.push((key.to_owned(), value.into()));
    }

    /// Adds a pair, for building.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.push(key, value);
        self
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        for (key, value) in self.iter() {
            out.put_slice(key.as_bytes());
            out.put_u8(b'=');
            out.put_slice(value.as_bytes());
            out.put_u8(0);
        }
        out.freeze()
    }
}

/// Reads a number as values are written: decimal, or hexadecimal behind `0x` (RFC 7143 section 6.1). `None` for what is none,
/// or does not fit.
pub fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.get(..2) {
        Some("0x" | "0X") => (&text[2..], 16),
        _ => (text, 10),
    };
    // A sign would be read as one.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

/// A value can be the proof of a secret, so only the keys are shown.
impl std::fmt::Debug for Pairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

/// Why bytes are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A key without a value.
    #[error("a key without a value")]
    NoValue,
    /// Bytes that are no printable text.
    #[error("bytes that are no text")]
    NotText,
    /// A key, a value or the whole is longer than the standard allows.
    #[error("a text longer than the standard allows")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_in_order_and_written_the_same() {
        let text = b"TargetPortalGroupTag=1\0AuthMethod=CHAP\0";
        let pairs = Pairs::parse(text).unwrap();
        assert_eq!(pairs.get("AuthMethod"), Some("CHAP"));
        assert_eq!(pairs.get("HeaderDigest"), None);
        assert_eq!(&pairs.to_bytes()[..], text);
    }

    #[test]
    fn a_value_may_hold_an_equals_sign_and_a_key_needs_one() {
        assert_eq!(Pairs::parse(b"X-k=a=b\0").unwrap().get("X-k"), Some("a=b"));
        assert_eq!(Pairs::parse(b"novalue\0"), Err(TextError::NoValue));
        assert_eq!(Pairs::parse(b"=v\0"), Err(TextError::TooLong));
        assert_eq!(Pairs::parse(b"k=\xff\0"), Err(TextError::NotText));
        assert_eq!(Pairs::parse(b"k=a\nb\0"), Err(TextError::NotText));
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal_and_nothing_else() {
        for (text, value) in [
            ("0", Some(0)),
            ("65536", Some(65_536)),
            ("0x10000", Some(65_536)),
            ("0XfF", Some(255)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("0x100000000", None),
            ("", None),
            ("0x", None),
            ("+1", None),
            ("0x+1", None),
            ("-1", None),
            (" 1", None),
            ("one", None),
            ("FF", None),
            ("\u{e9}1", None),
        ] {
            assert_eq!(number(text), value, "{text:?}");
        }
    }

    #[test]
    fn too_many_pairs_are_refused() {
        let text: Vec<u8> = b"k=v\0".repeat(MAX_PAIRS);
        assert!(Pairs::parse(&text).is_ok());
        let text: Vec<u8> = b"k=v\0".repeat(MAX_PAIRS + 1);
        assert_eq!(Pairs::parse(&text), Err(TextError::TooLong));
    }
}
