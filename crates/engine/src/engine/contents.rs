//! Which cartridge is where: how an inventory is laid over the catalogue.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::emit::Effect;
use super::live::Phase;
use super::recognize::Others;
use super::round::Reconciled;
use crate::catalog::{Cartridge, MotionRecord, MountRecord};
use crate::changer::reply::ElementReport;
use crate::id::{CartridgeId, LibraryId, LibraryIndex, RequestId};
use crate::library::fault::Stale;
use crate::library::queue::Blocker;
use crate::library::{MotionStage, Unsettled};
use crate::output::{Change, EventKind};
use crate::planted::Bug;
use crate::request::{CartridgeRef, ElementName, Place};
use crate::time::Now;

impl Engine {
    /// Lays what was read over what was known. Elements and cartridges of motions that are not settled are left alone.
    pub(crate) fn reconcile(
        &mut self,
        index: LibraryIndex,
        reports: &[ElementReport],
        kinds: &[ElementType],
        now: Now,
    ) -> Reconciled {
        let mut found = Reconciled::default();
        let Some(library_id) = self.library(index).and_then(|library| library.id) else { return found };
        let away = self.unsettled(index, library_id);
        let (unsettled, moving) = (&away.elements, &away.cartridges);
        let changing = self.library(index).is_some_and(|library| library.stale != Stale::Nothing);
        let placed = self.placed_in(library_id);
        let Some(library) = self.library_mut(index) else { return found };
        let strangers = core::mem::take(&mut library.strangers);
        let read: BTreeSet<ElementAddress> = reports.iter().map(|report| report.name.address).collect();
        let gone = library
            .elements
            .retain(|element| !kinds.contains(&element.name.kind) || read.contains(&element.name.address));
        // Who waits for one finds out that it is not there any more.
        for address in gone {
            self.wake_all(index, Blocker::Drive(address));
        }

        let mut seen: BTreeSet<CartridgeId> = BTreeSet::new();
        let labels = reports.iter().filter_map(|report| report.tag.clone()).collect();
        let mut changed: Vec<Cartridge> = Vec::new();
        for report in reports {
            found.elements += 1;
            // A cartridge that is on its way is not taken for a second one of the same label.
            let on_its_way = !self.planted.is(Bug::MediumInTwoPlaces)
                && report.tag.as_ref().is_some_and(|tag| {
                    self.catalogue
                        .find(&CartridgeRef::Barcode(tag.clone()))
                        .iter()
                        .any(|id| moving.contains(id))
                });
            // Hands or an arm carried it on while the library was being read: it is read again, not taken for a second one.
            let read_twice = report.tag.as_ref().is_some_and(|tag| {
                let ids = self.catalogue.find(&CartridgeRef::Barcode(tag.clone()));
                !ids.is_empty() && ids.iter().all(|id| seen.contains(id))
            }) && (report.name.kind == ElementType::Transport || changing);
            if unsettled.contains(&report.name.address) || on_its_way || read_twice {
                // Another cartridge can stand where a motion begins or ends (an exchange of which one half is settled).
                let stands = placed.get(&report.name.address).copied().filter(|id| {
                    let barcode = self.catalogue.cartridge(*id).and_then(|known| known.barcode.as_ref());
                    report.full && !moving.contains(id) && barcode == report.tag.as_ref()
                });
                seen.extend(stands);
                if let Some(library) = self.library_mut(index) {
                    library.elements.note(report, library.dialect);
                    if let Some(id) = stands {
                        library.elements.update(report.name.address, |element| element.cartridge = Some(id));
                    }
                }
                continue;
            }
            let known = self.library(index).and_then(|library| library.elements.get(report.name.address));
            let known =
                known.and_then(|element| element.cartridge).or(placed.get(&report.name.address).copied());
            let known = known.filter(|_| !strangers.contains(&report.name.address));
            let others = Others { seen: &seen, moving, labels: &labels };
            let cartridge = report.full.then(|| self.recognize(report, known, library_id, others, now));
            let mut by_hand = false;
            if let Some((cartridge, is_new)) = &cartridge {
                seen.insert(cartridge.id);
                found.cartridges += 1;
                found.appeared += u32::from(*is_new);
                let before = self.catalogue.cartridge(cartridge.id);
                // Not every library tells who put it there; what the arm has not brought, a person has.
                by_hand = *is_new
                    || cartridge.home.is_none()
                    || before.is_some_and(|before| before.place != cartridge.place);
                let same = before.is_some_and(|b| {
                    (&b.place, b.home, b.library, &b.barcode)
                        == (&cartridge.place, cartridge.home, cartridge.library, &cartridge.barcode)
                });
                if !same {
                    changed.push(cartridge.clone());
                }
                let moved_in = before.is_some_and(|before| before.library != cartridge.library);
                self.catalogue.put(cartridge.clone());
                // It was mounted in a library that is gone.
                if let Some(mount) =
                    self.catalogue.mount_of(cartridge.id).map(|mount| mount.id).filter(|_| moved_in)
                {
                    self.end_mount(index, mount);
                }
            }
            let id = cartridge.map(|(cartridge, _)| cartridge.id);
            if report.name.kind != ElementType::ImportExport {
                by_hand = false;
            }
            if let Some(library) = self.library_mut(index) {
                library.elements.note(report, library.dialect);
                library.elements.update(report.name.address, |element| {
                    element.cartridge = id;
                    element.doubtful = false;
                    element.by_hand = report.full && (report.by_hand || by_hand || element.by_hand);
                    element.ejected &= report.full && !element.by_hand;
                });
            }
        }
        found.missing = self.miss_unseen(library_id, kinds, &seen, &away, &mut changed, now);
        self.reconcile_mounts(index, library_id);
        let forgotten = self.forget_unlabelled(library_id);
        for cartridge in changed {
            // Who waits for it where it was finds out.
            self.wake(index, Blocker::Medium(cartridge.id));
            self.outbox.after(Effect::Event(EventKind::Cartridge {
                id: cartridge.id,
                barcode: cartridge.barcode.clone(),
                place: cartridge.place.clone(),
            }));
            if !forgotten.contains(&cartridge.id) {
                self.outbox.change(Change::Cartridge(cartridge));
            }
        }
        for id in forgotten {
            self.outbox.change(Change::CartridgeGone(id));
        }
        self.reconcile_deferred(index, now);
        if found.missing > 0 {
            self.wake_those_without_cartridge(index);
        }
        self.cartridges_came(now);
        self.leave_unconfigured(now);
        found
    }

    /// Elements and cartridges of motions that are not settled, also those of an earlier process, and of motions that ended
    /// while the elements were being read. Those are read again.
    fn unsettled(&mut self, index: LibraryIndex, id: LibraryId) -> Unsettled {
        let Some(library) = self.library_mut(index) else { return Unsettled::default() };
        let mut unsettled = core::mem::take(&mut library.overtaken);
        if !unsettled.elements.is_empty() {
            library.touch(Stale::All);
        }
        let sent = [MotionStage::Sent, MotionStage::Settling, MotionStage::Paired];
        let here = library.motions.values_mut().filter(|motion| sent.contains(&motion.stage));
        let here: Vec<_> = here
            .map(|motion| {
                motion.unread = true;
                motion.record.clone()
            })
            .collect();
        let arms: Vec<ElementAddress> = library.arms().into_iter().map(|arm| arm.address).collect();
        let earlier = self.open_motions.values().filter(|record| record.library == id);
        for record in here.iter().chain(earlier) {
            unsettled.elements.extend([record.source.address, record.destination.address]);
            unsettled.cartridges.insert(record.cartridge);
            // What an arm holds may be on its way.
            unsettled.elements.extend(arms.iter().copied());
        }
        unsettled
    }

    /// Where the catalogue has the library's cartridges: after a start the elements do not know yet.
    fn placed_in(&self, library: LibraryId) -> BTreeMap<ElementAddress, CartridgeId> {
        let here = self.catalogue.cartridges().filter(|cartridge| cartridge.library == library);
        here.filter_map(|cartridge| match cartridge.place {
            Place::Element(name) => Some((name.address, cartridge.id)),
            _ => None,
        })
        .collect()
    }

    /// Cartridges that must be in an element that was read, and were not seen there; and those of which less is unknown now.
    fn miss_unseen(
        &mut self,
        library: LibraryId,
        kinds: &[ElementType],
        seen: &BTreeSet<CartridgeId>,
        away: &Unsettled,
        changed: &mut Vec<Cartridge>,
        now: Now,
    ) -> u32 {
        let whole = kinds.len() == 4;
        let missing: Vec<Cartridge> = self
            .catalogue
            .cartridges()
            .filter(|cartridge| cartridge.library == library)
            .filter(|cartridge| !seen.contains(&cartridge.id) && !away.cartridges.contains(&cartridge.id))
            .filter_map(|cartridge| {
                let last = match &cartridge.place {
                    Place::Element(name) if away.elements.contains(&name.address) => return None,
                    Place::Element(name) if kinds.contains(&name.kind) => *name,
                    Place::Unknown { one_of } if whole => *one_of.first()?,
                    Place::Unknown { one_of } => return self.less_unknown(cartridge, one_of, kinds, away),
                    _ => return None,
                };
                // What stood in a port was there for a person to take.
                let place = match last.kind {
                    ElementType::ImportExport => Place::Outside { last },
                    _ => Place::Missing { last },
                };
                Some(Cartridge { place, last_seen: now.wall, ..cartridge.clone() })
            })
            .collect();
        for cartridge in &missing {
            self.catalogue.put(cartridge.clone());
            changed.push(cartridge.clone());
        }
        missing.iter().filter(|it| !matches!(it.place, Place::Unknown { .. })).count() as u32
    }

    /// A cartridge can be in fewer places than before when some of them were read and are empty.
    fn less_unknown(
        &self,
        cartridge: &Cartridge,
        one_of: &[ElementName],
        kinds: &[ElementType],
        away: &Unsettled,
    ) -> Option<Cartridge> {
        let elements = &self.libraries.iter().find(|library| library.id == Some(cartridge.library))?.elements;
        let is_empty = |name: &ElementName| {
            kinds.contains(&name.kind)
                && !away.elements.contains(&name.address)
                && elements.get(name.address).is_some_and(|element| !element.full && !element.doubtful)
        };
        let left: Vec<ElementName> = one_of.iter().filter(|name| !is_empty(name)).copied().collect();
        let fewer = !left.is_empty() && left.len() < one_of.len();
        fewer.then(|| Cartridge { place: Place::Unknown { one_of: left }, ..cartridge.clone() })
    }

    /// A cartridge without any label that is not in the library any more cannot be known again, wherever it comes from: nothing is kept
    /// of it, unless somebody still asks for it or has said what it is.
    fn forget_unlabelled(&mut self, library: LibraryId) -> BTreeSet<CartridgeId> {
        let gone = |cartridge: &&Cartridge| {
            let away = matches!(cartridge.place, Place::Missing { .. } | Place::Outside { .. });
            let known =
                cartridge.barcode.is_some() || cartridge.label.is_some() || cartridge.cleaner.is_some();
            away && !known && !cartridge.disabled && cartridge.library == library
        };
        let gone = self.catalogue.cartridges().filter(gone).map(|cartridge| cartridge.id);
        let mut gone: BTreeSet<CartridgeId> = gone
            .filter(|id| self.catalogue.reserver(*id).is_none() && self.catalogue.mount_of(*id).is_none())
            .collect();
        if !gone.is_empty() {
            for cartridge in self.live.values().filter_map(|live| live.request.cartridge) {
                gone.remove(&cartridge);
            }
        }
        for id in &gone {
            self.catalogue.forget(*id);
        }
        gone
    }

    /// Who waits for a drive, and whose cartridge has gone, waits for nothing that could come.
    fn wake_those_without_cartridge(&mut self, index: LibraryIndex) {
        let gone = |id: CartridgeId| {
            self.catalogue.cartridge(id).is_some_and(|cartridge| {
                matches!(cartridge.place, Place::Missing { .. } | Place::Outside { .. })
            })
        };
        // The first of a group waits for all of it.
        let waits = |id: &RequestId| self.live.get(id).is_some_and(|live| live.blocker().is_some());
        let stranded: Vec<RequestId> = self
            .live
            .values()
            .filter(|live| live.library == Some(index))
            .filter(|live| live.blocker().is_some() || live.phase == Phase::Grouped)
            .filter(|live| live.request.cartridge.is_some_and(gone))
            .flat_map(|live| {
                let id = live.request.id;
                core::iter::once(id).chain(self.others_of_group(id))
            })
            .filter(waits)
            .collect();
        self.try_again(index, &stranded);
    }

    /// A mount whose cartridge is not in its drive any more has ended by somebody's hand.
    fn reconcile_mounts(&mut self, index: LibraryIndex, library: LibraryId) {
        let mounts: Vec<MountRecord> =
            self.catalogue.mounts().filter(|mount| mount.library == library).cloned().collect();
        for mount in mounts {
            // Of an exchange the one half can be settled before the other, which has the drive for one of its ends.
            let concerns = |record: &MotionRecord| {
                record.library == mount.library
                    && (record.cartridge == mount.cartridge
                        || [record.source.address, record.destination.address].contains(&mount.drive))
            };
            let earlier = self.open_motions.values().any(concerns);
            let Some(library) = self.library_mut(index) else { return };
            let there = library.elements.get(mount.drive).and_then(|element| element.cartridge);
            let unsettled = library.motions.values().any(|motion| concerns(&motion.record));
            if there == Some(mount.cartridge) || unsettled || earlier {
                library.elements.update(mount.drive, |element| {
                    if let Some(drive) = &mut element.drive {
                        drive.mount = Some(mount.id);
                    }
                });
            } else {
                self.end_mount(index, mount.id);
            }
        }
    }

    /// Ends a mount in the catalogue and at its drive.
    pub(crate) fn end_mount(&mut self, index: LibraryIndex, id: RequestId) {
        let Some(mount) = self.catalogue.end_mount(id) else { return };
        if let Some(library) = self.library_mut(index) {
            library.elements.update(mount.drive, |element| {
                if let Some(drive) = &mut element.drive {
                    drive.mount.take_if(|mounted| *mounted == id);
                }
            });
        }
        self.outbox.change(Change::MountEnded(id));
        let barcode =
            self.catalogue.cartridge(mount.cartridge).and_then(|cartridge| cartridge.barcode.clone());
        let application = mount.application.clone();
        self.outbox.after(Effect::Event(EventKind::Dismounted { id, barcode, application }));
        self.wake(index, Blocker::Medium(mount.cartridge));
        self.wake_for_drive(index, mount.drive);
    }

    /// Puts a cartridge to another place, in the catalogue and in the elements.
    pub(crate) fn place_cartridge(&mut self, index: LibraryIndex, id: CartridgeId, place: Place, now: Now) {
        let Some(before) = self.catalogue.cartridge(id).map(|cartridge| cartridge.place.clone()) else {
            return;
        };
        let Some(library) = self.library_mut(index) else { return };
        if let Place::Element(ElementName { address, .. }) = before {
            library.elements.update(address, |element| {
                if element.cartridge.take_if(|held| *held == id).is_some() {
                    element.full = false;
                }
            });
        }
        let mut home = None;
        if let Place::Element(ElementName { address, kind }) = place {
            library.elements.update(address, |element| {
                element.cartridge = Some(id);
                element.full = true;
                element.by_hand = false;
                element.ejected = false;
            });
            home = (kind == ElementType::Storage).then_some(address);
        }
        self.keep_cartridge(id, |cartridge| {
            cartridge.home = home.or(cartridge.home);
            cartridge.place = place;
            cartridge.last_seen = now.wall;
        });
    }
}
