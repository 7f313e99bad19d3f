//! Everything that a store holds, to be held against what it must hold.

use std::collections::BTreeSet;

use autochanger::Request;
use autochanger::catalog::{
    Cartridge, DriveRecord, FaultRecord, LibraryRecord, MotionRecord, MotionState, MountRecord,
};
use autochanger::request::Place;
use autochanger::store::{FaultFilter, HistoryFilter, Store};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    libraries: Vec<LibraryRecord>,
    cartridges: Vec<Cartridge>,
    live: Vec<Request>,
    motions_to_start_with: Vec<MotionRecord>,
    mounts: Vec<MountRecord>,
    requests: Vec<Request>,
    motions: Vec<MotionRecord>,
    drives: Vec<DriveRecord>,
    /// The latest first: as they are listed by time, and those of each request.
    faults: Vec<FaultRecord>,
    faults_of_requests: Vec<FaultRecord>,
}

impl Content {
    pub(crate) fn of(store: &mut dyn Store) -> Self {
        let snapshot = store.load().expect("what is kept is loaded");
        let all = HistoryFilter { limit: HistoryFilter::MAX_LIMIT, ..HistoryFilter::default() };
        let requests = store.history(&all).expect("what is kept is listed");
        let motions: Vec<MotionRecord> =
            requests.iter().flat_map(|request| store.motions(request.id).expect("and its motions")).collect();
        let latest = FaultFilter { limit: FaultFilter::MAX_LIMIT, ..FaultFilter::default() };
        let faults = store.faults(&latest).expect("what is kept is listed");
        let faults_of = |request: &Request| {
            let of_it = FaultFilter { request: Some(request.id), ..latest.clone() };
            store.faults(&of_it).expect("and its faults")
        };
        Self {
            drives: snapshot.drives,
            faults_of_requests: requests.iter().flat_map(faults_of).collect(),
            faults,
            libraries: snapshot.libraries,
            cartridges: snapshot.cartridges,
            live: snapshot.requests,
            motions_to_start_with: snapshot.motions,
            mounts: snapshot.mounts,
            motions,
            requests,
        }
    }

    /// The same with one more library, whose id comes last.
    pub(crate) fn with(mut self, library: LibraryRecord) -> Self {
        self.libraries.push(library);
        self
    }

    /// How many requests there are, and how many of them have not ended.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.requests.len(), self.live.len())
    }

    /// What holds between the records, whatever happened.
    pub(crate) fn assert_sound(&self) {
        let mut taken = BTreeSet::new();
        for cartridge in &self.cartridges {
            if let Place::Element(element) = &cartridge.place {
                assert!(taken.insert(*element), "two cartridges in {element}: {cartridge:?}");
            }
        }
        for mount in &self.mounts {
            let cartridge = self.cartridges.iter().find(|cartridge| cartridge.id == mount.cartridge);
            let place = cartridge.map(|cartridge| &cartridge.place);
            assert!(
                matches!(place, Some(Place::Element(element)) if element.address == mount.drive),
                "{mount:?}, and the cartridge is in {place:?}"
            );
            assert!(self.requests.iter().any(|request| request.id == mount.id), "{mount:?} of no request");
        }
        for motion in self.motions.iter().filter(|motion| motion.state == MotionState::Open) {
            let live = self.live.iter().any(|request| request.id == motion.request);
            assert!(live, "{motion:?} of a request that is not live");
        }
        for fault in &self.faults {
            assert!(
                self.requests.iter().any(|request| request.id == fault.request),
                "{fault:?} of no request"
            );
        }
        for request in &self.live {
            let open = self
                .motions
                .iter()
                .filter(|motion| motion.request == request.id && motion.state == MotionState::Open);
            assert!(open.count() <= 1, "two motions are open for {request:?}");
        }
    }
}
