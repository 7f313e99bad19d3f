//! What is paused or disabled rests: nothing is sent for it once that is on the disk.

use autochanger_engine::catalog::Service;

use crate::watch::{Checker, Facts, Sight};

/// Holds each motion against the service of its library as the disk has it.
#[derive(Debug)]
pub(crate) struct Serves;

impl Checker for Serves {
    fn name(&self) -> &'static str {
        "service"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        let Sight::Send { ways, .. } = sight else { return Ok(()) };
        for motion in ways.iter().filter_map(|way| facts.disk.motions.get(&way.intent?)) {
            let library = facts.disk.libraries.iter().find(|library| library.id == motion.library);
            if let Some(service @ (Service::Paused | Service::Disabled)) =
                library.map(|library| library.service)
            {
                let (request, source) = (motion.request, motion.source);
                return Err(format!(
                    "a motion from {source} is sent for {request}, and its library is {service}"
                ));
            }
        }
        Ok(())
    }
}
