//! A person at the ports, who fills each as soon as it is empty.

use autochanger_scsi::ElementAddress;
use autochanger_sim::Device;

use crate::FIRST_PORT;
use crate::profiles::Plant;

pub(crate) struct Supply<'a> {
    plant: &'a Plant,
    brought: usize,
    all: usize,
}

impl<'a> Supply<'a> {
    pub(crate) fn new(plant: &'a Plant, all: usize) -> Self {
        Self { plant, brought: 0, all }
    }

    /// The ports that were filled now.
    pub(crate) fn fill(&mut self, device: &mut Device) -> Vec<ElementAddress> {
        let mut filled = Vec::new();
        for port in FIRST_PORT..FIRST_PORT + self.plant.ports() {
            if self.brought == self.all {
                break;
            }
            let label = self.plant.label(self.brought as u32 + 1);
            if device.operator_put(port, &label).is_ok() {
                self.brought += 1;
                filled.push(ElementAddress(port));
            }
        }
        filled
    }
}
