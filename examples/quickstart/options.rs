//! What the quickstart is told on its command line.

pub(crate) const HELP: &str = "\
quickstart: opens a tape library, mounts two cartridges, cancels requests, puts everything back

    cargo run --example quickstart [-- [OPTIONS] [DEVICE]]

DEVICE  the changer, for example iscsi://127.0.0.1:3260/iqn.2026-01.example:lib/0
        left out: a simulated library with 24 slots, 2 drives, 4 import/export slots and one arm

        --store FILE         keep requests and catalogue in FILE (left out: in memory)
        --drive ELEMENT=URL  the way to the drive with that element address; may be repeated
                             (left out: drives are found by serial number behind the changer's own target)
    -h, --help               this text

It needs two drives that are empty and three cartridges in slots. Every cartridge goes back to the slot it came from.
The exit status is 0 only if everything that it says was true, 1 if something was not, 2 if it could not be tried.";

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) device: Option<String>,
    pub(crate) store: Option<String>,
    pub(crate) drives: Vec<(u16, String)>,
}

impl Options {
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = String>,
    ) -> std::result::Result<Option<Self>, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "-h" | "--help" => return Ok(None),
                "--store" => options.store = Some(arguments.next().ok_or("--store needs a file")?),
                "--drive" => {
                    let value = arguments.next().ok_or("--drive needs ELEMENT=URL")?;
                    let (element, url) = value.split_once('=').ok_or("--drive needs ELEMENT=URL")?;
                    let element =
                        element.parse().map_err(|_| format!("{element:?} is no element address"))?;
                    options.drives.push((element, url.to_owned()));
                }
                option if option.starts_with('-') => return Err(format!("there is no option {option}")),
                device if options.device.is_none() => options.device = Some(device.to_owned()),
                other => return Err(format!("one device is enough: what is {other:?} for?")),
            }
        }
        Ok(Some(options))
    }
}
