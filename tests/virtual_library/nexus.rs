//! What stays with an initiator when its connection goes: name and ISID are the nexus, and registrations are the nexus'.

use std::sync::Arc;

use autochanger::transport::sim::Hold;
use autochanger::transport::{Completion, DeviceUrl, open};
use autochanger_scsi::{
    PersistentReserveIn, PersistentReserveInAction as In, PersistentReserveOut,
    PersistentReserveOutAction as Out, PersistentReserveParameters, PreventAllowMediumRemoval,
    ReservationKeys, ReservationStatus, ReservationType,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;

const KEY: u64 = 0xCAFE;
const KIND: ReservationType = ReservationType::ExclusiveAccess;

async fn out(device: &dyn Transport, action: Out, key: u64, service_action_key: u64) -> Completion {
    let list = PersistentReserveParameters { key, service_action_key, ..Default::default() };
    let command = PersistentReserveOut { action, scope: 0, kind: KIND.code(), length: 24 };
    let data_out = list.to_bytes().to_vec().into();
    device.execute(Command { data_out, ..Command::new(command.cdb(), SOON) }).await.unwrap()
}

async fn ask(device: &dyn Transport, action: In) -> Completion {
    let cdb = PersistentReserveIn { action, allocation: 4096 }.cdb();
    device.execute(Command::reading(cdb, 4096, SOON)).await.unwrap()
}

async fn keys(device: &dyn Transport) -> Vec<u64> {
    ReservationKeys::parse(&ask(device, In::ReadKeys).await.data).unwrap().keys().collect()
}

/// The attentions that wait, oldest first.
async fn attentions(device: &dyn Transport) -> Vec<(u8, u8)> {
    let mut codes = Vec::new();
    loop {
        let answer = device.execute(ready()).await.unwrap();
        match answer.sense() {
            None => return codes,
            Some(sense) => codes.push((sense.code.asc, sense.code.ascq)),
        }
    }
}

/// Registered and holding an exclusive reservation.
async fn reserves(device: &dyn Transport) {
    assert_eq!(attentions(device).await, [(0x29, 0x00)]);
    assert_eq!(out(device, Out::Register, 0, KEY).await.status, Status::Good);
    assert_eq!(out(device, Out::Reserve, KEY, 0).await.status, Status::Good);
}

/// The command after a connection was lost may be the one that finds out.
async fn connects_again(device: &dyn Transport) {
    let cdb = Inquiry { vpd: None, allocation: 36 }.cdb();
    let again = async { while device.execute(Command::reading(cdb, 36, SOON)).await.is_err() {} };
    tokio::time::timeout(SOON, again).await.expect("it connects again");
}

#[tokio::test]
async fn a_registration_and_its_reservation_outlive_the_connection() {
    let served = served().await;
    let (ours, theirs) = (IscsiTransport::new(served.url()), IscsiTransport::new(served.url()));
    reserves(&ours).await;
    assert_eq!(attentions(&theirs).await, [(0x29, 0x00)]);
    served.cut_connections();
    for device in [&ours, &theirs] {
        connects_again(device).await;
        // Both are told, and know that nothing was powered off.
        assert_eq!(attentions(device).await, [(0x29, 0x07)]);
    }
    assert_eq!(keys(&theirs).await, [KEY]);
    assert_eq!(theirs.execute(move_medium(1000, 1005)).await.unwrap().status, Status::ReservationConflict);
    assert_eq!(ours.execute(move_medium(1000, 1005)).await.unwrap().status, Status::Good);
    assert_eq!(out(&ours, Out::Release, KEY, 0).await.status, Status::Good);
    assert_eq!(theirs.execute(move_medium(1005, 1000)).await.unwrap().status, Status::Good);
}

#[tokio::test]
async fn a_reservation_outlives_a_host_that_has_gone_until_another_preempts_it() {
    let served = served().await;
    let gone = IscsiTransport::new(served.url());
    reserves(&gone).await;
    drop(gone);
    while served.sessions() > 0 {
        tokio::task::yield_now().await;
    }
    let other = IscsiTransport::new(served.url());
    assert_eq!(attentions(&other).await, [(0x29, 0x00)], "another ISID is another initiator port");
    assert_eq!(other.execute(move_medium(1000, 1005)).await.unwrap().status, Status::ReservationConflict);
    assert_eq!(out(&other, Out::Register, 0, 0xB).await.status, Status::Good);
    assert_eq!(out(&other, Out::Preempt, 0xB, KEY).await.status, Status::Good);
    assert_eq!(keys(&other).await, [0xB]);
    assert_eq!(other.execute(move_medium(1000, 1005)).await.unwrap().status, Status::Good);
}

#[tokio::test]
async fn prevention_of_removal_ends_with_the_session() {
    let served = served().await;
    let device = IscsiTransport::new(served.url());
    attentions(&device).await;
    let prevent = Command::new(PreventAllowMediumRemoval { prevent: true }.cdb(), SOON);
    assert_eq!(device.execute(prevent).await.unwrap().status, Status::Good);
    let library = served.library();
    assert!(library.operator_put(10, "VT0009L8").is_err(), "the door is locked");
    served.cut_connections();
    connects_again(&device).await;
    library.operator_put(10, "VT0009L8").expect("nobody prevents it any more");
}

#[tokio::test]
async fn the_full_status_names_the_initiator_port() {
    let served = served().await;
    let device = IscsiTransport::new(served.url());
    reserves(&device).await;
    let answer = ask(&device, In::ReadFullStatus).await;
    let status = ReservationStatus::parse(&answer.data).unwrap();
    let ids: Vec<_> = status.registrations().map(|it| it.initiator.to_vec()).collect();
    let [id] = &ids[..] else { panic!("{ids:?}") };
    // Protocol iSCSI, format "port", a length that is a multiple of four.
    assert_eq!((id[0], id.len() % 4, usize::from(id[3])), (0x45, 0, id.len() - 4));
    let name = String::from_utf8_lossy(&id[4..]);
    let (name, isid) = name.trim_end_matches('\0').split_once(",i,0x").expect("name and ISID");
    assert!(name.starts_with("iqn."), "{name}");
    // The "random" kind of ISID (RFC 7143 section 11.12.5).
    assert!(isid.len() == 12 && isid.starts_with("80"), "{isid}");
}

/// A way to a target whose initiator's side can be cut while the target's side stays open and silent.
struct HalfOpen {
    port: u16,
    epoch: Arc<watch::Sender<u64>>,
}

impl HalfOpen {
    async fn to(target: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let epoch = Arc::new(watch::Sender::new(0));
        let cuts = Arc::clone(&epoch);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(target).await.unwrap();
                let mut cut = cuts.subscribe();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                        _ = cut.changed() => {}
                    }
                    let _ = client.shutdown().await;
                    drop(client);
                    // Open until the target ends it.
                    let mut rest = [0; 512];
                    while matches!(server.read(&mut rest).await, Ok(1..)) {}
                });
            }
        });
        Self { port, epoch }
    }

    fn cut(&self) {
        self.epoch.send_modify(|epoch| *epoch += 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_comes_again_ends_the_old_one_and_what_it_had_in_flight() {
    let served = served().await;
    let way = HalfOpen::to(served.address()).await;
    let url =
        served.url().to_string().replace(&served.address().to_string(), &format!("127.0.0.1:{}", way.port));
    let url: DeviceUrl = url.parse().unwrap();
    let device = open(&url).unwrap();
    reserves(&*device).await;
    let library = served.library().clone();
    // The first move stands still in the arm, so that the second waits for it.
    let gate = library.hold(Hold::opcode(MoveMedium::OPCODE).before_effect());
    let moving: Vec<_> = [(1000, 1005), (1001, 1006)]
        .map(|(from, to)| {
            let device = Arc::clone(&device);
            tokio::spawn(async move { device.execute(move_medium(from, to)).await })
        })
        .into();
    while library.moves_sent() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(served.sessions(), 1);
    way.cut();
    for moving in moving {
        let error = moving.await.unwrap().unwrap_err();
        assert!(matches!(error, TransportError::OutcomeUnknown(_)), "{error}");
    }
    connects_again(&*device).await;
    assert_eq!(served.sessions(), 1, "the old session has made way");
    drop(gate);
    assert_eq!(attentions(&*device).await, [(0x29, 0x07)]);
    assert_eq!((library.moves_sent(), library.moves_done()), (2, 0), "what had not begun is never done");
    assert_eq!(keys(&*device).await, [KEY]);
    assert_eq!(device.execute(move_medium(1000, 1005)).await.unwrap().status, Status::Good);
}
