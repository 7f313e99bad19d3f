//! `sim:` URLs: the options after the colon, and the libraries that have a name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use autochanger_sim::{Library, Quirk, Timing, UnknownQuirk};

use super::SimulatedLibrary;
use crate::transport::{DeviceUrl, Transport, UrlError};

/// What an option list looks like.
const EXPECTED: &str = "sim:, or sim:name=demo,slots=24,drives=2,ports=4,arms=1,cartridges=20,profile=midrange,scale=100,seed=1,serial=S1,quirks=no-dvcid+ghost-slots:4,lun=0,port=0";

/// Libraries that have a name. Named ones live as long as the process, so their number is bounded.
const MAX_NAMED: usize = 256;

/// Cartridges in a library that does not say how many.
const DEFAULT_CARTRIDGES: u16 = 20;

static NAMED: Mutex<BTreeMap<String, Named>> = Mutex::new(BTreeMap::new());

struct Named {
    options: Options,
    library: SimulatedLibrary,
}

fn named() -> MutexGuard<'static, BTreeMap<String, Named>> {
    // The map is changed in single steps: whoever panicked has left it whole.
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the simulated library that a URL's options describe (the text after `sim:`).
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name` | the same name is the same library, within the process | a library of its own |
/// | `slots`, `drives`, `ports`, `arms` | how many elements of each type | 24, 2, 4, 1 |
/// | `cartridges` | how many, labelled `VT0001L8` and on, from the first slot | 20, or as many as there are slots |
/// | `profile` | the times: `none`, `autoloader`, `midrange`, `enterprise` | `none` |
/// | `scale` | virtual seconds per second | 1 |
/// | `seed` | of the times' variation | 0 |
/// | `serial` | the changer's serial number | `SIM-` and the name, else one of its own |
/// | `quirks` | what it does otherwise than the standard says: names of [`Quirk`]s with `+` between them, a number behind a colon | none |
/// | `lun` | the logical unit to open: 0 the changer, `n` the `n`-th drive | 0 |
/// | `port` | the target port to come through: each is a path of its own | 0 |
///
/// A named library that exists already is opened with its name alone, or with the options that it was made with.
///
/// # Errors
/// [`UrlError::Malformed`] says which option is wrong.
pub fn open(options: &str) -> Result<Arc<dyn Transport>, UrlError> {
    let wrong = |problem: String| UrlError::malformed(&format!("sim:{options}"), problem, EXPECTED);
    let (options, lun, port) = Options::parse(options).map_err(wrong)?;
    let library = options.library().map_err(wrong)?;
    let changer = library.transport_at(port);
    if lun == 0 {
        return Ok(changer);
    }
    changer.sibling(lun).ok_or_else(|| wrong(format!("the library has no logical unit {lun}")))
}

impl SimulatedLibrary {
    /// The library that was opened or [published](Self::publish) under a name: a test's way to the library behind a
    /// `sim:name=…` URL.
    pub fn named(name: &str) -> Option<Self> {
        named().get(name).map(|named| named.library.clone())
    }

    /// Gives the library a name, under which `sim:name=…` opens it; returns that URL.
    ///
    /// # Errors
    /// [`UrlError::Malformed`] if the name is taken, too many are, or it holds a comma or equals sign.
    pub fn publish(&self, name: &str) -> Result<DeviceUrl, UrlError> {
        let url = format!("sim:name={name}");
        let wrong = |problem: &str| UrlError::malformed(&url, problem, EXPECTED);
        if name.is_empty() || name.contains([',', '=']) {
            return Err(wrong("a name is not empty and has neither comma nor equals sign"));
        }
        let mut named = named();
        if named.contains_key(name) {
            return Err(wrong("the name is taken by another library"));
        }
        if named.len() >= MAX_NAMED {
            return Err(wrong("too many simulated libraries have a name"));
        }
        self.set_label(&url);
        let options = Options { name: Some(name.to_owned()), ..Options::default() };
        named.insert(name.to_owned(), Named { options, library: self.clone() });
        Ok(DeviceUrl::Sim(format!("name={name}")))
    }

    /// Takes a name back: the next `sim:name=…` makes another library. Whoever has this one open keeps it.
    pub fn unpublish(name: &str) -> Option<Self> {
        named().remove(name).map(|named| named.library)
    }
}

/// The options as given.
#[derive(Debug, Clone, Default, PartialEq)]
struct Options {
    name: Option<String>,
    slots: Option<u16>,
    drives: Option<u16>,
    ports: Option<u16>,
    arms: Option<u16>,
    cartridges: Option<u16>,
    profile: Option<Timing>,
    scale: Option<f64>,
    seed: Option<u64>,
    serial: Option<String>,
    quirks: Option<Vec<Quirk>>,
}

impl Options {
    /// The library, the logical unit and the target port.
    fn parse(text: &str) -> Result<(Self, u16, u8), String> {
        let mut options = Self::default();
        let (mut lun, mut port) = (None, None);
        for option in text.split(',').filter(|option| !option.is_empty()) {
            let (key, value) =
                option.split_once('=').ok_or_else(|| format!("option {option:?} has no value"))?;
            let fresh = match key {
                "name" => set(&mut options.name, text_value(key, value)?),
                "slots" => set(&mut options.slots, number(key, value)?),
                "drives" => set(&mut options.drives, number(key, value)?),
                "ports" => set(&mut options.ports, number(key, value)?),
                "arms" => set(&mut options.arms, number(key, value)?),
                "cartridges" => set(&mut options.cartridges, number(key, value)?),
                "profile" => set(&mut options.profile, profile(value)?),
                "scale" => set(&mut options.scale, scale(value)?),
                "seed" => set(&mut options.seed, number(key, value)?),
                "serial" => set(&mut options.serial, text_value(key, value)?),
                "quirks" => set(&mut options.quirks, quirks(value)?),
                "lun" => set(&mut lun, number(key, value)?),
                "port" => set(&mut port, number(key, value)?),
                _ => return Err(format!("there is no option {key:?}")),
            };
            if !fresh {
                return Err(format!("option {key:?} stands there twice"));
            }
        }
        Ok((options, lun.unwrap_or(0), port.unwrap_or(0)))
    }

    fn library(self) -> Result<SimulatedLibrary, String> {
        let Some(name) = self.name.clone() else { return self.start() };
        let mut named = named();
        let alone = Self { name: Some(name.clone()), ..Self::default() };
        if let Some(known) = named.get(&name) {
            if self != alone && self != known.options {
                return Err(format!(
                    "library {name:?} exists with other options: open it with its name alone"
                ));
            }
            return Ok(known.library.clone());
        }
        if named.len() >= MAX_NAMED {
            return Err(format!("{MAX_NAMED} simulated libraries have a name, and there cannot be more"));
        }
        let library = self.start()?;
        library.set_label(&format!("sim:name={name}"));
        named.insert(name, Named { options: self, library: library.clone() });
        Ok(library)
    }

    fn start(&self) -> Result<SimulatedLibrary, String> {
        let mut library = Library::new();
        let slots = self.slots.unwrap_or(24);
        library = library
            .slots(slots)
            .timing(self.profile.clone().unwrap_or_default())
            .seed(self.seed.unwrap_or(0));
        if let Some(drives) = self.drives {
            library = library.drives(drives);
        }
        if let Some(ports) = self.ports {
            library = library.ports(ports);
        }
        if let Some(arms) = self.arms {
            library = library.arms(arms);
        }
        let cartridges = self.cartridges.unwrap_or(DEFAULT_CARTRIDGES.min(slots));
        library = library.cartridges("VT{:04}L8", 1..=u32::from(cartridges));
        match (&self.serial, &self.name) {
            (Some(serial), _) => library = library.serial(serial),
            (None, Some(name)) => library = library.serial(&format!("SIM-{name}")),
            (None, None) => {}
        }
        for quirk in self.quirks.iter().flatten() {
            library = library.quirk(*quirk);
        }
        let library = SimulatedLibrary::try_start(library).map_err(|error| error.to_string())?;
        Ok(library.time_scale(self.scale.unwrap_or(1.0)))
    }
}

fn set<T>(option: &mut Option<T>, value: T) -> bool {
    option.replace(value).is_none()
}

fn text_value(key: &str, value: &str) -> Result<String, String> {
    let printable = value.bytes().all(|byte| byte.is_ascii_graphic());
    if value.is_empty() || !printable || value.len() > MAX_TEXT {
        return Err(format!(
            "option {key:?} is not 1 to {MAX_TEXT} printable ASCII characters without spaces"
        ));
    }
    Ok(value.to_owned())
}

/// Serial numbers and names longer than that fit no report of ours.
const MAX_TEXT: usize = 64;

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("option {key:?} is {value:?}, which is no number that fits"))
}

fn scale(value: &str) -> Result<f64, String> {
    let scale: f64 = number("scale", value)?;
    if scale.is_finite() && scale > 0.0 {
        Ok(scale)
    } else {
        Err(format!("option \"scale\" is {value}: it must be above zero"))
    }
}

fn quirks(value: &str) -> Result<Vec<Quirk>, String> {
    value.split('+').map(|name| name.parse().map_err(|unknown: UnknownQuirk| unknown.to_string())).collect()
}

fn profile(value: &str) -> Result<Timing, String> {
    match value {
        "none" => Ok(Timing::none()),
        "autoloader" => Ok(Timing::autoloader()),
        "midrange" => Ok(Timing::midrange()),
        "enterprise" => Ok(Timing::enterprise()),
        _ => Err(format!("there is no profile {value:?}; there are none, autoloader, midrange, enterprise")),
    }
}
