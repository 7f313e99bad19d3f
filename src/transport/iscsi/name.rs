//! The name that this side gives to targets (RFC 7143 section 4.2.7.1).

use std::sync::OnceLock;

use crate::driver::machine_number;
use crate::transport::url::check_name;

/// How the initiator names of this crate begin; what follows tells machines apart.
pub const INITIATOR_NAME_PREFIX: &str = "iqn.2026-01.io.autochanger:";

/// The name that this machine's initiators give unless they are told another one, for targets' access lists: the same at each
/// start, and another one on each machine, as names of iSCSI nodes must be. It is made of the machine's id and its host name, and
/// shows neither. A machine without an id (`/etc/machine-id`) has the name that ends in `initiator`.
pub fn initiator_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| match machine_number("initiator") {
        Some(number) => format!("{INITIATOR_NAME_PREFIX}{number:016x}"),
        None => format!("{INITIATOR_NAME_PREFIX}initiator"),
    })
}

/// Why a text is no name of an initiator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the initiator name {name:?} {problem}; expected iqn.2026-01.example:host, or eui. or naa. with its digits"
)]
pub struct InitiatorNameError {
    name: String,
    problem: &'static str,
}

pub(super) fn checked(name: &str) -> Result<&str, InitiatorNameError> {
    check_name(name).map_err(|problem| InitiatorNameError { name: name.to_owned(), problem })?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_machine_is_one_that_targets_take_and_stays() {
        let name = initiator_name();
        assert!(checked(name).is_ok() && name.starts_with(INITIATOR_NAME_PREFIX), "{name}");
        assert_eq!(name, initiator_name());
    }

    #[test]
    fn names_have_one_of_three_forms_and_a_length() {
        let long = format!("iqn.{}", "a".repeat(219));
        for name in ["iqn.2026-01.example:host", "eui.02004567A425678D", "naa.52004567BA64678D", &long] {
            assert_eq!(checked(name), Ok(name));
        }
        let longer = format!("{long}a");
        for (name, problem) in [
            ("host", "begins with none of"),
            ("iqn.", "begins with none of"),
            ("", "begins with none of"),
            ("eui.02004567A42567", "16 hexadecimal digits"),
            ("naa.52004567BA64678DF", "16 hexadecimal digits"),
            ("iqn.2026-01.example:a host", "holds a character"),
            ("iqn.2026-01.example:a@b", "holds a character"),
            (&longer, "longer than 223"),
        ] {
            let error = checked(name).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("iqn.2026-01.example:host"), "{error}");
        }
    }
}
