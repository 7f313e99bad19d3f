//! Which drives a group gets, and when it may begin: when each of its media has a drive, all at once. From then on medium and
//! drive of a member are its own, whatever it is sent back to the queue for, so that no two groups wait for each other.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use super::Engine;
use super::choices::Want;
use super::live::Phase;
use super::schedule::Start;
use crate::id::{CartridgeId, LibraryIndex, RequestId};
use crate::library::assign::{Chance, Choice, assign};
use crate::library::elements::Need;
use crate::library::queue::Blocker;
use crate::request::{Failure, FailureKind, GroupId, Waiting};
use crate::time::Now;

/// Whatever drive comes free, the group looks at all of its members again.
const ANY_DRIVE: Blocker = Blocker::AnyDrive(Need::ANYTHING);

impl Engine {
    /// Drives for all of the group, or none; `None`: the member has its drive. While they cannot all be had, the first group in
    /// the library's line keeps those that are free: otherwise single mounts would always be before it.
    pub(crate) fn start_group(&mut self, index: LibraryIndex, id: RequestId, now: Now) -> Option<Start> {
        let group = self.group_of(id)?;
        if self.has_drive_of_its_own(id) {
            if self.own_drive_will_do(index, id) {
                return None;
            }
            self.lose_drive(index, id);
        }
        let members = self.members(group);
        if members.iter().any(|member| self.is_absent(*member)) {
            self.stand_back(index, id);
            return Some(Start::Gone);
        }
        let party: Vec<RequestId> =
            members.iter().copied().filter(|member| *member == id || self.wants_drive(*member)).collect();
        // Others of it have their media in drives, or on the way: it was complete, and one has lost its drive since.
        let under_way = party.len() < members.len();
        if let Some(start) = self.await_media(index, id, &party, under_way, now) {
            return Some(start);
        }
        let library = self.library(index)?;
        let holder = library.holding.filter(|holder| *holder != group);
        let rival = holder.is_some_and(|holder| self.is_under_way(holder));
        // Who has media in drives already goes before who only keeps drives: that one has done nothing yet.
        let held =
            holder.filter(|_| under_way && !rival).map(|holder| self.members(holder)).unwrap_or_default();
        let wants: Vec<Want> = party.iter().filter_map(|member| self.want_of(*member)).collect();
        let own: BTreeSet<RequestId> = party.iter().chain(&held).copied().collect();
        if let Some((member, failure)) = self.waits_in_vain(index, &members, &party, &wants) {
            self.fail(member, failure, now);
            return Some(Start::Gone);
        }
        let choices: Vec<_> = wants.iter().map(|want| self.choices(index, want, &own)).collect();
        let given = assign(&choices);
        let now_or_never = self.must_not_wait(id);
        if given.iter().all(|choice| choice.is_some_and(|choice| choice.chance.is_now())) {
            self.give_grants_back(index, &held);
            self.grant_all(index, &party, &given);
            self.release_group(index, group, &party, id);
            return None;
        }
        if now_or_never || (holder.is_some() && !under_way) {
            self.give_grants_back(index, &party);
            return Some(Start::Blocked(ANY_DRIVE));
        }
        if rival {
            // Both have media in drives and want another one: the one that came second gives up, or both wait for ever.
            let message = alloc::format!(
                "no drive of {} can be had for it in place of the one that was taken out of use, and another group \
                 waits for one, too",
                self.library_name(index)
            );
            self.fail(id, Failure::new(FailureKind::Busy, message), now);
            return Some(Start::Gone);
        }
        self.give_grants_back(index, &held);
        Some(self.keep_what_is_free(index, group, &party, &wants, &given, now))
    }

    /// The drives of the members that are under way: they do not come free before all of the group have theirs.
    fn drives_under_way(&self, members: &[RequestId], party: &[RequestId]) -> BTreeSet<ElementAddress> {
        let under_way = members.iter().filter(|member| !party.contains(member));
        let live = under_way.filter_map(|member| self.live.get(member));
        live.filter_map(|live| live.granted.or(live.request.drive.filter(|_| !live.putting_back))).collect()
    }

    /// A member for which there is no drive beside those of the others, whoever gives one up: it has failed in one, or hands have changed
    /// drives since the group was accepted.
    fn waits_in_vain(
        &self,
        index: LibraryIndex,
        members: &[RequestId],
        party: &[RequestId],
        wants: &[Want],
    ) -> Option<(RequestId, Failure)> {
        let elements = &self.library(index)?.elements;
        // A drive that is not there can come: that is waited for.
        if elements.count(ElementType::Drive) < members.len() {
            return None;
        }
        let kept = self.drives_under_way(members, party);
        let possible = |want: &Want| {
            // One that cannot be reached now can be again.
            let want = Want { need: Need { way: false, ..want.need }, ..want.clone() };
            self.possible(index, &want, |element| !kept.contains(&element.name.address))
        };
        let given = assign(&wants.iter().map(possible).collect::<Vec<_>>());
        let place = given.iter().position(Option::is_none)?;
        let (member, want) = (*party.get(place)?, wants.get(place)?);
        let tried = self.live.get(&member).and_then(|live| live.suspects.last());
        let failure = tried.map(|(_, failure)| failure.clone()).unwrap_or_else(|| {
            let cartridge = want.cartridge.map(|id| self.cartridge_name(id)).unwrap_or_default();
            let message = alloc::format!(
                "{} has no drive any more that could use cartridge {cartridge} beside the other mounts of its group",
                self.library_name(index)
            );
            Failure::new(FailureKind::Incompatible, message)
        });
        Some((member, failure))
    }

    /// Not all can begin: what is free is kept for them, and room is made in what is not.
    fn keep_what_is_free(
        &mut self,
        index: LibraryIndex,
        group: GroupId,
        party: &[RequestId],
        wants: &[Want],
        given: &[Option<Choice>],
        now: Now,
    ) -> Start {
        let out = |choice: &Option<Choice>| choice.is_none_or(|choice| choice.chance == Chance::Out);
        if let Some(place) = given.iter().position(out) {
            // What a person has taken out of service can stay so for days: nothing is kept meanwhile.
            self.give_grants_back(index, party);
            self.stop_holding(index, group);
            let named = wants.get(place).and_then(|want| want.named);
            return match (named, party.get(place)) {
                (Some(drive), Some(&member)) => self.wait_for_service(index, member, drive, now),
                _ => Start::Blocked(ANY_DRIVE),
            };
        }
        if let Some(library) = self.library_mut(index) {
            library.holding = Some(group);
        }
        let free: Vec<_> =
            given.iter().map(|choice| choice.filter(|choice| choice.chance.is_now())).collect();
        self.grant_all(index, party, &free);
        let media: BTreeSet<CartridgeId> = wants.iter().filter_map(|want| want.cartridge).collect();
        let waiting = wants.iter().zip(given.iter().flatten()).filter(|(_, choice)| !choice.chance.is_now());
        let mut blocker = None;
        for (want, choice) in waiting {
            let lies_in = self.drive_with(index, want.cartridge).filter(|drive| *drive != choice.drive);
            match (lies_in, want.cartridge) {
                // It must come out of the drive in which it is.
                (Some(drive), Some(cartridge)) => {
                    self.have_emptied(index, drive, now);
                    blocker = Some(Blocker::Medium(cartridge));
                }
                _ if self.held_in(index, choice.drive).is_some_and(|held| media.contains(&held)) => {}
                _ => self.make_room(index, Some(choice.drive), want.need, now),
            }
            let drive = want.named.map_or(ANY_DRIVE, Blocker::Drive);
            // Any drive that comes free may be the one; a certain one wakes its own line.
            match blocker {
                None => blocker = Some(drive),
                Some(Blocker::Drive(_)) if drive == ANY_DRIVE => blocker = Some(drive),
                Some(_) => {}
            }
        }
        Start::Blocked(blocker.unwrap_or(ANY_DRIVE))
    }

    /// Media that somebody uses are waited for. One that is not in the library is brought by a person, before anything is
    /// kept or moved for the others; where nobody is to be asked, or the others are in drives already, the group fails.
    fn await_media(
        &mut self,
        index: LibraryIndex,
        id: RequestId,
        party: &[RequestId],
        under_way: bool,
        now: Now,
    ) -> Option<Start> {
        let (mut away, mut busy) = (Vec::new(), None);
        for &member in party {
            let live = self.live.get(&member)?;
            let (cartridge, asks) = (live.request.cartridge?, live.request.options.wait_for_operator);
            match self.standing_place(member, cartridge) {
                Ok(_)
                    if self.medium_is_busy(cartridge, member)
                        || self.catalogue.mount_of(cartridge).is_some() =>
                {
                    busy = busy.or(Some(cartridge));
                }
                Ok(_) => {}
                Err(failure) => {
                    if !self.is_away(member, cartridge) || !asks || under_way {
                        self.fail(member, failure, now);
                        return Some(Start::Gone);
                    }
                    away.push((member, cartridge));
                }
            }
        }
        if away.is_empty() && busy.is_none() {
            return None;
        }
        let group = self.group_of(id)?;
        self.give_grants_back(index, party);
        self.stop_holding(index, group);
        if away.is_empty() {
            return busy.map(|cartridge| Start::Blocked(Blocker::Medium(cartridge)));
        }
        self.stand_back(index, id);
        for (member, cartridge) in away {
            self.wait_for_cartridge(member, cartridge, now);
        }
        Some(Start::Gone)
    }

    /// It waits with the others again, until the one that is not there has come.
    fn stand_back(&mut self, index: LibraryIndex, id: RequestId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.phase = Phase::Grouped;
        self.show_waiting(id, Some(Waiting::Group));
        self.pass_on(index, id);
    }

    fn held_in(&self, index: LibraryIndex, drive: ElementAddress) -> Option<CartridgeId> {
        self.library(index)?.elements.get(drive)?.cartridge
    }

    /// Its group has begun: its medium and its drive are reserved for it.
    pub(crate) fn has_drive_of_its_own(&self, id: RequestId) -> bool {
        self.live.get(&id).is_some_and(|live| {
            live.granted.is_some()
                && live.request.cartridge.is_some_and(|medium| self.catalogue.is_reserved_by(medium, id))
        })
    }

    /// A drive can be paused, have to be cleaned, or be found full meanwhile.
    fn own_drive_will_do(&self, index: LibraryIndex, id: RequestId) -> bool {
        let (Some(live), Some(want)) = (self.live.get(&id), self.want_of(id)) else { return false };
        let choices = self.choices(index, &want, &BTreeSet::from([id]));
        choices.iter().any(|choice| Some(choice.drive) == live.granted && choice.chance.is_now())
    }

    fn lose_drive(&mut self, index: LibraryIndex, id: RequestId) {
        let cartridge = self.live.get(&id).and_then(|live| live.request.cartridge);
        self.give_grants_back(index, &[id]);
        if let Some(cartridge) = cartridge.filter(|cartridge| self.catalogue.is_reserved_by(*cartridge, id)) {
            self.catalogue.unreserve(cartridge);
            self.wake(index, Blocker::Medium(cartridge));
        }
    }

    /// A free drive for a medium that did not come ready in its own: kept for it from now on.
    pub(crate) fn spare_drive(&self, index: LibraryIndex, id: RequestId) -> Option<ElementAddress> {
        let mut want = self.want_of(id)?;
        want.suspects.extend(self.live.get(&id)?.request.drive);
        // It is taken to a slot first.
        want.cartridge = None;
        let choices = self.choices(index, &want, &BTreeSet::new());
        choices.first().filter(|choice| choice.chance.is_now()).map(|choice| choice.drive)
    }

    pub(crate) fn keep_spare_drive(&mut self, index: LibraryIndex, id: RequestId) {
        let of_group = self.group_of(id).is_some();
        let Some(spare) = self.spare_drive(index, id).filter(|_| of_group) else { return };
        if let Some(live) = self.live.get_mut(&id) {
            live.granted = Some(spare);
        }
        if let Some(library) = self.library_mut(index) {
            library.elements.update(spare, |element| element.reserved_by = Some(id));
        }
    }

    /// It is still to get a drive, or has one only until all have.
    fn wants_drive(&self, id: RequestId) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        match live.phase {
            Phase::Grouped => true,
            Phase::Queued | Phase::Blocked(_) => !live.putting_back && !self.has_drive_of_its_own(id),
            _ => false,
        }
    }

    fn is_under_way(&self, group: GroupId) -> bool {
        self.members(group).into_iter().any(|member| !self.wants_drive(member) && !self.is_absent(member))
    }

    /// Each gets the drive of its choice, and gives back what it had instead.
    fn grant_all(&mut self, index: LibraryIndex, party: &[RequestId], given: &[Option<Choice>]) {
        let drive_of = |choice: &Option<Choice>| choice.map(|choice| choice.drive);
        for (&member, choice) in party.iter().zip(given) {
            if self.live.get(&member).is_some_and(|live| live.granted != drive_of(choice)) {
                self.give_grants_back(index, &[member]);
            }
        }
        for (&member, choice) in party.iter().zip(given) {
            let (Some(drive), Some(live)) = (drive_of(choice), self.live.get_mut(&member)) else { continue };
            live.granted = Some(drive);
            live.request.drive = Some(drive);
            if let Some(library) = self.library_mut(index) {
                library.elements.update(drive, |element| element.reserved_by = Some(member));
            }
        }
    }

    /// All drives are there: each member takes its place in the queue, with its medium and its drive.
    fn release_group(
        &mut self,
        index: LibraryIndex,
        group: GroupId,
        members: &[RequestId],
        leader: RequestId,
    ) {
        self.stop_holding(index, group);
        for &member in members {
            let Some(live) = self.live.get(&member) else { continue };
            if let Some(cartridge) = live.request.cartridge {
                self.catalogue.reserve(cartridge, member);
            }
            if member != leader {
                self.show_waiting(member, None);
                self.try_again(index, &[member]);
            }
        }
        // One that came free can be another than those that they got.
        if self.library(index).is_some_and(|it| it.elements.free_drives(Need::default()).next().is_some()) {
            self.wake_lines(index);
        }
    }

    pub(crate) fn stop_holding(&mut self, index: LibraryIndex, group: GroupId) {
        let Some(library) = self.library_mut(index) else { return };
        if library.holding.take_if(|holding| *holding == group).is_some() {
            self.wake_lines(index);
        }
    }

    fn give_grants_back(&mut self, index: LibraryIndex, members: &[RequestId]) {
        for &member in members {
            let Some(live) = self.live.get_mut(&member) else { continue };
            let Some(drive) = live.granted.take() else { continue };
            // One that is named is meant, whether it is free or not.
            if live.request.named_drive().is_none() {
                live.request.drive = None;
            }
            if let Some(library) = self.library_mut(index) {
                library.elements.give_back(drive, member);
            }
            self.wake_for_drive(index, drive);
        }
    }
}
