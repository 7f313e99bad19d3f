//! Finding in the captures what is then compared with values read off the hexadecimal by eye.

use std::sync::LazyLock;

use autochanger_scsi::*;

use crate::record::{Capture, Record, read_directory};

static CAPTURES: LazyLock<Vec<Capture>> = LazyLock::new(|| read_directory(&crate::our_directory()));

pub(crate) fn capture(name: &str) -> &'static Capture {
    let found = CAPTURES.iter().find(|capture| capture.name == name);
    found.unwrap_or_else(|| panic!("there is no capture {name}"))
}

pub(crate) fn elements(record: &'static Record) -> Vec<Element<'static>> {
    ElementStatus::parse(record.data()).expect("header").elements().collect()
}

pub(crate) fn label(element: &Element<'static>) -> Option<&'static str> {
    element.volume_tag().map(|tag| tag.identifier())
}

pub(crate) fn serial(element: &Element<'static>) -> Option<&'static str> {
    element.device_id().and_then(|id| id.serial())
}

pub(crate) fn sense(record: &Record) -> Sense {
    Sense::parse(record.sense()).expect("sense data")
}

pub(crate) fn illegal_request(asc: u8, ascq: u8) -> Sense {
    Sense::new(SenseKey::IllegalRequest, asc, ascq)
}

pub(crate) fn pointing_at(byte: u16, sense: Sense) -> Sense {
    sense.with_field_pointer(FieldPointer { command: true, byte, bit: None })
}
