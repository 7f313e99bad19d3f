//! What a URL says beside where the unit is: `?digests=require&keep_alive=10`.

use std::fmt;
use std::time::Duration;

use super::check_name;

/// The longest time that may be asked for: nobody waits longer.
const LONGEST: u64 = 24 * 3600;

/// What is said, and what is not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(in crate::transport) struct Options {
    pub(in crate::transport) digests: Option<Digests>,
    pub(in crate::transport) keep_alive: Option<Duration>,
    pub(in crate::transport) connect_timeout: Option<Duration>,
    pub(in crate::transport) initiator: Option<String>,
}

/// What is said about digests; the transport's `DigestPolicy` by another name, for builds without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::transport) enum Digests {
    Accept,
    Prefer,
    Require,
    Refuse,
}

const DIGESTS: [(&str, Digests); 4] = [
    ("accept", Digests::Accept),
    ("prefer", Digests::Prefer),
    ("require", Digests::Require),
    ("refuse", Digests::Refuse),
];

impl Options {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for option in text.split('&') {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let twice = match key {
                "digests" => {
                    let policy = DIGESTS.iter().find(|(word, _)| *word == value).map(|(_, policy)| *policy);
                    options
                        .digests
                        .replace(policy.ok_or("digests is none of accept, prefer, require, refuse")?)
                        .is_some()
                }
                "keep_alive" => options.keep_alive.replace(seconds(key, value)?).is_some(),
                "connect_timeout" => options.connect_timeout.replace(seconds(key, value)?).is_some(),
                "initiator" => {
                    check_name(value).map_err(|problem| format!("the initiator name {problem}"))?;
                    options.initiator.replace(value.to_owned()).is_some()
                }
                _ => {
                    return Err(
                        "an option is none of digests, keep_alive, connect_timeout, initiator".to_owned()
                    );
                }
            };
            if twice {
                return Err(format!("{key} is said twice"));
            }
        }
        Ok(options)
    }
}

fn seconds(key: &str, value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
    let seconds = seconds.ok_or_else(|| format!("{key} is no number of seconds from 1 to {LONGEST}"))?;
    Ok(Duration::from_secs(seconds))
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digests =
            |policy| DIGESTS.iter().find(|(_, known)| *known == policy).map(|(word, _)| (*word).to_owned());
        let time = |time: Option<Duration>| time.map(|time| time.as_secs().to_string());
        let said = [
            ("digests", self.digests.and_then(digests)),
            ("keep_alive", time(self.keep_alive)),
            ("connect_timeout", time(self.connect_timeout)),
            ("initiator", self.initiator.clone()),
        ];
        let mut mark = '?';
        for (key, value) in said {
            if let Some(value) = value {
                write!(f, "{mark}{key}={value}")?;
                mark = '&';
            }
        }
        Ok(())
    }
}
