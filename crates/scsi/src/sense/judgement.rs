//! What the standard's table says of sense data.

use super::Sense;
use super::advice::Advice;
use super::table::SenseRow;

impl Sense {
    /// The row of the table that has this key and code.
    pub fn row(&self) -> Option<&'static SenseRow> {
        SenseRow::find(self.key, self.code)
    }

    /// What to do about it, as far as the standard's codes tell; of codes that are not in the table the key decides.
    /// [`Dialect::advice`](super::Dialect::advice) knows vendors' codes, too. Deferred sense data are about an earlier
    /// command: once that is dealt with, the present one is sent again.
    ///
    /// ```
    /// use autochanger_scsi::{Action, Sense, SenseKey};
    ///
    /// let empty = Sense::new(SenseKey::IllegalRequest, 0x3B, 0x0E);
    /// assert_eq!(empty.advice().first(), Action::State);
    /// let jammed = Sense::new(SenseKey::HardwareError, 0x15, 0x01);
    /// assert_eq!(jammed.advice().actions(), [Action::Verify, Action::Retry]);
    /// ```
    pub fn advice(&self) -> Advice {
        self.row().map_or_else(|| self.key.advice(), |row| row.advice)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, SenseKey};
    use super::*;

    #[test]
    fn of_codes_without_a_row_the_key_decides() {
        let first = |key, asc, ascq| Sense::new(key, asc, ascq).advice().first();
        assert_eq!(first(SenseKey::NotReady, 0x04, 0x85), Action::Wait);
        assert_eq!(first(SenseKey::HardwareError, 0x99, 0x99), Action::Verify);
        assert_eq!(first(SenseKey::IllegalRequest, 0x99, 0x99), Action::Caller);
        assert_eq!(first(SenseKey::UnitAttention, 0x99, 0x99), Action::Reinventory);
        for key in 0..16 {
            assert!(!SenseKey::from_bits(key).advice().actions().is_empty());
        }
    }

    #[test]
    fn motion_is_advised_to_be_repeated_only_where_it_did_not_happen() {
        // A retry without a look is for unit attentions and for what is in progress.
        for row in SenseRow::all().filter(|row| row.advice.first() == Action::Retry) {
            let harmless = |key: &SenseKey| matches!(key, SenseKey::UnitAttention | SenseKey::AbortedCommand);
            assert!(row.keys.iter().all(harmless), "{row:?}");
            let aborted = row.keys.contains(&SenseKey::AbortedCommand);
            assert_eq!(aborted, row.advice.includes(Action::Verify), "{row:?}");
        }
    }
}
