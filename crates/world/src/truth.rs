//! What must be true of the libraries and of the disk.

use std::collections::BTreeMap;

use autochanger_engine::catalog::MotionState;
use autochanger_engine::request::Place;

use crate::world::World;

impl World {
    /// Every cartridge of the libraries is in one element, and the catalogue says the same.
    ///
    /// # Panics
    /// If that is not so.
    pub fn assert_true(&self) {
        let mut seen = BTreeMap::new();
        for device in &self.device.0 {
            let known = self.disk.libraries.iter().find(|known| &*known.identity.serial == device.serial());
            for (address, _, barcode) in device.contents() {
                if let Some(barcode) = barcode {
                    let before = seen.insert((known.map(|known| known.id), barcode.clone()), address);
                    assert!(barcode.is_empty() || before.is_none(), "{barcode} is in two places");
                }
            }
        }
        for cartridge in self.disk.cartridges.values() {
            let key = |barcode: &str| (Some(cartridge.library), barcode.to_owned());
            let barcode = cartridge.barcode.as_deref().unwrap_or_default();
            match &cartridge.place {
                // Without a label it is known by its place alone.
                Place::Element(_) if barcode.is_empty() => {}
                Place::Element(name) => {
                    assert_eq!(
                        seen.get(&key(barcode)),
                        Some(&name.address),
                        "{barcode} is not where the catalogue says"
                    );
                }
                Place::Outside { .. } | Place::Missing { .. } if barcode.is_empty() => {}
                Place::Outside { .. } | Place::Missing { .. } => {
                    let found = seen.get(&key(barcode));
                    assert_eq!(
                        found, None,
                        "{barcode} is in the library, and the catalogue says: {}",
                        cartridge.place
                    );
                }
                other => panic!("{barcode}: {other}"),
            }
        }
        let open: Vec<_> =
            self.disk.motions.values().filter(|motion| motion.state == MotionState::Open).collect();
        let live: Vec<_> = open.iter().map(|motion| self.engine.view().request(motion.request)).collect();
        assert!(open.is_empty(), "motions are open: {open:#?} of {live:#?}");
        assert!(self.device.moves_sent() <= self.disk.motions.len() as u64, "more moves than intents");
    }
}
