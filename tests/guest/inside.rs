//! The guest, from the inside: its library, its target, and hands on both.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use autochanger::transport::sg::SgTransport;
use autochanger::transport::{DeviceUrl, SgUrl};
use autochanger_scsi::sg::{Data, Device};
use autochanger_scsi::{
    Cdb, ElementAddress, ElementStatus, ElementType, MoveMedium, ReadElementStatus, Sense, SenseKey, Status,
    TestUnitReady,
};

/// Only a broken test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const SLOT: u16 = 1000;
pub(crate) const DRIVE: u16 = 500;

/// The changer's sg node.
pub(crate) fn changer() -> PathBuf {
    std::env::var_os("CHANGER").filter(|path| !path.is_empty()).expect("the guest has a changer").into()
}

pub(crate) fn url() -> SgUrl {
    format!("sg:{}", changer().display()).parse().expect("a device URL")
}

pub(crate) fn transport() -> SgTransport {
    assert!(matches!(DeviceUrl::from(url()), DeviceUrl::Sg(_)));
    SgTransport::new(url())
}

pub(crate) fn move_medium(source: u16, destination: u16) -> Cdb {
    MoveMedium {
        transport: ElementAddress(0),
        source: ElementAddress(source),
        destination: ElementAddress(destination),
        invert: false,
    }
    .cdb()
}

/// How many commands the kernel has sent to the changer since it found it.
pub(crate) fn commands_sent() -> u64 {
    let node = changer();
    let name = node.file_name().expect("a node has a name").to_str().expect("of letters");
    let path = format!("/sys/class/scsi_generic/{name}/device/iorequest_cnt");
    let text = std::fs::read_to_string(path).expect("the kernel counts");
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).expect("a number")
}

pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it does not come to pass: {what}");
        std::thread::yield_now();
    }
}

/// Runs a line of shell that does something to processes.
pub(crate) fn shell(line: &str) {
    let status = Command::new("sh").arg("-c").arg(line).status().expect("sh runs");
    assert!(status.success(), "{line}");
}

fn tgtd() -> u32 {
    let pid = std::fs::read_to_string("/run/bed/pid").expect("the library has a pid file");
    pid.trim().parse().expect("a number")
}

/// The target stands still: it has what the kernel sends, and answers nothing.
pub(crate) struct Standstill(());

impl Standstill {
    pub(crate) fn begin() -> Self {
        let pid = tgtd();
        shell(&format!("kill -STOP {pid}"));
        let stat = format!("/proc/{pid}/stat");
        until("the target is stopped", || std::fs::read_to_string(&stat).expect("it lives").contains(") T "));
        Self(())
    }

    pub(crate) fn end(self) {
        shell(&format!("kill -CONT {}", tgtd()));
    }
}

pub(crate) fn kill_target() {
    shell(&format!("kill -KILL {}", tgtd()));
}

/// The kernel forgets a unit.
pub(crate) fn delete(node: &Path) {
    let name = node.file_name().expect("a name").to_str().expect("of letters");
    std::fs::write(format!("/sys/class/scsi_generic/{name}/device/delete"), "1").expect("deleted");
}

/// This process is stopped and goes on, as Ctrl-Z and `fg` do it, or a debugger.
pub(crate) fn stop_and_go_on() {
    let pid = std::process::id();
    // The pause is what the kernel needs to bring every thread to a stop; there is nothing to wait for that says so.
    shell(&format!("kill -STOP {pid}; sleep 0.2; kill -CONT {pid}"));
}

/// The threads of this process, by number.
pub(crate) fn threads() -> Vec<u32> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("readable").flatten();
    tasks
        .map(|task| task.file_name().to_str().and_then(|name| name.parse().ok()).expect("a number"))
        .collect()
}

/// The calling thread's number.
pub(crate) fn this_thread() -> u32 {
    let link = std::fs::read_link("/proc/thread-self").expect("readable");
    link.file_name().and_then(|name| name.to_str()?.parse().ok()).expect("a number")
}

/// Sends SIGUSR1 to threads of this process, each its own, some times.
pub(crate) fn signal_threads(threads: &[u32], times: u32) {
    // tgkill(2) on x86-64: no shell has it, and Perl is on every Debian.
    let script = "my ($pid, $times, @threads) = @ARGV;
        for (1..$times) { for my $thread (@threads) { syscall(234, $pid + 0, $thread + 0, 10); }
            select(undef, undef, undef, 0.005); }";
    let mut perl = Command::new("perl");
    perl.arg("-e").arg(script).arg(std::process::id().to_string()).arg(times.to_string());
    perl.args(threads.iter().map(u32::to_string));
    assert!(perl.status().expect("perl runs").success());
}

/// A node of its own for questions.
pub(crate) fn ask() -> Device {
    let mut device = Device::open(changer()).expect("it can be opened");
    while attention(&mut device) {}
    device
}

/// Hears one unit attention; whether there was one.
pub(crate) fn attention(device: &mut Device) -> bool {
    let answer = device.execute(&TestUnitReady {}.cdb(), Data::None, PATIENCE).expect("answered");
    answer.status == Status::CheckCondition
        && Sense::parse(answer.sense()).is_some_and(|sense| sense.key == SenseKey::UnitAttention)
}

/// The cartridge in an element.
pub(crate) fn content(device: &mut Device, kind: ElementType, element: u16) -> Option<String> {
    let command = ReadElementStatus {
        element_type: Some(kind),
        start: ElementAddress(0),
        count: u16::MAX,
        volume_tags: true,
        current_data: false,
        device_ids: false,
        allocation: 0xFFFF,
    };
    let mut buffer = vec![0; 0xFFFF];
    let answer = device.execute(&command.cdb(), Data::In(&mut buffer), PATIENCE).expect("answered");
    assert_eq!(answer.status, Status::Good);
    let report = ElementStatus::parse(&buffer[..answer.transferred]).expect("a report");
    let found = report.elements().find(|found| found.address().0 == element).expect("the element");
    found.volume_tag().filter(|_| found.full()).map(|tag| tag.identifier().to_owned())
}
