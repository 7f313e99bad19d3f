//! MODE SENSE in the forms that libraries know (SPC-4 6.13, 6.14).

use autochanger_scsi::{ModeParameters, ModeSense6, ModeSense10, PageControl};

use crate::command::Command;
use crate::input::Timing;

/// The forms of MODE SENSE, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeometryForm {
    SixWithoutDescriptors,
    Six,
    Ten,
}

/// MODE SENSE of a page.
pub(crate) fn mode_sense(page: u8, form: GeometryForm, timing: Timing) -> Command {
    /// One byte of length in the six-byte form.
    const ALLOCATION: u8 = 255;
    let cdb = match form {
        GeometryForm::SixWithoutDescriptors | GeometryForm::Six => ModeSense6 {
            page,
            subpage: 0,
            control: PageControl::Current,
            disable_block_descriptors: form == GeometryForm::SixWithoutDescriptors,
            allocation: ALLOCATION,
        }
        .cdb(),
        GeometryForm::Ten => ModeSense10 {
            page,
            subpage: 0,
            control: PageControl::Current,
            disable_block_descriptors: true,
            allocation: u16::from(ALLOCATION),
        }
        .cdb(),
    };
    Command::reading(cdb, u32::from(ALLOCATION), timing.status)
}

/// The answer, in the form that was asked for.
pub(crate) fn parse_mode(data: &[u8], form: GeometryForm) -> Option<ModeParameters<'_>> {
    match form {
        GeometryForm::SixWithoutDescriptors | GeometryForm::Six => ModeParameters::parse6(data).ok(),
        GeometryForm::Ten => ModeParameters::parse10(data).ok(),
    }
}
