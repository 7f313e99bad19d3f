//! The type that is being read: how far that has come, and how it is asked for.

use autochanger_scsi::ElementType;

use crate::changer::ask::Refusal;
use crate::changer::style::{Tried, TypeStyle};

/// The type that is being read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) kind: ElementType,
    pub(super) style: TypeStyle,
    /// How many there are; `None`: until no more come.
    pub(super) wanted: Option<usize>,
    /// Whether all that mode page 1Dh counts are there, and this looks for more.
    pub(super) beyond: bool,
    pub(super) start: u16,
    /// How many were asked for.
    pub(super) asked: u16,
    pub(super) tried: Tried,
    /// The first refusal, which is told if nothing helps.
    pub(super) refusal: Option<Refusal>,
    /// The number asked for at once grows with each answer.
    pub(super) growing: bool,
    /// The first address was refused, and the first of all is tried.
    pub(super) from_zero: bool,
    /// Each question begins at an element that is there: the library refuses to begin in a hole.
    pub(super) overlap: bool,
    pub(super) overlap_tried: bool,
    /// The last answer had fewer elements than were asked for.
    pub(super) fewer: bool,
    pub(super) seen: usize,
    pub(super) last: Option<u16>,
    /// What is to be thought of the way in which it is asked.
    doubt: Doubt,
    /// Where it was asked a second time because nothing came.
    again_at: Option<u16>,
}

/// Whether the library wants to be asked otherwise, or only had some trouble when it was asked as usual: a deviation is kept for
/// as long as the library is open, and may cost its labels.
#[derive(Debug, Clone, Copy)]
enum Doubt {
    /// It is asked as usual, or has said that it minds the question (ILLEGAL REQUEST).
    None,
    /// It is asked otherwise since this brought nothing, or something else than ILLEGAL REQUEST.
    Deviating { usual: TypeStyle },
    /// This way worked: the usual one is tried once more.
    Confirming { otherwise: TypeStyle },
}

impl Reading {
    pub(super) fn new(kind: ElementType, style: TypeStyle, wanted: Option<usize>, start: u16) -> Self {
        let mut tried = Tried::default();
        tried.note(style.deviations);
        Self {
            kind,
            style,
            wanted,
            beyond: wanted == Some(0),
            start,
            asked: 0,
            tried,
            refusal: None,
            growing: false,
            from_zero: false,
            overlap: false,
            overlap_tried: false,
            fewer: false,
            seen: 0,
            last: None,
            doubt: Doubt::None,
            again_at: None,
        }
    }

    /// It is about to be asked otherwise, although the library has not said that it minds the question.
    pub(super) fn deviates_unasked(&mut self) {
        if let Doubt::None = self.doubt {
            self.doubt = Doubt::Deviating { usual: self.style };
        }
    }

    /// Elements came. Whether that only shows that the library answers again, so that it is asked as usual once more.
    pub(super) fn confirms_deviation(&mut self) -> bool {
        let Doubt::Deviating { usual } = self.doubt else {
            self.doubt = Doubt::None;
            return false;
        };
        self.doubt = Doubt::Confirming { otherwise: self.style };
        self.style = usual;
        true
    }

    /// The usual way brought nothing, while another one had. Whether that is gone back to, now for good.
    pub(super) fn deviates_for_good(&mut self) -> bool {
        let Doubt::Confirming { otherwise } = self.doubt else { return false };
        self.doubt = Doubt::None;
        self.style = otherwise;
        true
    }

    /// Nothing came, before all were there that mode page 1Dh counts. Whether it is asked once more, for a type that ends early
    /// has its cartridges missing.
    pub(super) fn asks_again(&mut self) -> bool {
        let expected = !self.beyond && self.wanted.is_some_and(|wanted| self.seen < wanted);
        expected && self.again_at.replace(self.start) != Some(self.start)
    }
}
