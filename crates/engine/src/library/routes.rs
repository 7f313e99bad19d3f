//! The ways to one library's changer: which is in use, and how the others stand.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::changer::identify::Identified;
use crate::command::PathFault;
use crate::id::{RequestId, Route};
use crate::input::{LibraryConfig, MAX_PATHS};
use crate::view::{LibraryError, PathInfo, PathState};

/// One way.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) name: Arc<str>,
    pub(crate) state: PathState,
    /// It was tried since the library was to be opened.
    tried: bool,
    /// It carries our key.
    pub(crate) registered: bool,
}

/// All of them, at least one.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    ways: Vec<Way>,
    /// The way that commands go.
    pub(crate) active: Route,
    /// The way over which the library is being opened.
    pub(crate) opening: Route,
    /// Who was found at the active way.
    pub(crate) found: Option<Identified>,
    /// Each way was looked at once since the start.
    pub(crate) compared: bool,
    /// Looks at ways in reserve that are under way.
    pub(crate) comparing: usize,
    /// The opening goes on when they have ended.
    pub(crate) opening_waits: bool,
    /// The device said that it does not serve on the active way.
    pub(crate) suspect: Option<PathFault>,
    /// Commands in a row that drives behind the active way did not answer.
    pub(crate) silent: u8,
    /// Mounts whose drives were behind a way that was lost while they waited for them.
    pub(crate) awaited: Vec<RequestId>,
    /// A timer for the next look at the ways in reserve is set.
    pub(crate) watched: bool,
}

impl Routes {
    pub(crate) fn new(config: &LibraryConfig) -> Self {
        let one = core::slice::from_ref(&config.name);
        let names = if config.paths.is_empty() { one } else { &config.paths };
        let way = |name: &Arc<str>| Way {
            name: name.clone(),
            state: PathState::Untried,
            tried: false,
            registered: false,
        };
        Self {
            ways: names.iter().take(MAX_PATHS).map(way).collect(),
            active: Route(0),
            opening: Route(0),
            found: None,
            compared: false,
            comparing: 0,
            opening_waits: false,
            suspect: None,
            silent: 0,
            awaited: Vec::new(),
            watched: false,
        }
    }

    pub(crate) fn are_several(&self) -> bool {
        self.ways.len() > 1
    }

    pub(crate) fn get(&self, route: Route) -> Option<&Way> {
        self.ways.get(usize::from(route.0))
    }

    pub(crate) fn get_mut(&mut self, route: Route) -> Option<&mut Way> {
        self.ways.get_mut(usize::from(route.0))
    }

    pub(crate) fn name(&self, route: Route) -> Arc<str> {
        self.get(route).map_or_else(|| "?".into(), |way| way.name.clone())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (Route, &Way)> {
        (0..).map(Route).zip(&self.ways)
    }

    /// The ways in reserve.
    pub(crate) fn others(&self) -> Vec<Route> {
        self.all().map(|(route, _)| route).filter(|route| *route != self.active).collect()
    }

    /// Begins a round in which each way is tried once: first the active one, unless it was lost, then in the order of preference.
    pub(crate) fn begin_round(&mut self) -> Route {
        self.ways.iter_mut().for_each(|way| way.tried = false);
        let lost = matches!(
            self.get(self.active).map(|way| &way.state),
            Some(PathState::Lost(_) | PathState::Elsewhere(_))
        );
        self.opening = if lost { Route(0) } else { self.active };
        self.opening
    }

    /// The next way of the round after the one being opened.
    pub(crate) fn next_in_round(&mut self) -> Option<Route> {
        let opening = self.opening;
        if let Some(way) = self.get_mut(opening) {
            way.tried = true;
        }
        let next = self.all().find(|(_, way)| !way.tried).map(|(route, _)| route)?;
        self.opening = next;
        Some(next)
    }

    /// Why the library cannot be reached, where no way works: with one way its fault, else all of them in one.
    pub(crate) fn all_lost(&self, name: &Arc<str>) -> Option<PathFault> {
        let faults = self.ways.iter().filter_map(|way| match &way.state {
            PathState::Lost(fault) => Some(fault),
            _ => None,
        });
        let first =
            faults.clone().find(|fault| fault.kind.is_transient()).or_else(|| faults.clone().next())?;
        if !self.are_several() {
            return Some(first.clone());
        }
        let mut detail = alloc::format!("none of its {} paths works: ", self.ways.len());
        for (n, way) in self.ways.iter().enumerate() {
            let what = match &way.state {
                PathState::Lost(fault) => alloc::format!("{}: {}", way.name, fault.detail),
                other => alloc::format!("{}: {other}", way.name),
            };
            detail.push_str(if n == 0 { "" } else { "; " });
            detail.push_str(&what);
        }
        Some(PathFault { kind: first.kind, device: name.clone(), detail })
    }

    /// Why a way leads elsewhere, where one does.
    pub(crate) fn mismatch(&self) -> Option<LibraryError> {
        self.ways.iter().find_map(|way| match &way.state {
            PathState::Elsewhere(error) => Some(error.clone()),
            _ => None,
        })
    }

    pub(crate) fn infos(&self) -> Vec<PathInfo> {
        self.ways.iter().map(|way| PathInfo { device: way.name.clone(), state: way.state.clone() }).collect()
    }
}
