//! Where each drive is now: what is kept of a drive is true of it wherever it stands, and it is known by its serial number.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::work::{Timer, Work};
use crate::catalog::{Blame, DriveRecord, Service};
use crate::changer::inventory::Inventory;
use crate::changer::reply::ElementReport;
use crate::id::{Device, LibraryId, LibraryIndex, RequestId};
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::output::{Change, EventKind};
use crate::pairing::{DriveElement, same_serial};
use crate::request::{ElementName, Place};
use crate::time::Now;

/// Which serial numbers the drive in each drive element goes by now; none where it could not be found out.
pub(crate) type Names = BTreeMap<ElementAddress, Vec<Arc<str>>>;

/// The name by which the library tells the drive in an element.
pub(crate) fn told_of(drives: &[DriveElement], address: ElementAddress) -> Option<Arc<str>> {
    drives.iter().find(|drive| drive.address == address)?.name()
}

/// The names of the drives in the elements that were read: as the library tells them, and as they do themselves.
pub(crate) fn names(
    elements: &[ElementReport],
    drives: &[DriveElement],
    own: impl Fn(ElementAddress) -> Option<Arc<str>>,
) -> Names {
    let elements = elements.iter().filter(|element| element.name.kind == ElementType::Drive);
    let addresses = elements.map(|element| element.name.address);
    addresses
        .map(|address| (address, own(address).into_iter().chain(told_of(drives, address)).collect()))
        .collect()
}

fn is_it(known: &[Arc<str>], found: &[Arc<str>], same: fn(&str, &str) -> bool) -> bool {
    known.iter().any(|one| found.iter().any(|other| same(one, other)))
}

/// Which drives have moved, from where to where. One that could be in two places is taken for neither.
fn moves(
    known: &[(ElementAddress, Vec<Arc<str>>)],
    found: &Names,
    unsettled: &BTreeSet<ElementAddress>,
) -> BTreeMap<ElementAddress, ElementAddress> {
    let mut moved = BTreeMap::new();
    for (from, names) in known {
        let stays = found.get(from).is_some_and(|here| here.is_empty() || is_it(names, here, same_serial));
        if stays || names.is_empty() || unsettled.contains(from) {
            continue;
        }
        let places = |same: fn(&str, &str) -> bool| -> Vec<ElementAddress> {
            found.iter().filter(|(_, here)| is_it(names, here, same)).map(|(&to, _)| to).collect()
        };
        let exact = places(|one, other| one == other);
        let to = if exact.is_empty() { places(same_serial) } else { exact };
        if let [to] = to.as_slice()
            && !unsettled.contains(to)
            && !moved.values().any(|taken| taken == to)
        {
            moved.insert(*from, *to);
        }
    }
    moved
}

impl Engine {
    /// The drives were found: those that stand elsewhere than before take with them what was kept, reserved and mounted.
    /// Before the elements are laid over the catalogue, for a medium in a drive has moved with it. The drives of which nothing is
    /// concluded, because a motion to or from them is not settled.
    pub(crate) fn follow_drives(
        &mut self,
        index: LibraryIndex,
        here: &Names,
        now: Now,
    ) -> BTreeSet<ElementAddress> {
        let Some(library) = self.library(index) else { return BTreeSet::new() };
        let (Some(id), name) = (library.id, library.config.name.clone()) else { return BTreeSet::new() };
        let of_drive = |address| library.elements.get(address).and_then(|element| element.drive.as_ref());
        let records = self.known_drives.range((id, ElementAddress(0))..=(id, ElementAddress(u16::MAX)));
        let known: Vec<(ElementAddress, Vec<Arc<str>>)> = records
            .map(|(&(_, address), record)| {
                let told = of_drive(address).and_then(|drive| drive.told.clone());
                (address, record.serial.iter().cloned().chain(told).collect())
            })
            .collect();
        let unsettled = self.drives_of_open_motions(index);
        let moved = moves(&known, here, &unsettled);
        let another = |address: &ElementAddress| {
            let names = known.iter().find(|(known, _)| known == address).map(|(_, names)| names);
            let here = here.get(address).filter(|here| !here.is_empty());
            names.zip(here).is_some_and(|(names, here)| !names.is_empty() && !is_it(names, here, same_serial))
        };
        let unsure: BTreeSet<ElementAddress> = unsettled.iter().copied().filter(another).collect();
        let strangers = here.keys().copied().filter(another);
        let strangers = strangers.filter(|it| !unsettled.contains(it) && !moved.contains_key(it)).collect();
        if let Some(library) = self.library_mut(index) {
            library.drives_unsure = !unsure.is_empty();
            library.strangers = strangers;
        }
        if moved.is_empty() {
            return unsure;
        }
        // Who waits for one of them finds out where it is.
        for drive in moved.iter().flat_map(|(from, to)| [*from, *to]) {
            self.wake_all(index, Blocker::Drive(drive));
        }
        let told = self.told_of_drives(index, moved.iter().flat_map(|(from, to)| [*from, *to]));
        self.move_records(id, &moved);
        self.move_media(id, &moved);
        self.move_open_motions(index, id, &moved);
        self.move_requests(index, id, &moved);
        if let Some(library) = self.library_mut(index) {
            let astray = library.elements.move_drives(&moved);
            library.astray.extend(astray);
            library.remarks.retain(|(drive, _), _| drive.is_none_or(|drive| !moved.contains_key(&drive)));
        }
        for (&from, &to) in &moved {
            let serial = self.known_drives.get(&(id, to)).and_then(|record| record.serial.clone());
            let serial = serial.unwrap_or_else(|| "?".into());
            self.tell(EventKind::DriveMoved { library: name.clone(), serial, from, to }, now);
            // What waits for the end of a dwell, or of a drive's rest, waits for it there.
            self.set_timer(now.monotonic, Timer::DwellOver(index, to));
            let Some(library) = self.library(index) else { continue };
            let drive = library.elements.get(to).and_then(|element| element.drive.as_ref());
            let dwell = drive
                .and_then(|drive| drive.deferred)
                .map(|(_, since)| since.saturating_add(library.config.dwell));
            let rest = drive.map(|drive| drive.unyielding.1);
            let later = |at: &core::time::Duration| *at > now.monotonic && *at < core::time::Duration::MAX;
            for at in [dwell, rest].into_iter().flatten().filter(later) {
                self.set_timer(at, Timer::DwellOver(index, to));
            }
        }
        self.tell_other_drives(index, &told);
        self.wake_lines(index);
        unsure
    }

    /// An inventory has found the drives. Where another one stands than before, the library is read anew as a whole, with the drives'
    /// own words and the ways to them; what has moved is followed at once, for the media in them are known by it.
    pub(crate) fn find_drives(&mut self, index: LibraryIndex, inventory: &Inventory, now: Now) {
        let here = names(&inventory.elements, &inventory.drives, |_| None);
        let Some(library) = self.library_mut(index) else { return };
        let others = here.iter().any(|(address, told)| {
            let known =
                library.elements.get(*address).and_then(|element| element.drive.as_ref()?.told.clone());
            known.is_some_and(|known| !told.is_empty() && !told.contains(&known))
        });
        if others {
            library.touch(Stale::Library);
            let _: BTreeSet<ElementAddress> = self.follow_drives(index, &here, now);
        }
    }

    /// Drives at an end of a motion that is not settled: what is in them, and so which they are, is that motion's matter. A motion that an
    /// earlier process left open, and that nobody has looked into yet, went to the drive, wherever that is now.
    fn drives_of_open_motions(&self, index: LibraryIndex) -> BTreeSet<ElementAddress> {
        let open = self.library(index).into_iter().flat_map(|library| library.motions.values());
        open.flat_map(|motion| [motion.record.source, motion.record.destination])
            .filter(|end| end.kind == ElementType::Drive)
            .map(|end| end.address)
            .collect()
    }

    fn move_open_motions(
        &mut self,
        index: LibraryIndex,
        id: LibraryId,
        moved: &BTreeMap<ElementAddress, ElementAddress>,
    ) {
        let library = self.libraries.get(usize::from(index.0));
        let looked_into = |request: &RequestId| library.is_some_and(|it| it.motions.contains_key(request));
        for (_, motion) in self.open_motions.iter_mut().filter(|(request, _)| !looked_into(request)) {
            for end in [&mut motion.source, &mut motion.destination] {
                if let Some(&to) = moved.get(&end.address).filter(|_| end.kind == ElementType::Drive)
                    && motion.library == id
                {
                    end.address = to;
                }
            }
        }
    }

    fn move_records(&mut self, id: LibraryId, moved: &BTreeMap<ElementAddress, ElementAddress>) {
        let taken: Vec<DriveRecord> = moved
            .iter()
            .filter_map(|(from, &to)| {
                Some(DriveRecord { element: to, ..self.known_drives.remove(&(id, *from))? })
            })
            .collect();
        // A bay that was left, and in which no drive is known now.
        for from in moved.keys().filter(|from| !moved.values().any(|to| to == *from)) {
            self.outbox.change(Change::Drive(DriveRecord {
                library: id,
                element: *from,
                serial: None,
                service: Service::default(),
                last_cleaned: None,
                wants_cleaning: false,
                blame: Blame::default(),
            }));
        }
        for record in taken {
            self.outbox.change(Change::Drive(record.clone()));
            self.known_drives.insert((id, record.element), record);
        }
    }

    fn move_media(&mut self, id: LibraryId, moved: &BTreeMap<ElementAddress, ElementAddress>) {
        let in_drive = |place: &Place| match place {
            Place::Element(name) if name.kind == ElementType::Drive => moved.get(&name.address).copied(),
            _ => None,
        };
        let media: Vec<_> = self
            .catalogue
            .cartridges()
            .filter(|cartridge| cartridge.library == id)
            .filter_map(|cartridge| Some((cartridge.id, in_drive(&cartridge.place)?)))
            .collect();
        for (medium, address) in media {
            let place = Place::Element(ElementName { kind: ElementType::Drive, address });
            self.keep_cartridge(medium, |cartridge| cartridge.place = place);
        }
        let mounts = self.catalogue.mounts().filter(|mount| mount.library == id);
        let mounts: Vec<_> =
            mounts.filter_map(|mount| Some((mount.clone(), *moved.get(&mount.drive)?))).collect();
        for (mut mount, drive) in mounts {
            mount.drive = drive;
            self.catalogue.put_mount(mount.clone());
            self.outbox.change(Change::Mount(mount));
        }
    }

    fn move_requests(
        &mut self,
        index: LibraryIndex,
        id: LibraryId,
        moved: &BTreeMap<ElementAddress, ElementAddress>,
    ) {
        let live = self.live.values().filter(|live| {
            live.library == Some(index) || (live.library.is_none() && live.request.library == id)
        });
        let all: Vec<RequestId> =
            live.filter(|live| live.ending.is_none()).map(|live| live.request.id).collect();
        for request in all {
            let Some(live) = self.live.get_mut(&request) else { continue };
            let follow = |drive: &mut ElementAddress| match moved.get(drive) {
                Some(to) => core::mem::replace(drive, *to) != *to,
                None => false,
            };
            live.granted.as_mut().map(follow);
            for (drive, _) in &mut live.suspects {
                let _: bool = follow(drive);
            }
            let named = live.request.named_drive().and_then(|named| moved.get(&named).copied());
            let uses = live.request.drive.as_mut().is_some_and(follow);
            if uses || named.is_some() {
                live.request.drive = named.or(live.request.drive);
                let request = live.request.clone();
                self.outbox.change(Change::Request(request.clone()));
                self.outbox.after(Effect::Event(EventKind::Request(request)));
            }
        }
    }

    /// The drives have their ways: who waits for one that is reached in another way now waits for it there, when the library serves.
    pub(crate) fn follow_ways(&mut self, index: LibraryIndex) {
        let current = |id: RequestId| {
            let drive = self.live.get(&id)?.request.drive?;
            self.drive_device(index, drive)
        };
        let mut left = Vec::new();
        for (task, id, device) in self
            .tasks
            .iter()
            .filter_map(|(task, it)| it.waits_in(index).map(|(id, device)| (*task, id, device)))
        {
            if current(id) != Some(device) {
                left.push((task, id));
            }
        }
        for (task, id) in left {
            self.tasks.remove(&task);
            if let Some(library) = self.library_mut(index) {
                library.routes.awaited.push(id);
            }
        }
    }

    /// The drive's element, by the way that leads to it.
    pub(crate) fn drive_at(&self, index: LibraryIndex, device: Device) -> Option<ElementAddress> {
        let mut drives = self.library(index)?.elements.of_kind(ElementType::Drive);
        let found =
            drives.find(|element| element.drive.as_ref().is_some_and(|drive| drive.device == Some(device)));
        Some(found?.name.address)
    }

    /// A drive says that its inquiry data are others: it is asked who it is.
    pub(crate) fn ask_who(&mut self, index: LibraryIndex, device: Device, now: Now) {
        let asked = |task: &super::work::Task| task.asks_who(index, device);
        let Some(timing) = self.library(index).map(|library| library.config.timing) else { return };
        if self.drive_at(index, device).is_none() || self.tasks.values().any(asked) {
            return;
        }
        let work = crate::drive::who::AskWho::new(device, timing);
        self.begin(index, Work::Who(device, work), now);
    }

    /// The drive has said who it is. Another one than before has changed places with it, or was put in its place.
    pub(crate) fn who_heard(
        &mut self,
        index: LibraryIndex,
        device: Device,
        found: Option<crate::drive::who::Who>,
        _now: Now,
    ) {
        let (Some(found), Some(address)) = (found, self.drive_at(index, device)) else { return };
        let Some(library) = self.library_mut(index) else { return };
        let known = library.elements.get(address).and_then(|element| element.drive.as_ref()?.serial.clone());
        let same = match (known, found.serial) {
            (Some(known), Some(serial)) => same_serial(&known, &serial),
            _ => true,
        };
        if !same {
            library.touch(Stale::Library);
        } else {
            library.note_product(address, Some(&found.product));
        }
        self.mark_dirty(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: u16) -> ElementAddress {
        ElementAddress(address)
    }

    fn drives(list: &[(u16, &[&str])]) -> Vec<(ElementAddress, Vec<Arc<str>>)> {
        let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
        list.iter().map(|(address, serials)| (at(*address), names(serials))).collect()
    }

    fn found(known: &[(u16, &[&str])], now: &[(u16, &[&str])]) -> Vec<(u16, u16)> {
        let here = drives(now).into_iter().collect();
        moves(&drives(known), &here, &BTreeSet::from([at(599)]))
            .into_iter()
            .map(|(from, to)| (from.0, to.0))
            .collect()
    }

    #[test]
    fn a_drive_is_followed_to_where_it_is_and_nowhere_else() {
        let (one, two): (&[&str], &[&str]) = (&["DRIVE00001"], &["DRIVE00002"]);
        let known = [(500, one), (501, two)];
        assert_eq!(found(&known, &[(500, one), (501, two)]), []);
        assert_eq!(found(&known, &[(500, two), (501, one)]), [(500, 501), (501, 500)]);
        assert_eq!(found(&known, &[(256, one), (257, two)]), [(500, 256), (501, 257)]);
        // One is gone, the other stands in its place.
        assert_eq!(found(&known, &[(500, two)]), [(501, 500)]);
        // Replaced.
        assert_eq!(found(&known, &[(500, &["DRIVE00003"]), (501, two)]), []);
        // It does not answer, and the library does not tell.
        assert_eq!(found(&known, &[(500, &[]), (501, two)]), []);
    }

    #[test]
    fn either_of_its_names_is_enough_and_a_name_that_two_have_is_none() {
        // Its own serial number, and the one that the library gave the bay.
        let own: &[&str] = &["OWN0000001", "LOGICAL001"];
        assert_eq!(found(&[(500, own)], &[(500, &["LOGICAL001"])]), []);
        assert_eq!(found(&[(500, own)], &[(500, &["OWN0000001"])]), []);
        assert_eq!(found(&[(500, own)], &[(501, &["OWN0000001"])]), [(500, 501)]);
        assert_eq!(found(&[(500, &["SAME000001"])], &[(501, &["SAME000001"]), (502, &["SAME000001"])]), []);
        // A field that cuts longer numbers.
        assert_eq!(found(&[(500, &["0123456789ABC"])], &[(501, &["3456789ABC"])]), [(500, 501)]);
    }

    #[test]
    fn drives_of_open_motions_stay_what_they_are_until_those_are_settled() {
        let one: &[&str] = &["DRIVE00001"];
        assert_eq!(found(&[(599, one)], &[(500, one)]), []);
        assert_eq!(found(&[(500, one)], &[(599, one)]), []);
    }
}
