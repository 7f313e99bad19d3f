//! By which key the devices know an owner of theirs again.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;

/// The id that systems give to an installation once and for all; see `machine-id(5)`.
const MACHINE_ID: &str = "/etc/machine-id";

/// The machine's name, as the kernel tells it.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// The file in the lock directory that keeps an id of the directory's own, where the machine has none.
const DIRECTORY_ID: &str = "autochanger-owner";

/// Bytes of that id, in the file as hexadecimal digits: as many as a machine's id has.
const ID_BYTES: usize = 16;

/// The reservation key of an owner: of the name that it was given, else of this machine and the lock directory. Managers that
/// share a key are kept apart by the lock alone, so what is in the key must be what the lock reaches: machines that were made
/// from one image can have the same id, and containers one lock directory each. `None`: there is no id that lasts, and the key
/// is to be made of what the store keeps.
pub(crate) fn owner_key(name: Option<&str>, lock_directory: &Path) -> Option<u64> {
    match name {
        Some(name) => Some(key(&[b"name", name.as_bytes()])),
        None => place_key(machine(), lock_directory),
    }
}

fn place_key(machine: Option<(String, String)>, lock_directory: &Path) -> Option<u64> {
    let Some((machine, host)) = machine else {
        let id = directory_id(lock_directory).ok()?;
        return Some(key(&[b"directory", id.as_bytes()]));
    };
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

/// The id of a lock directory, drawn when it is first asked for. The lock reaches as far as the directory does, so that
/// whatever is reserved under this id is left from a manager that is gone.
fn directory_id(directory: &Path) -> io::Result<String> {
    let path = directory.join(DIRECTORY_ID);
    if !path.try_exists()? {
        let mut id = [0; ID_BYTES];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        let draft = directory.join(format!("{DIRECTORY_ID}-{}", key(&[&id])));
        let written = File::create_new(&draft)
            .and_then(|mut file| writeln!(file, "{:032x}", u128::from_be_bytes(id)))
            // Whole at once, and never over another's: of several managers that start now one gives the id.
            .and_then(|()| std::fs::hard_link(&draft, &path));
        let _ = std::fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    // The directory is commonly writable for everyone: nobody else is to say which reservations are ours.
    if !is_trusted(&std::fs::symlink_metadata(&path)?) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut id = String::new();
    File::open(&path)?.take(2 * ID_BYTES as u64).read_to_string(&mut id)?;
    match id.len() == 2 * ID_BYTES && id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        true => Ok(id),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// A plain file of this process's user, or of root.
fn is_trusted(found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let ours = std::fs::metadata("/proc/self").map(|process| process.uid());
        found.is_file() && (found.uid() == 0 || ours.is_ok_and(|ours| ours == found.uid()))
    }
    #[cfg(not(unix))]
    found.is_file()
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

    #[test]
    fn a_machine_without_an_id_is_known_again_by_its_lock_directory_and_by_no_other() {
        let directories = ["one", "other"].map(|name| {
            let path = std::env::temp_dir().join(format!("autochanger-owner-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a directory of the test's own");
            path
        });
        let [one, other] = &directories;
        let key = place_key(None, one);
        assert!(key.is_some());
        assert_eq!(place_key(None, one), key, "the next process knows what the last one left reserved");
        assert_ne!(place_key(None, other), key);
        assert_eq!(place_key(None, Path::new("/nonexistent")), None, "nothing that lasts");

        // Nobody else says which reservations are ours, and nothing is made of what was cut off.
        let path = other.join(DIRECTORY_ID);
        std::fs::write(&path, "0123").expect("written");
        assert_eq!(place_key(None, other), None);
        #[cfg(unix)]
        {
            std::fs::remove_file(&path).expect("removed");
            std::os::unix::fs::symlink(one.join(DIRECTORY_ID), &path).expect("linked");
            assert_eq!(place_key(None, other), None);
        }
        for directory in directories {
            let left = std::fs::read_dir(&directory).expect("listed").count();
            assert_eq!(left, 1, "only the id stays");
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}
