//! The cartridges, their homes, mounts and reservations: what is known of media, whatever library they are in.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::ElementAddress;

use crate::catalog::{Cartridge, MountRecord};
use crate::id::{CartridgeId, LibraryId, RequestId};
use crate::request::CartridgeRef;

/// The cartridges and mounts of all libraries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalogue {
    cartridges: BTreeMap<CartridgeId, Cartridge>,
    by_barcode: BTreeMap<Arc<str>, Vec<CartridgeId>>,
    mounts: BTreeMap<RequestId, MountRecord>,
    mounted: BTreeMap<CartridgeId, RequestId>,
    /// Homes of cartridges, so that another cartridge is not put there while a better slot is free.
    homes: BTreeMap<(LibraryId, ElementAddress), CartridgeId>,
    reserved: BTreeMap<CartridgeId, RequestId>,
    /// How many live mounts want a cartridge.
    wishes: BTreeMap<CartridgeId, u32>,
}

impl Catalogue {
    pub(crate) fn new(cartridges: Vec<Cartridge>, mounts: Vec<MountRecord>) -> Self {
        let mut catalogue = Self::default();
        for cartridge in cartridges {
            catalogue.put(cartridge);
        }
        for mount in mounts {
            catalogue.put_mount(mount);
        }
        catalogue
    }

    pub(crate) fn cartridge(&self, id: CartridgeId) -> Option<&Cartridge> {
        self.cartridges.get(&id)
    }

    pub(crate) fn cartridges(&self) -> impl Iterator<Item = &Cartridge> {
        self.cartridges.values()
    }

    pub(crate) fn find(&self, name: &CartridgeRef) -> Vec<CartridgeId> {
        match name {
            CartridgeRef::Id(id) => self.cartridges.contains_key(id).then_some(*id).into_iter().collect(),
            // Elements are the libraries': see `check_cartridge`.
            CartridgeRef::Element { .. } => Vec::new(),
            CartridgeRef::Barcode(barcode) => self.by_barcode.get(barcode).cloned().unwrap_or_default(),
        }
    }

    pub(crate) fn put(&mut self, cartridge: Cartridge) {
        if let Some(barcode) = &cartridge.barcode {
            let ids = self.by_barcode.entry(barcode.clone()).or_default();
            if !ids.contains(&cartridge.id) {
                ids.push(cartridge.id);
            }
        }
        if let Some(old) = self.cartridges.get(&cartridge.id)
            && let Some(home) = old.home
        {
            let key = (old.library, home);
            if self.homes.get(&key) == Some(&cartridge.id) {
                self.homes.remove(&key);
            }
        }
        if let Some(home) = cartridge.home {
            self.homes.insert((cartridge.library, home), cartridge.id);
        }
        self.cartridges.insert(cartridge.id, cartridge);
    }

    /// Forgets a cartridge without a label.
    pub(crate) fn forget(&mut self, id: CartridgeId) {
        let Some(gone) = self.cartridges.remove(&id) else { return };
        if let Some(home) = gone.home
            && self.homes.get(&(gone.library, home)) == Some(&id)
        {
            self.homes.remove(&(gone.library, home));
        }
    }

    /// Whether the slot is the home of another cartridge that is away from it.
    pub(crate) fn is_home_of_other(
        &self,
        library: LibraryId,
        slot: ElementAddress,
        cartridge: CartridgeId,
    ) -> bool {
        self.homes.get(&(library, slot)).is_some_and(|&owner| owner != cartridge)
    }

    pub(crate) fn put_mount(&mut self, mount: MountRecord) {
        self.mounted.insert(mount.cartridge, mount.id);
        self.mounts.insert(mount.id, mount);
    }

    pub(crate) fn end_mount(&mut self, id: RequestId) -> Option<MountRecord> {
        let mount = self.mounts.remove(&id)?;
        self.mounted.remove(&mount.cartridge);
        Some(mount)
    }

    pub(crate) fn mount(&self, id: RequestId) -> Option<&MountRecord> {
        self.mounts.get(&id)
    }

    pub(crate) fn mounts(&self) -> impl Iterator<Item = &MountRecord> {
        self.mounts.values()
    }

    pub(crate) fn mount_of(&self, cartridge: CartridgeId) -> Option<&MountRecord> {
        self.mounts.get(self.mounted.get(&cartridge)?)
    }

    pub(crate) fn wish_for(&mut self, cartridge: CartridgeId, more: bool) {
        let wishes = self.wishes.entry(cartridge).or_default();
        *wishes = if more { wishes.saturating_add(1) } else { wishes.saturating_sub(1) };
        if *wishes == 0 {
            self.wishes.remove(&cartridge);
        }
    }

    pub(crate) fn is_wished_for(&self, cartridge: CartridgeId) -> bool {
        self.wishes.contains_key(&cartridge)
    }

    pub(crate) fn reserve(&mut self, cartridge: CartridgeId, request: RequestId) {
        self.reserved.insert(cartridge, request);
    }

    pub(crate) fn unreserve(&mut self, cartridge: CartridgeId) {
        self.reserved.remove(&cartridge);
    }

    pub(crate) fn reserver(&self, cartridge: CartridgeId) -> Option<RequestId> {
        self.reserved.get(&cartridge).copied()
    }

    pub(crate) fn is_reserved_by(&self, cartridge: CartridgeId, request: RequestId) -> bool {
        self.reserver(cartridge) == Some(request)
    }
}
