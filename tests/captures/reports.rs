//! Whether a report of element status is decoded as it stands, and what is odd in it.

use std::collections::BTreeSet;

use autochanger_scsi::*;

use crate::check::{Tally, count, ensure, usual};

/// Bytes by which the reports of one device (tgt) are shorter than they say.
const KNOWN_SHORTFALL: u32 = 8;

pub(crate) fn check_elements(
    command: ReadElementStatus,
    room: usize,
    data: &[u8],
    layout: Option<&ElementAddressAssignment>,
    tally: &mut Tally,
) -> Result<(), String> {
    let Ok(report) = ElementStatus::parse(data) else {
        usual!(tally, false, "no report in {} bytes", data.len());
        return Ok(());
    };
    let got = data.len() as u32;
    let whole = 8 + report.byte_count();
    let limit = command.allocation.min(room as u32);
    let shortfall = whole.min(limit).checked_sub(got);
    usual!(
        tally,
        shortfall.is_some_and(|bytes| bytes <= KNOWN_SHORTFALL),
        "{got} bytes of {whole}, {limit} allowed"
    );
    ensure!(report.is_truncated() == (got < whole), "{got} bytes of {whole} are not known as truncated");
    if !report.is_well_formed() {
        count(tally, "malformed report");
        return Ok(());
    }
    if command.element_type.is_none() && report.is_truncated() {
        // Pages that overlap show only where the report is whole.
        count(tally, "report of all types, cut");
        return Ok(());
    }
    let elements: Vec<_> = report.elements().collect();
    let mut addresses = BTreeSet::new();
    let mut labels = BTreeSet::new();
    for (index, element) in elements.iter().enumerate() {
        let (element_type, address) = (element.element_type(), element.address());
        let known = layout.is_none_or(|layout| layout.range(element_type).contains(address));
        usual!(tally, known, "{element_type} element {address} is not in the layout");
        usual!(
            tally,
            command.element_type.is_none_or(|asked| asked == element_type),
            "{element_type} was not asked for"
        );
        usual!(tally, address >= command.start, "element {address} lies before {}", command.start);
        usual!(tally, addresses.insert(address), "element {address} is reported twice");
        ensure!(
            element.is_complete() || index + 1 == elements.len(),
            "element {address} is cut in the middle"
        );
        if element.full()
            && let Some(tag) = element.volume_tag()
        {
            usual!(tally, labels.insert(tag.identifier()), "{tag} is in two elements");
        }
    }
    check_number(command, &report, &elements, layout, tally);
    count(tally, "element status report");
    *tally.counts.entry("elements").or_default() += elements.len();
    *tally.counts.entry("labels").or_default() += labels.len();
    Ok(())
}

/// Whether as many elements are found as the report counts and the layout has.
fn check_number(
    command: ReadElementStatus,
    report: &ElementStatus<'_>,
    elements: &[Element<'_>],
    layout: Option<&ElementAddressAssignment>,
    tally: &mut Tally,
) {
    // Of a report that is a little short, the last descriptor may be missing.
    let page_bytes: u32 = report.pages().map(|page| 8 + page.byte_count()).sum();
    let cut = report.is_truncated();
    if cut && page_bytes.abs_diff(report.byte_count()) > KNOWN_SHORTFALL {
        return;
    }
    let fits = |found: usize, expected: usize| found == expected || (cut && found + 1 == expected);
    let cut_by_allocation = command.allocation < 8 + report.byte_count();
    let available = usize::from(report.elements_available());
    if !cut_by_allocation && available != 0 {
        usual!(
            tally,
            fits(elements.len(), available),
            "{} elements where {available} are counted",
            elements.len()
        );
    }
    if let Some(layout) = layout
        && !cut_by_allocation
        && command.start == ElementAddress(0)
        && command.count == u16::MAX
    {
        for element_type in ElementType::ALL {
            let asked = command.element_type.is_none_or(|asked| asked == element_type);
            let expected = if asked { usize::from(layout.range(element_type).count) } else { 0 };
            let found = elements.iter().filter(|element| element.element_type() == element_type).count();
            usual!(tally, fits(found, expected), "{found} {element_type} elements instead of {expected}");
        }
    }
}
