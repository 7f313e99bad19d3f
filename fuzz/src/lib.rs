//! Fuzz targets of `autochanger`. See [`bodies`].

pub mod bodies;

/// Makes a program of libFuzzer's of the target with this name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::bodies::target($name).check(input));
    };
}
