//! One owner per library: a lock file named for the changer's serial number.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use autochanger_engine::catalog::Identity;
use autochanger_engine::input::ClaimError;

/// Where lock files are made unless the caller says otherwise. Every manager on the machine must use one place, or they
/// do not see each other.
const USUAL_DIRECTORY: &str = "/run/lock";

/// Bounds a file name: 8 + 16 + 32 characters of INQUIRY data and separators stay well under it.
const NAME_MAX: usize = 120;

/// How often a lock file may vanish between its opening and its locking: each time another manager has just ended.
const MAX_REOPENS: u32 = 16;

/// A process id in decimal, with room to spare; what else is in the file is not read.
const PID_MAX: u64 = 16;

/// A library that is ours until this is dropped, or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Still locked, so that nobody takes the file between its last use and its end.
        if what_is_there(&self.path, &self.file) == There::ThatFile {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The directory in which every manager on this machine looks.
pub(crate) fn default_directory() -> PathBuf {
    let usual = Path::new(USUAL_DIRECTORY);
    // Only trying tells: permission bits do not speak of read-only mounts.
    let probe = usual.join(format!(".autochanger-probe-{}", std::process::id()));
    // Made anew, so that nothing is written through a link that somebody planted.
    match File::create_new(&probe) {
        Ok(_) => {
            let _ = std::fs::remove_file(&probe);
            usual.to_path_buf()
        }
        Err(_) => std::env::temp_dir(),
    }
}

/// The lock file of a library. `device` stands in where the changer has no serial number.
pub(crate) fn lock_path(directory: &Path, identity: &Identity, device: &str) -> PathBuf {
    let key: &str = if identity.serial.is_empty() { device } else { &identity.serial };
    let name = format!("autochanger-{}-{}-{}", identity.vendor, identity.product, key);
    let mut name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    name.truncate(NAME_MAX);
    name.push_str(".lock");
    directory.join(name)
}

/// Takes the library, or tells who has it. A second manager in this process is kept out as well.
pub(crate) fn claim(path: PathBuf) -> Result<Lock, ClaimError> {
    let failed = |error: io::Error| ClaimError::Lock(format!("{}: {error}", path.display()));
    for _ in 0..MAX_REOPENS {
        let mut file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ClaimError::InUse { pid: read_pid(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        match what_is_there(&path, &file) {
            There::ThatFile => {
                // The lock is what counts; the number in the file only makes the message better.
                let _ = file
                    .set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| write!(file, "{}", std::process::id()));
            }
            // Its owner has ended between our opening and our locking: what we hold has no name any more.
            There::Nothing => continue,
            // Somebody planted a link. Nothing is written through it; it locks all the same.
            There::SomethingElse => {}
        }
        return Ok(Lock { path, file });
    }
    Err(ClaimError::Lock(format!("{}: it comes and goes; try again", path.display())))
}

/// Another user's lock file may be readable only, and that suffices to lock it.
fn open(path: &Path) -> io::Result<File> {
    let ours = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    match ours {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path).or(Err(error)),
        other => other,
    }
}

/// What the name of an opened file stands for now.
#[derive(Debug, PartialEq, Eq)]
enum There {
    ThatFile,
    Nothing,
    SomethingElse,
}

/// The directory is commonly writable for everyone, and a lock's owner takes its file away when it ends.
fn what_is_there(path: &Path, file: &File) -> There {
    let named = match std::fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return There::Nothing,
        Err(_) => return There::SomethingElse,
    };
    let Ok(opened) = file.metadata() else { return There::SomethingElse };
    #[cfg(unix)]
    let same = {
        use std::os::unix::fs::MetadataExt;
        named.dev() == opened.dev() && named.ino() == opened.ino()
    };
    #[cfg(not(unix))]
    let same = opened.is_file();
    match (named.is_file(), same) {
        (true, true) => There::ThatFile,
        // Another owner has made the file anew.
        (true, false) => There::Nothing,
        (false, _) => There::SomethingElse,
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("autochanger-claim-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory of the test's own");
        path
    }

    fn identity(serial: &str) -> Identity {
        Identity {
            vendor: "VEND".into(),
            product: "PROD/1".into(),
            revision: "1".into(),
            serial: serial.into(),
        }
    }

    #[test]
    fn a_second_claim_in_the_same_process_is_refused_with_the_process_id() {
        let directory = directory("second");
        let path = lock_path(&directory, &identity("S1"), "sim:");
        let lock = claim(path.clone()).expect("the first one gets it");
        assert_eq!(claim(path.clone()).err(), Some(ClaimError::InUse { pid: Some(std::process::id()) }));
        drop(lock);
        claim(path).expect("free again when the first one is gone");
        let _ = std::fs::remove_dir_all(directory);
    }

    #[test]
    fn a_name_holds_nothing_that_a_file_system_could_take_for_a_path() {
        let path = lock_path(Path::new("/locks"), &identity("../../etc/passwd\0"), "sim:");
        assert_eq!(path, Path::new("/locks/autochanger-VEND-PROD_1-______etc_passwd_.lock"));
        let long = lock_path(Path::new("/locks"), &identity(&"9".repeat(4000)), "sim:");
        assert!(long.as_os_str().len() < 200);
    }

    #[test]
    fn without_a_serial_number_the_device_is_the_key() {
        let path = lock_path(Path::new("/locks"), &identity(""), "sg:/dev/sg3");
        assert_eq!(path, Path::new("/locks/autochanger-VEND-PROD_1-sg__dev_sg3.lock"));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_planted_link() {
        let directory = directory("link");
        let (victim, path) = (directory.join("victim"), directory.join("trap.lock"));
        std::fs::write(&victim, "precious").expect("written");
        std::os::unix::fs::symlink(&victim, &path).expect("linked");
        let _ = claim(path);
        assert_eq!(std::fs::read_to_string(&victim).expect("read"), "precious");
        let _ = std::fs::remove_dir_all(directory);
    }

    #[test]
    fn a_lock_that_cannot_be_made_says_where() {
        let error = claim(PathBuf::from("/nonexistent/autochanger.lock")).expect_err("no such directory");
        assert!(error.to_string().contains("/nonexistent/autochanger.lock"), "{error}");
    }
}
