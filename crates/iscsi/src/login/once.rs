//! Each key is said once in a login (RFC 7143 section 6.3): a second word on it would leave both sides with different ideas.

use std::collections::BTreeMap;

use crate::text::Pairs;

/// What the other side has said so far. A login's bounds on texts and their number bound this, too.
#[derive(Debug)]
pub(crate) struct Once {
    /// Keys that may be said again.
    declarations: &'static [&'static str],
    /// Each key, and for those that may be said again with the same value, that value.
    said: BTreeMap<String, Option<String>>,
}

/// Declarations that may be said again with another value.
const MAY_CHANGE: [&str; 2] = ["TargetAddress", "MaxRecvDataSegmentLength"];

impl Once {
    /// Nothing was said yet. `declarations` are the keys that may be said again, with the same value.
    pub(crate) fn new(declarations: &'static [&'static str]) -> Self {
        Self { declarations, said: BTreeMap::new() }
    }

    /// Takes a text in.
    ///
    /// # Errors
    /// The key that was said before.
    pub(crate) fn hear(&mut self, pairs: &Pairs) -> Result<(), String> {
        for (key, value) in pairs.iter() {
            if MAY_CHANGE.contains(&key) {
                continue;
            }
            let value = self.declarations.contains(&key).then(|| value.to_owned());
            match self.said.get(key) {
                Some(before) if value.is_none() || *before != value => return Err(key.to_owned()),
                Some(_) => {}
                None => _ = self.said.insert(key.to_owned(), value),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_negotiated_is_said_once_and_what_is_declared_says_the_same() {
        let mut once = Once::new(&["TargetName"]);
        let first = Pairs::new().with("TargetName", "iqn.a").with("ImmediateData", "Yes");
        assert_eq!(once.hear(&first), Ok(()));
        assert_eq!(once.hear(&Pairs::new().with("TargetName", "iqn.a")), Ok(()));
        assert_eq!(once.hear(&Pairs::new().with("TargetName", "iqn.b")), Err("TargetName".into()));
        assert_eq!(once.hear(&Pairs::new().with("ImmediateData", "Yes")), Err("ImmediateData".into()));
        let twice = Pairs::new().with("X-k", "1").with("X-k", "1");
        assert_eq!(once.hear(&twice), Err("X-k".into()), "in one text, too");
        for length in ["8192", "16384"] {
            let again = Pairs::new().with("MaxRecvDataSegmentLength", length).with("TargetAddress", length);
            assert_eq!(once.hear(&again), Ok(()));
        }
    }
}
