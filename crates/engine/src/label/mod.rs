//! Label formats: what the block at the beginning of a tape says of the medium (RSM: media label libraries).

mod ansi;
mod free;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;

pub use ansi::{AnsiLabel, LtfsLabel};
pub use free::FreeLabel;

use crate::catalog::Label;
use crate::request::LabelFound;

/// How many formats of the caller's are asked; more are left out. Each looks at each block that is read, and a site has a
/// handful of programs that write tapes.
pub const MAX_FORMATS: usize = 16;

/// A format of labels: it looks at the first block of a medium and says whether it is one of its own.
///
/// It decides from the bytes alone, at once, and the same bytes always mean the same: it is part of the deterministic core.
#[doc(alias = "ClaimMediaLabel")]
pub trait LabelFormat: Debug {
    /// The name of the format, one for each: [`Label::format`] of what it claims.
    fn name(&self) -> &str;

    /// What the label says; `None`: the block is not of this format. `first_block` is what stands before the first filemark or
    /// the end of the first block, at most 32 KiB of it, and never empty. Whatever is written on a tape comes here: nothing
    /// in it can be taken for granted. A label whose id is longer than [`Label::MAX_ID`], or whose format or description is longer than
    /// [`Label::MAX_TEXT`], counts as not claimed.
    fn claim(&self, first_block: &[u8]) -> Option<Label>;
}

/// A format that is shared with the engine.
pub type SharedFormat = Arc<dyn LabelFormat + Send + Sync>;

/// The formats that are known unless the caller says otherwise: LTFS, and the ANSI labels that it is a kind of.
pub fn usual_formats() -> Vec<SharedFormat> {
    Vec::from([Arc::new(LtfsLabel) as SharedFormat, Arc::new(AnsiLabel)])
}

/// What a first block is. The manager's own free label goes before all others, then the formats in their order.
pub(crate) fn recognize(formats: &[SharedFormat], block: &[u8]) -> LabelFound {
    if let Some(free) = FreeLabel::parse(block) {
        return LabelFound::Free(free.to_label());
    }
    let claimed = formats.iter().take(MAX_FORMATS).find_map(|format| format.claim(block));
    match claimed.filter(Label::can_be_kept) {
        Some(label) => LabelFound::Known(label),
        None => LabelFound::Unrecognized,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Greedy(usize);

    impl LabelFormat for Greedy {
        fn name(&self) -> &str {
            "greedy"
        }

        fn claim(&self, _: &[u8]) -> Option<Label> {
            let id = alloc::vec![b'x'; self.0];
            Some(Label { format: self.name().into(), id: id.into(), description: "".into() })
        }
    }

    #[test]
    fn an_id_that_cannot_be_kept_is_not_claimed() {
        let found = |length| recognize(&[Arc::new(Greedy(length))], b"anything");
        assert!(matches!(found(Label::MAX_ID), LabelFound::Known(_)));
        assert_eq!(found(Label::MAX_ID + 1), LabelFound::Unrecognized);
    }

    #[derive(Debug)]
    struct Wordy {
        format: usize,
        description: usize,
    }

    impl LabelFormat for Wordy {
        fn name(&self) -> &str {
            "wordy"
        }

        fn claim(&self, _: &[u8]) -> Option<Label> {
            let (format, description) = ("x".repeat(self.format), "x".repeat(self.description));
            Some(Label { format: format.into(), id: [7].into(), description: description.into() })
        }
    }

    #[test]
    fn a_format_or_a_description_that_cannot_be_kept_is_not_claimed() {
        let found = |format, description| {
            let wordy: SharedFormat = Arc::new(Wordy { format, description });
            matches!(recognize(&[wordy], b"anything"), LabelFound::Known(_))
        };
        assert!(found(Label::MAX_TEXT, Label::MAX_TEXT));
        assert!(!found(Label::MAX_TEXT + 1, 1));
        assert!(!found(1, Label::MAX_TEXT + 1));
    }

    #[test]
    fn a_free_label_is_free_whatever_other_formats_claim() {
        let free = FreeLabel { medium: uuid::Uuid::from_u128(7), created: crate::time::WallTime(9) };
        assert_eq!(recognize(&[Arc::new(Greedy(1))], &free.to_block()), LabelFound::Free(free.to_label()));
    }
}
