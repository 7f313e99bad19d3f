//! Tape drives: where the tape is, and which formats there are (SSC).

mod density;
mod position;

pub use self::density::{DensityDescriptor, DensityReport};
pub use self::position::{LongPosition, TapePosition};
