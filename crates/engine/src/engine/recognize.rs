//! Which cartridge a full element holds: one that is known by its label, by its place or by being missed elsewhere, or a new one.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;

use autochanger_scsi::ElementType;

use super::Engine;
use crate::catalog::{Blame, Cartridge};
use crate::changer::reply::ElementReport;
use crate::id::{CartridgeId, LibraryId};
use crate::request::{CartridgeRef, Place};
use crate::time::Now;

/// What a full element cannot hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Others<'a> {
    /// Seen in another element.
    pub(crate) seen: &'a BTreeSet<CartridgeId>,
    /// On their way.
    pub(crate) moving: &'a BTreeSet<CartridgeId>,
    /// Every label that is reported.
    pub(crate) labels: &'a BTreeSet<Arc<str>>,
}

impl Engine {
    /// Which cartridge a full element holds: by its label, else the one that was known to be there, else a new one.
    pub(crate) fn recognize(
        &mut self,
        report: &ElementReport,
        known: Option<CartridgeId>,
        library: LibraryId,
        others: Others<'_>,
        now: Now,
    ) -> (Cartridge, bool) {
        let usable = |id: &CartridgeId| !others.seen.contains(id) && !others.moving.contains(id);
        let by_label = report.tag.as_ref().and_then(|tag| {
            let ids = self.catalogue.find(&CartridgeRef::Barcode(tag.clone()));
            // A label can stand twice: the one that was known to be here is this one, and another library's is another
            // cartridge as long as that library may have it.
            ids.into_iter().filter(|id| usable(id) && self.may_be_in(*id, library)).min_by_key(|id| {
                let elsewhere = self.catalogue.cartridge(*id).is_some_and(|c| c.library != library);
                (known != Some(*id), elsewhere)
            })
        });
        // A scanner can fail, and drives often show no label: what was known to be there stays.
        let by_place = || {
            known.filter(|id| usable(id)).filter(|id| {
                report.tag.is_none() || self.catalogue.cartridge(*id).is_some_and(|c| c.barcode.is_none())
            })
        };
        // Without a label it is the one whose place is unknown, and can be here, if there is but one such.
        let by_doubt = || {
            let mut lost = self.catalogue.cartridges().filter(|cartridge| {
                let here =
                    matches!(&cartridge.place, Place::Unknown { one_of } if one_of.contains(&report.name));
                let elsewhere = cartridge.barcode.as_ref().is_some_and(|label| others.labels.contains(label));
                let may_be = report.tag.is_none() || cartridge.barcode.is_none();
                here && may_be && !elsewhere && cartridge.library == library && usable(&cartridge.id)
            });
            lost.next().map(|cartridge| cartridge.id).filter(|_| lost.next().is_none())
        };
        let place = Place::Element(report.name);
        let home_here = (report.name.kind == ElementType::Storage).then_some(report.name.address);
        match by_label
            .or_else(by_place)
            .or_else(by_doubt)
            .and_then(|id| self.catalogue.cartridge(id).cloned())
        {
            Some(mut cartridge) => {
                cartridge.library = library;
                cartridge.home = home_here.or(cartridge.home).or(report.source);
                cartridge.place = place;
                cartridge.last_seen = now.wall;
                if cartridge.barcode.is_none() {
                    cartridge.barcode = report.tag.clone();
                }
                (cartridge, false)
            }
            None => {
                let cartridge = Cartridge {
                    id: CartridgeId(self.ids.next()),
                    barcode: report.tag.clone(),
                    library,
                    place,
                    home: home_here.or(report.source),
                    first_seen: now.wall,
                    last_seen: now.wall,
                    disabled: false,
                    cleaner: None,
                    label: None,
                    label_read_at: None,
                    blame: Blame::default(),
                };
                (cartridge, true)
            }
        }
    }

    /// Whether the cartridge can be the one that was found in the library: it was there before, or nobody else has it.
    fn may_be_in(&self, id: CartridgeId, library: LibraryId) -> bool {
        let Some(cartridge) = self.catalogue.cartridge(id) else { return false };
        let others_unknown = self.libraries.iter().any(|other| other.id.is_none());
        let configured = self.libraries.iter().any(|other| other.id == Some(cartridge.library));
        cartridge.library == library
            || !matches!(cartridge.place, Place::Element(_))
            || !(configured || others_unknown)
    }
}
