//! What the device itself says, asked past the proxy and without a manager.

use std::collections::BTreeMap;
use std::time::Duration;

use autochanger::request::ElementName;
use autochanger::scsi::{
    ElementAddress, ElementStatus, ElementType, ReadElementStatus, Status, TestUnitReady,
};
use autochanger::transport::{self, Command, Completion, DeviceUrl, Transport};

const PATIENCE: Duration = Duration::from_secs(10);
const ALLOCATION: u32 = 65_535;

/// A reading in which something moved is not the truth: so many are made for two in a row that agree.
const READINGS: usize = 50;

/// Every cartridge and where it is. Panics when a label stands twice.
pub(crate) fn contents(url: &str) -> BTreeMap<String, ElementName> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut found = runtime.block_on(settled(url));
    found.sort_unstable();
    for pair in found.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "one label in {} and in {}", pair[0].1, pair[1].1);
    }
    found.into_iter().collect()
}

async fn settled(url: &str) -> Vec<(String, ElementName)> {
    let url: DeviceUrl = url.parse().expect("the bed gives a right URL");
    let device = transport::open(&url).expect("the URL is complete");
    // A new session is told once that the target was started.
    while execute(&*device, Command::new(TestUnitReady {}.cdb(), PATIENCE)).await.status != Status::Good {}
    let mut before = read(&*device).await;
    for _ in 0..READINGS {
        let now = read(&*device).await;
        if now == before {
            return now;
        }
        before = now;
    }
    panic!("the library does not come to rest: {before:?}");
}

async fn read(device: &dyn Transport) -> Vec<(String, ElementName)> {
    let mut found = Vec::new();
    for kind in ElementType::ALL {
        let read = ReadElementStatus {
            element_type: Some(kind),
            start: ElementAddress(0),
            count: u16::MAX,
            volume_tags: true,
            current_data: false,
            device_ids: false,
            allocation: ALLOCATION,
        };
        let answer = execute(device, Command::reading(read.cdb(), ALLOCATION, PATIENCE)).await;
        assert_eq!(answer.status, Status::Good, "{answer:?}");
        let report = ElementStatus::parse(&answer.data).expect("a report");
        for element in report.elements().filter(|element| element.full()) {
            let tag = element.volume_tag().expect("every cartridge has a label").identifier().to_owned();
            found.push((tag, ElementName { kind: element.element_type(), address: element.address() }));
        }
    }
    found
}

async fn execute(device: &dyn Transport, command: Command) -> Completion {
    device.execute(command).await.expect("the target answers")
}
