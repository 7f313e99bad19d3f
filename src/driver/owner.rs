//! By which key the devices know an owner of theirs again.

use std::path::Path;

/// The id that systems give to an installation once and for all; see `machine-id(5)`.
const MACHINE_ID: &str = "/etc/machine-id";

/// The machine's name, as the kernel tells it.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// The reservation key of an owner: of the name that it was given, else of this machine and the lock directory. Managers that
/// share a key are kept apart by the lock alone, so what is in the key must be what the lock reaches: machines that were made
/// from one image can have the same id, and containers one lock directory each. `None`: the machine has no id, and the key
/// is to be made of what the store keeps.
pub(crate) fn owner_key(name: Option<&str>, lock_directory: &Path) -> Option<u64> {
    if let Some(name) = name {
        return Some(key(&[b"name", name.as_bytes()]));
    }
    let (machine, host) = machine()?;
    let directory = lock_directory.canonicalize().unwrap_or_else(|_| lock_directory.to_path_buf());
    Some(key(&[b"machine", machine.as_bytes(), host.as_bytes(), directory.as_os_str().as_encoded_bytes()]))
}

/// A number of this machine for a purpose, the same again at each start; `None` where the machine has no id.
#[cfg(feature = "iscsi")]
pub(crate) fn machine_number(purpose: &str) -> Option<u64> {
    let (machine, host) = machine()?;
    Some(key(&[purpose.as_bytes(), machine.as_bytes(), host.as_bytes()]))
}

/// The machine's id and name.
fn machine() -> Option<(String, String)> {
    let read = |path: &str| Some(std::fs::read_to_string(path).ok()?.trim().to_owned());
    // Empty or `uninitialized` until the first start is over.
    let machine = read(MACHINE_ID).filter(|machine| machine.len() >= 32)?;
    Some((machine, read(HOST_NAME).unwrap_or_default()))
}

/// A key of some parts: FNV-1a and the finaliser of SplitMix64. It is read by everyone at the device, so it is no secret, and it
/// shows nothing of the parts to who does not know them.
fn key(parts: &[&[u8]]) -> u64 {
    const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    // 255 is in no text: the parts cannot run into each other.
    let bytes = parts.iter().flat_map(|part| part.iter().copied().chain([0xFF]));
    let mut hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (hash ^ (hash >> 31)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_the_same_key_again_and_others_have_others() {
        let here = Path::new("/");
        let named = owner_key(Some("the vault"), here);
        assert_eq!(named, owner_key(Some("the vault"), Path::new("/elsewhere")));
        assert_ne!(named, owner_key(Some("the vaul"), here));
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
    }

    #[test]
    fn two_lock_directories_are_two_owners_on_a_machine_that_has_an_id() {
        let keys = ["/", "/usr"].map(|directory| owner_key(None, Path::new(directory)));
        assert_eq!(keys[0], owner_key(None, Path::new("/")));
        assert!(keys[0] != keys[1] || keys == [None, None], "{keys:x?}");
    }
}
