//! A rig around a device: sends commands, lets virtual time pass, keeps outcomes.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::time::Duration;

use autochanger_scsi::{
    Cdb, ElementAddress, ElementStatus, ElementType, MoveMedium, ReadElementStatus, Sense, Status,
    TestUnitReady,
};
use autochanger_sim::{Answer, Device, Key, Library, Outcome, Unit};

pub(crate) struct Rig {
    pub(crate) device: Device,
    ended: BTreeMap<Key, (Duration, Outcome)>,
}

/// A library as by default, with cartridges in slots 1000 to 1019 and no unit attention left.
pub(crate) fn rig() -> Rig {
    rig_of(stocked())
}

pub(crate) fn stocked() -> Library {
    Library::new().serial("LIB00042").cartridges("VT{:04}L8", 1..=20)
}

pub(crate) fn rig_of(library: Library) -> Rig {
    let mut rig = Rig { device: library.build(), ended: BTreeMap::new() };
    for lun in 0..=rig.device.drive_count() {
        assert_eq!(code(&rig.send(lun, ready())), (6, 0x29, 0x00));
    }
    rig
}

pub(crate) fn ready() -> Cdb {
    TestUnitReady::default().cdb()
}

pub(crate) fn at(address: u16) -> ElementAddress {
    ElementAddress(address)
}

pub(crate) fn move_medium(from: u16, to: u16) -> Cdb {
    MoveMedium { transport: at(0), source: at(from), destination: at(to), invert: false }.cdb()
}

pub(crate) fn read(element_type: Option<ElementType>) -> ReadElementStatus {
    ReadElementStatus {
        element_type,
        start: at(0),
        count: 0xFFFF,
        volume_tags: true,
        current_data: true,
        device_ids: false,
        allocation: 65_535,
    }
}

/// Key, code and qualifier of the sense data; zeros when there is none.
pub(crate) fn code(answer: &Answer) -> (u8, u8, u8) {
    match Sense::parse(&answer.sense) {
        Some(sense) => {
            assert_eq!(answer.status, Status::CheckCondition);
            (sense.key.code(), sense.code.asc, sense.code.ascq)
        }
        None => (0, 0, 0),
    }
}

/// The byte that the sense data points at.
pub(crate) fn pointer(answer: &Answer) -> Option<u16> {
    let pointer = Sense::parse(&answer.sense)?.field_pointer?;
    assert!(pointer.command);
    Some(pointer.byte)
}

#[track_caller]
pub(crate) fn good(answer: Answer) -> Vec<u8> {
    assert_eq!((answer.status, code(&answer)), (Status::Good, (0, 0, 0)));
    answer.data
}

impl Rig {
    pub(crate) fn now(&self) -> Duration {
        self.device.now()
    }

    pub(crate) fn start(&mut self, unit: impl Into<Unit>, cdb: Cdb) -> Key {
        let now = self.device.now();
        let key = self.device.submit(now, unit, cdb.as_bytes(), &[], u32::MAX);
        self.collect(now);
        key
    }

    fn collect(&mut self, now: Duration) {
        for (key, outcome) in self.device.advance(now) {
            assert!(self.ended.insert(key, (self.device.now(), outcome)).is_none(), "{key:?} ended twice");
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.device.now() + time;
        while let Some(next) = self.device.next_event().filter(|next| *next <= end) {
            self.collect(next);
        }
        self.collect(end);
    }

    pub(crate) fn ended(&self, key: Key) -> Option<&Outcome> {
        self.ended.get(&key).map(|(_, outcome)| outcome)
    }

    /// When a command ended.
    pub(crate) fn end_of(&mut self, key: Key) -> Duration {
        self.finish(key);
        self.ended[&key].0
    }

    /// Lets time pass until the command has ended.
    #[track_caller]
    pub(crate) fn finish(&mut self, key: Key) -> Outcome {
        self.collect(self.device.now());
        while !self.ended.contains_key(&key) {
            let next = self.device.next_event().expect("nothing will end the command");
            self.collect(next);
        }
        self.ended[&key].1.clone()
    }

    #[track_caller]
    pub(crate) fn answer(&mut self, key: Key) -> Answer {
        match self.finish(key) {
            Outcome::Answered(answer) => answer,
            other => panic!("no answer: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, unit: impl Into<Unit>, cdb: Cdb) -> Answer {
        let key = self.start(unit, cdb);
        self.answer(key)
    }

    /// Sends a command with its parameter list.
    #[track_caller]
    pub(crate) fn send_out(&mut self, unit: impl Into<Unit>, cdb: Cdb, data_out: &[u8]) -> Answer {
        let now = self.device.now();
        let key = self.device.submit(now, unit, cdb.as_bytes(), data_out, 0);
        self.collect(now);
        self.answer(key)
    }

    #[track_caller]
    pub(crate) fn send_bytes(&mut self, unit: impl Into<Unit>, cdb: &[u8]) -> Answer {
        let now = self.device.now();
        let key = self.device.submit(now, unit, cdb, &[], u32::MAX);
        self.collect(now);
        self.answer(key)
    }

    #[track_caller]
    pub(crate) fn moves(&mut self, from: u16, to: u16) {
        good(self.send(0, move_medium(from, to)));
    }

    /// What the changer reports of one element: full, accessible, source, tag.
    pub(crate) fn element(&mut self, address: u16) -> (bool, bool, Option<u16>, Option<String>) {
        let data = good(self.send(0, read(None).cdb()));
        let status = ElementStatus::parse(&data).expect("a report");
        let element = status.elements().find(|element| element.address().0 == address).expect("the element");
        (
            element.full(),
            element.access(),
            element.source().map(|source| source.0),
            element.volume_tag().map(|tag| tag.identifier().to_owned()),
        )
    }

    pub(crate) fn find(&self, barcode: &str) -> Option<u16> {
        self.device.find(barcode).map(|address| address.0)
    }
}
