//! Commands per second through the Linux kernel's SCSI generic driver, by each of its ways and through the transport:
//!
//!     cargo bench --bench sg -- /dev/sg3
//!
//! Sends TEST UNIT READY, INQUIRY and READ ELEMENT STATUS to the device, nothing that moves. Without a device it
//! takes that of the guest of the tests: `tests/beds/guest/run.sh target/release/deps/sg-…`.

#[cfg(target_os = "linux")]
mod linux {
    use std::time::{Duration, Instant};

    use autochanger::transport::{Command, SgTransport, SgUrl, Transport};
    use autochanger_scsi::sg::{Data, Device, Interface, block_signals};
    use autochanger_scsi::{
        Cdb, ElementAddress, ElementType, Inquiry, ReadElementStatus, Sense, SenseKey, Status, TestUnitReady,
    };

    type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

    /// How long each row is measured.
    const LENGTH: Duration = Duration::from_secs(1);

    /// For commands that move nothing.
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn commands() -> [(&'static str, Cdb, u32); 3] {
        let report = ReadElementStatus {
            element_type: Some(ElementType::Storage),
            start: ElementAddress(0),
            count: 1000,
            volume_tags: true,
            current_data: false,
            device_ids: false,
            allocation: 0xFFFF,
        };
        [
            ("TEST UNIT READY", TestUnitReady {}.cdb(), 0),
            ("INQUIRY, 96 bytes", Inquiry { vpd: None, allocation: 96 }.cdb(), 96),
            ("READ ELEMENT STATUS, 1,000 slots", report.cdb(), 0xFFFF),
        ]
    }

    /// Commands per second, without those of the first tenth.
    fn rate(mut once: impl FnMut() -> Result<()>) -> Result<f64> {
        let warm = Instant::now();
        while warm.elapsed() < LENGTH / 10 {
            once()?;
        }
        let (start, mut count) = (Instant::now(), 0u32);
        while start.elapsed() < LENGTH {
            once()?;
            count += 1;
        }
        Ok(f64::from(count) / start.elapsed().as_secs_f64())
    }

    /// A refusal is quicker than an answer, and does not count. A unit attention is told once.
    fn check(status: Status, sense: &[u8]) -> Result<()> {
        match (status, Sense::parse(sense)) {
            (Status::Good, _) => Ok(()),
            (_, Some(sense)) if sense.key == SenseKey::UnitAttention => Ok(()),
            (_, Some(sense)) => Err(sense.to_string().into()),
            (status, None) => Err(status.to_string().into()),
        }
    }

    fn bare(path: &str, interface: Interface, cdb: &Cdb, allocation: u32) -> Result<f64> {
        let mut device = Device::open(path)?.with_interface(interface);
        let mut buffer = vec![0; usize::try_from(allocation)?];
        rate(|| {
            let data = if allocation == 0 { Data::None } else { Data::In(&mut buffer) };
            let answer = device.execute(cdb, data, TIMEOUT)?;
            check(answer.status, answer.sense())
        })
    }

    fn transport(path: &str, cdb: &Cdb, allocation: u32) -> Result<f64> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let device = SgTransport::new(format!("sg:{path}").parse::<SgUrl>()?);
        rate(|| {
            let answer = runtime.block_on(device.execute(Command::reading(*cdb, allocation, TIMEOUT)))?;
            check(answer.status, &answer.sense)
        })
    }

    pub(crate) fn run(path: &str) -> Result<()> {
        block_signals()?;
        println!("{:<34} {:>14} {:>16} {:>12}", "commands/s", "ioctl(SG_IO)", "write/poll/read", "transport");
        for (name, cdb, allocation) in commands() {
            let ioctl = bare(path, Interface::Ioctl, &cdb, allocation)?;
            let write = bare(path, Interface::WriteRead, &cdb, allocation)?;
            let through = transport(path, &cdb, allocation)?;
            println!("{name:<34} {ioctl:>14.0} {write:>16.0} {through:>12.0}");
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let device = std::env::args().skip(1).find(|argument| argument.starts_with('/'));
    let Some(device) = device.or_else(|| std::env::var("CHANGER").ok()) else {
        println!("sg: name a device: cargo bench --bench sg -- /dev/sg3");
        return std::process::ExitCode::SUCCESS;
    };
    match linux::run(&device) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{device}: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("sg: Linux only");
}
