//! CHAP with MD5 (RFC 1994, RFC 7143 section 12.1.3): the initiator proves a secret, and the target another one where
//! that was asked for.

use std::fmt;

/// The longest challenge that is accepted, in bytes (RFC 7143 section 12.1.3).
pub const MAX_CHALLENGE: usize = 1024;

/// The algorithm MD5, as CHAP_A names it.
pub(crate) const MD5: u32 = 5;

/// Something that must not be shown: `Debug` does not, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret in.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one who computes with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// How this initiator authenticates itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chap {
    /// The name that goes with the secret (CHAP_N).
    pub user: String,
    /// The secret that is proved.
    pub secret: Secret,
    /// Asked of the target in turn. When given, a target that cannot prove it is not used.
    pub mutual: Option<MutualChap>,
}

/// What the target must prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutualChap {
    /// The name that the target must give.
    pub user: String,
    /// The secret that it must know.
    pub secret: Secret,
    /// Random bytes for its challenge, new for each login: this crate has no source of randomness.
    pub challenge: [u8; 16],
}

/// The proof of a secret: the MD5 of identifier, secret and challenge.
pub fn response(identifier: u8, secret: &Secret, challenge: &[u8]) -> [u8; 16] {
    let mut context = md5::Context::new();
    context.consume([identifier]);
    context.consume(secret.expose().as_bytes());
    context.consume(challenge);
    context.finalize().0
}

/// Writes a binary value in hexadecimal, as every implementation reads it.
pub fn encode_binary(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("0x");
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads a binary value: `0x` and hexadecimal, or `0b` and base64 (RFC 7143 section 6.1). `None` when it is neither or
/// longer than [`MAX_CHALLENGE`].
pub fn decode_binary(text: &str) -> Option<Vec<u8>> {
    let bytes = match text.get(..2)? {
        "0x" | "0X" => decode_hexadecimal(&text[2..])?,
        "0b" | "0B" => decode_base64(&text[2..])?,
        _ => return None,
    };
    (bytes.len() <= MAX_CHALLENGE).then_some(bytes)
}

fn decode_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(digits.len() / 2 + 1);
    // An odd number of digits leaves the first byte one digit.
    let (first, rest) = digits.as_bytes().split_at(digits.len() % 2);
    for byte in first {
        bytes.push(digit(*byte)?);
    }
    for pair in rest.chunks_exact(2) {
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(bytes)
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4 + 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_proof_is_the_md5_of_identifier_secret_and_challenge() {
        // md5("\x01" "secret" "challenge"), computed with md5sum.
        let proof = response(1, &Secret::new("secret"), b"challenge");
        assert_eq!(encode_binary(&proof), "0x46e47770030e2b4e26a0db72a7efec00");
    }

    #[test]
    fn binary_values_are_read_in_both_spellings() {
        assert_eq!(decode_binary("0x0aFF"), Some(vec![0x0A, 0xFF]));
        assert_eq!(decode_binary("0xaff"), Some(vec![0x0A, 0xFF]));
        assert_eq!(decode_binary("0bTWFu"), Some(b"Man".to_vec()));
        assert_eq!(decode_binary("0bTWE="), Some(b"Ma".to_vec()));
        assert_eq!(decode_binary("0xzz"), None);
        assert_eq!(decode_binary("12"), None);
        assert_eq!(decode_binary(""), None);
        assert_eq!(decode_binary("\u{e9}\u{e9}"), None);
    }

    #[test]
    fn a_secret_shows_itself_to_no_debug() {
        let chap = Chap { user: "backup".into(), secret: Secret::new("hunter2"), mutual: None };
        let text = format!("{chap:?}");
        assert!(text.contains("backup") && !text.contains("hunter2"), "{text}");
    }

    proptest! {
        #[test]
        fn binary_values_survive_a_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..MAX_CHALLENGE)) {
            prop_assert_eq!(decode_binary(&encode_binary(&bytes)), Some(bytes));
        }
    }
}
