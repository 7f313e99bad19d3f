//! What an answer of READ ELEMENT STATUS is worth: its elements, as far as they can be believed, and what is odd about them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

use autochanger_scsi::{
    AdditionalSense, Dialect, Element, ElementAddress, ElementCondition, ElementPage, ElementStatus,
    ElementType, VolumeTag,
};

use super::style::HEADER;
use crate::pairing::DriveElement;
use crate::quirk::Quirk;
use crate::request::ElementName;

/// The shortest descriptor of SCSI-2: address, flags, source.
const FULL_DESCRIPTOR: u16 = 12;
/// Longer descriptors than any layout gives: 12 bytes, two tags, an identifier of 255 bytes, and as many of the vendor's.
const LONGEST_DESCRIPTOR: u16 = 12 + 2 * 36 + 4 + 255 + 255;

/// One element, as the library reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ElementReport {
    pub(crate) name: ElementName,
    pub(crate) full: bool,
    pub(crate) accessible: bool,
    pub(crate) exception: Option<AdditionalSense>,
    pub(crate) source: Option<ElementAddress>,
    pub(crate) tag: Option<Arc<str>>,
    /// IMPEXP: a person put it into this port.
    pub(crate) by_hand: bool,
}

impl ElementReport {
    pub(crate) fn from_element(element: &Element<'_>) -> Self {
        Self {
            name: ElementName { kind: element.element_type(), address: element.address() },
            full: element.full(),
            accessible: element.access() && !element.disabled(),
            exception: element.exception(),
            source: element.source(),
            // Empty elements carry stale or blank tags: FULL decides.
            tag: element.volume_tag().filter(|_| element.full()).map(|tag| tag.identifier().into()),
            by_hand: element.full() && element.import_export(),
        }
    }
}

/// An element of an answer.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) report: ElementReport,
    /// The identifier of a drive, where there is one.
    pub(crate) drive: Option<DriveElement>,
    /// Its descriptor is whole.
    pub(crate) complete: bool,
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// The elements of the type that was meant, by address.
    pub(crate) elements: BTreeMap<u16, Found>,
    /// The highest address of any type.
    pub(crate) highest: Option<u16>,
    /// The length of the descriptors of the type that was meant.
    pub(crate) descriptor: u16,
    /// The report goes on behind what had room.
    pub(crate) cut: bool,
    /// There are elements behind what its byte counts say.
    pub(crate) hidden: bool,
    pub(crate) quirks: BTreeSet<Quirk>,
}

impl Reply {
    /// Reads an answer to a question for elements of `kind`, with room for `allocation` bytes; `sorted_out`: it was asked for
    /// all types.
    pub(crate) fn read(data: &[u8], kind: ElementType, allocation: u32, sorted_out: bool) -> Self {
        let mut reply = Self::default();
        let Ok(report) = ElementStatus::parse(data) else { return reply };
        // Nothing but zeros is what a buffer had before.
        if report.byte_count() == 0 && !is_longer(&report, data) {
            return reply;
        }
        let short = report.is_truncated();
        // Most libraries cut at the end of a descriptor: where the next one, or the header of a page with one, has no room.
        let longest =
            report.pages().map(|page| page.descriptor_length()).filter(|it| *it <= LONGEST_DESCRIPTOR);
        let next = HEADER + longest.max().map_or(0, u32::from);
        let left = |length| allocation.saturating_sub(length);
        reply.cut = short && u32::try_from(data.len()).is_ok_and(|length| left(length) < next);
        if short && !reply.cut {
            reply.quirks.insert(Quirk::ShortReports);
        }
        let well_formed = report.is_well_formed() && !is_longer(&report, data);
        let (mut pages, mut count, mut last) = (0, 0_u32, None);
        let mut counted = 0_u64;
        for page in report.pages() {
            // Behind a wrong count the next page begins in the midst of a descriptor.
            if !well_formed && !is_plausible(&page) {
                reply.quirks.insert(Quirk::WrongByteCounts);
                reply.hidden = true;
                break;
            }
            counted += u64::from(HEADER) + u64::from(page.byte_count());
            count += page.elements().count() as u32;
            for element in page.elements() {
                reply.highest = reply.highest.max(Some(element.address().0));
            }
            if page.descriptor_length() == 0 {
                reply.quirks.insert(Quirk::EmptyPages);
                continue;
            }
            if page.element_type() != Some(kind) {
                if !sorted_out {
                    reply.quirks.insert(Quirk::OtherTypes);
                }
                continue;
            }
            pages += 1;
            if pages > 1 {
                reply.quirks.insert(Quirk::SeveralPages);
            }
            reply.descriptor = page.descriptor_length();
            if page.descriptor_length() < FULL_DESCRIPTOR {
                reply.quirks.insert(Quirk::ShortDescriptors);
            }
            for element in page.elements() {
                let address = element.address().0;
                if last.is_some_and(|last| last > address) {
                    reply.quirks.insert(Quirk::Unordered);
                }
                last = Some(address);
                reply.note_tags(&page, &element);
                let found = Found {
                    report: ElementReport::from_element(&element),
                    drive: identifies(&element).then(|| DriveElement::of(&element)),
                    complete: element.is_complete(),
                };
                if reply.elements.insert(address, found).is_some() {
                    reply.quirks.insert(Quirk::RepeatedElements);
                }
            }
        }
        reply.hidden |= is_longer(&report, data);
        if reply.hidden || (!short && counted != u64::from(report.byte_count())) {
            reply.quirks.insert(Quirk::WrongByteCounts);
        }
        if !report.is_truncated() && u32::from(report.elements_available()) != count {
            reply.quirks.insert(Quirk::WrongElementCounts);
        }
        reply
    }

    /// Notes what is odd about an element's labels.
    fn note_tags(&mut self, page: &ElementPage<'_>, element: &Element<'_>) {
        if !element.is_complete() {
            return;
        }
        let raw = element.raw_volume_tag();
        let missing = (page.primary_volume_tags() && raw.is_none())
            || (page.alternate_volume_tags() && element.raw_alternate_volume_tag().is_none());
        if missing {
            self.quirks.insert(Quirk::FalseTagFlags);
        }
        let Some(raw) = raw else { return };
        match VolumeTag::parse(raw) {
            Some(_) if !element.full() => {
                self.quirks.insert(Quirk::StaleTags);
            }
            None if raw.iter().take(32).any(|byte| !matches!(byte, 0 | b' ')) => {
                self.quirks.insert(Quirk::UnreadableTags);
            }
            _ => {}
        }
    }
}

/// Whether an element has the identifier of a drive.
pub(crate) fn identifies(element: &Element<'_>) -> bool {
    element.element_type() == ElementType::Drive && element.device_id().is_some()
}

/// Whether there are elements behind what the report counts. Zeros are what a buffer had before.
fn is_longer(report: &ElementStatus<'_>, data: &[u8]) -> bool {
    let counted = u64::from(report.byte_count()) + u64::from(HEADER);
    let behind = usize::try_from(counted).ok().and_then(|counted| data.get(counted..)).unwrap_or_default();
    behind.iter().any(|byte| *byte != 0)
}

/// Whether the header of a page can be one.
fn is_plausible(page: &ElementPage<'_>) -> bool {
    page.element_type().is_some() && page.descriptor_length() <= LONGEST_DESCRIPTOR && page.has_clean_header()
}

/// The report of just that element, where the answer has one. The last, where it has several.
pub(crate) fn find_one(data: &[u8], element: ElementName) -> Option<ElementReport> {
    let report = ElementStatus::parse(data).ok()?;
    report
        .elements()
        .filter(|found| found.element_type() == element.kind && found.address() == element.address)
        .last()
        .map(|found| ElementReport::from_element(&found))
}

/// Whether the source addresses of cartridges in drives are not those of empty slots.
pub(crate) fn odd_sources(elements: &[ElementReport]) -> Option<Quirk> {
    let empty: BTreeSet<_> = elements
        .iter()
        .filter(|report| report.name.kind != ElementType::Drive && !report.full)
        .map(|report| report.name.address)
        .collect();
    let in_drives = elements.iter().filter(|report| report.full && report.name.kind == ElementType::Drive);
    in_drives
        .filter_map(|report| report.source)
        .any(|source| !empty.contains(&source))
        .then_some(Quirk::SourceUntrue)
}

/// Whether bays without a drive are among the drives. A code at a drive that holds something, or lets the robot reach in, says
/// something else.
pub(crate) fn empty_bays(elements: &[ElementReport], dialect: &Dialect) -> Option<Quirk> {
    let no_drive = |code: AdditionalSense| dialect.element(code) == ElementCondition::NoDrive;
    let empty = |report: &ElementReport| {
        report.name.kind == ElementType::Drive
            && !report.full
            && !report.accessible
            && report.exception.is_some_and(no_drive)
    };
    elements.iter().any(empty).then_some(Quirk::EmptyBays)
}

/// Whether no label in a slot was read, and the library says for some that it has not looked.
pub(crate) fn unscanned(elements: &[ElementReport], dialect: &Dialect) -> Option<Quirk> {
    let full = || elements.iter().filter(|report| report.full && report.name.kind == ElementType::Storage);
    // Where no label at all was read, one that is missing is one that was not looked for: some say the same of both.
    let not_looked = |code: AdditionalSense| {
        use ElementCondition::{LabelMissing, LabelSuspect, NotScanned};
        matches!(dialect.element(code), NotScanned | LabelSuspect | LabelMissing)
    };
    (full().all(|report| report.tag.is_none())
        && full().any(|report| report.exception.is_some_and(not_looked)))
    .then_some(Quirk::UnscannedLabels)
}
