//! The kernel's own drivers on our virtual library: commands that nobody here wrote.

use super::bed::Guest;

/// Linux's `ch` reads mode page 1Dh (MODE SENSE(6)), looks at each drive element (READ ELEMENT STATUS) and has the elements
/// scanned (INITIALIZE ELEMENT STATUS) before it binds; it says what it has understood.
#[test]
fn the_kernels_changer_driver_reads_our_geometry_and_scans_our_elements() {
    let out =
        Guest::new().virtual_library().shell("dmesg | grep -F '[ch0]'; ls /sys/class/scsi_changer", &[]);
    for line in [
        "[ch0] type #1 (mt): 0x1+1 [medium transport]",
        "[ch0] type #2 (st): 0x3e8+24 [storage]",
        "[ch0] type #3 (ie): 0xa+4 [import/export]",
        "[ch0] type #4 (dt): 0x1f4+2 [data transfer]",
        "[ch0] dt 0x1f4: ",
        "[ch0] dt 0x1f5: ",
        "[ch0] INITIALIZE ELEMENT STATUS",
        "[ch0] ... finished",
    ] {
        assert!(out.lines().any(|said| said.contains(line)), "the kernel does not say {line:?}:\n{out}");
    }
    assert!(out.lines().any(|line| line == "sch0") && !out.contains("failed"), "{out}");
}
