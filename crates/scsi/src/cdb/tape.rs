//! Commands of a tape drive that a media manager needs (SSC).

use super::layout::{bit, commands};

commands! {
    /// LOAD UNLOAD.
    #[doc(alias = "LOAD UNLOAD")]
    #[derive(Default)]
    LoadUnload = 0x1B [6] {
        /// IMMED: answer at once, then poll.
        immediate: bool = bit(1, 0),
        /// LOAD: load; otherwise unload.
        load: bool = bit(4, 0),
        /// RETEN: even out the tape's tension first.
        retension: bool = bit(4, 1),
        /// EOT: leave the tape at its end.
        end_of_tape: bool = bit(4, 2),
        /// HOLD: seat the cartridge but do not thread the tape.
        hold: bool = bit(4, 3),
    }
}
