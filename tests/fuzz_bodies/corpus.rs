//! The inputs that are kept in `fuzz/corpus`, a folder for each target.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Seeds by target, each with the name of its file.
pub(crate) type Seeds = BTreeMap<&'static str, Vec<(String, Vec<u8>)>>;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    files.sort();
    files
}

/// What is in a folder of `fuzz`, without endings.
pub(crate) fn names(name: &str) -> BTreeSet<String> {
    files(&folder(name)).iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

/// A file of `fuzz`.
pub(crate) fn text(name: &str) -> String {
    fs::read_to_string(folder(name)).unwrap_or_else(|error| panic!("fuzz/{name}: {error}"))
}

/// The inputs of a target, with the names of their files, in the order of those.
pub(crate) fn read(target: &str) -> Vec<(String, Vec<u8>)> {
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    files(&folder("corpus").join(target)).into_iter().map(read).collect()
}

/// Writes seeds; what else is there stays.
pub(crate) fn write(seeds: &Seeds) {
    for (target, seeds) in seeds {
        let folder = folder("corpus").join(target);
        fs::create_dir_all(&folder).expect("a folder of the corpus");
        for (name, seed) in seeds {
            fs::write(folder.join(name), seed).expect("a file of the corpus");
        }
    }
}
