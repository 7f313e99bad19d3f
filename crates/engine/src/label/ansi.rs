//! Volume labels of ANSI X3.27 (ISO 1001, ECMA-13), and LTFS' kind of them: one block of 80 characters that begins with `VOL1`.

use crate::catalog::Label;

use super::LabelFormat;

/// A volume label has exactly this many characters.
const LENGTH: usize = 80;
/// Volume identifier: characters 5 to 10.
const VOLUME: core::ops::Range<usize> = 4..10;
/// Implementation identifier: characters 25 to 37.
const IMPLEMENTATION: core::ops::Range<usize> = 24..37;
/// Owner identifier: characters 38 to 51.
const OWNER: core::ops::Range<usize> = 37..51;

/// Volume labels of ANSI X3.27: the id is the volume identifier, the description the owner's.
#[derive(Debug, Clone, Copy)]
pub struct AnsiLabel;

/// LTFS: an ANSI volume label whose implementation identifier is `LTFS` (LTFS Format Specification, "VOL1 Label").
#[derive(Debug, Clone, Copy)]
pub struct LtfsLabel;

impl LabelFormat for AnsiLabel {
    fn name(&self) -> &str {
        "ANSI"
    }

    fn claim(&self, first_block: &[u8]) -> Option<Label> {
        volume(self.name(), first_block)
    }
}

impl LabelFormat for LtfsLabel {
    fn name(&self) -> &str {
        "LTFS"
    }

    fn claim(&self, first_block: &[u8]) -> Option<Label> {
        let ours = text(first_block, IMPLEMENTATION)?.trim_end() == "LTFS";
        if ours { volume(self.name(), first_block) } else { None }
    }
}

fn volume(format: &str, block: &[u8]) -> Option<Label> {
    if block.len() != LENGTH || !block.starts_with(b"VOL1") {
        return None;
    }
    let id = text(block, VOLUME)?.trim_end();
    let owner = text(block, OWNER).unwrap_or_default().trim();
    Some(Label { format: format.into(), id: id.as_bytes().into(), description: owner.into() })
}

/// Characters of a label: ASCII, as the standard asks for.
fn text(block: &[u8], range: core::ops::Range<usize>) -> Option<&str> {
    let text = core::str::from_utf8(block.get(range)?).ok()?;
    text.chars().all(|c| c == ' ' || c.is_ascii_graphic()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::{recognize, usual_formats};
    use super::*;
    use crate::request::LabelFound;
    use alloc::format;
    use alloc::vec::Vec;

    fn vol1(volume: &str, implementation: &str, owner: &str) -> Vec<u8> {
        let label = format!("VOL1{volume:<6}L{:13}{implementation:<13}{owner:<14}{:28}4", "", "");
        assert_eq!(label.len(), LENGTH);
        label.into_bytes()
    }

    fn named(block: &[u8]) -> Option<(alloc::string::String, alloc::string::String)> {
        match recognize(&usual_formats(), block) {
            LabelFound::Known(label) => Some((format!("{label}"), format!("{}", label.description))),
            _ => None,
        }
    }

    #[test]
    fn volume_labels_tell_their_volume_and_owner_and_ltfs_is_told_from_others() {
        assert_eq!(named(&vol1("AB12", "SOMEBODY", "OWNER")), Some(("ANSI AB12".into(), "OWNER".into())));
        assert_eq!(named(&vol1("VT0001", "LTFS", "")), Some(("LTFS VT0001".into(), "".into())));
    }

    #[test]
    fn what_is_not_a_volume_label_is_not_claimed() {
        let mut control = vol1("VT0001", "LTFS", "");
        control[5] = 0;
        let long: Vec<u8> = vol1("VT0001", "LTFS", "").into_iter().chain([b' ']).collect();
        for block in [control, long, b"VOL1".to_vec(), alloc::vec![0; LENGTH], alloc::vec![0xE5; 10_240]] {
            assert_eq!(named(&block), None);
        }
    }
}
