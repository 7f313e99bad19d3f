//! Who logs in, with what name, and where it is sent.

use std::sync::{Arc, Mutex};

use autochanger::transport::iscsi::{INITIATOR_NAME_PREFIX, discover, discover_as, initiator_name};
use autochanger::transport::{
    Completion, IscsiTransport, IscsiUrl, PathFaultKind, Transport, TransportError,
};

use super::ready;
use super::scripted::{NAME, Scripted};

#[tokio::test]
async fn a_target_hears_the_machines_name_or_the_one_that_was_given() {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let names = heard.clone();
    let target =
        Scripted::start(move |_, admitted| names.lock().unwrap().push(admitted.initiator.clone())).await;
    let device = |url: String| IscsiTransport::new(url.parse().unwrap());
    let (by_url, by_hand) = ("iqn.2026-01.test:by-url", "eui.02004567A425678D");
    device(target.url()).execute(ready()).await.unwrap();
    device(format!("{}?initiator={by_url}", target.url())).execute(ready()).await.unwrap();
    device(target.url()).initiator(by_hand).unwrap().execute(ready()).await.unwrap();
    let portal = target.address().to_string();
    discover(&portal, None).await.unwrap();
    discover_as(by_hand, &portal, None).await.unwrap();
    let own = initiator_name();
    assert!(own.starts_with(INITIATOR_NAME_PREFIX));
    assert_eq!(*heard.lock().unwrap(), [own, by_url, by_hand, own, by_hand]);

    let error = device(target.url()).initiator("me").unwrap_err();
    assert!(error.to_string().contains("begins with none of `iqn.`"), "{error}");
    let error = discover_as("me", &portal, None).await.unwrap_err();
    assert_eq!(error.fault().kind, PathFaultKind::Unsupported, "{error}");
    assert_eq!(target.connections(), 5, "nobody logs in under such a name");
}

/// A device at a target that sends elsewhere.
fn sent_away(from: &Scripted) -> IscsiTransport {
    IscsiTransport::new(from.url().parse().unwrap())
}

/// Has a command answered in a new session: the one before has ended, which its next command may be the first to see.
async fn again(device: &IscsiTransport) {
    while device.execute(ready()).await.is_err() {}
}

#[tokio::test]
async fn a_redirection_for_the_time_being_is_followed_and_asked_for_anew_the_next_time() {
    let target = Scripted::once().await;
    let address = target.address();
    let portal = Scripted::redirecting(1, move |_| format!("{address},1")).await;
    let device = sent_away(&portal);
    for sessions in 1..=3 {
        again(&device).await;
        assert_eq!((portal.connections(), target.connections()), (sessions, sessions));
    }
}

#[tokio::test]
async fn a_redirection_for_good_is_remembered_until_nobody_is_there() {
    let target = Scripted::once().await;
    let address = target.address();
    let portal = Scripted::redirecting(2, move |_| format!("{address},1")).await;
    let device = sent_away(&portal);
    for sessions in 1..=3 {
        again(&device).await;
        assert_eq!((portal.connections(), target.connections()), (1, sessions));
    }
    drop(target);
    let away = async || device.execute(ready()).await.unwrap_err().fault().kind == PathFaultKind::Unreachable;
    while !away().await {}
    assert_eq!(portal.connections(), 1);
    assert!(away().await);
    assert_eq!(portal.connections(), 2, "where it is gone from, its old address is asked again");
}

#[tokio::test]
async fn a_portal_that_sends_elsewhere_is_followed_by_discovery_too() {
    let target = Scripted::start(|_, _| {}).await;
    let address = target.address();
    let portal = Scripted::redirecting(1, move |_| address.to_string()).await;
    let targets = discover(&portal.address().to_string(), None).await.unwrap();
    assert_eq!((&*targets[0].name, &targets[0].addresses), (NAME, &vec![address.to_string()]));
}

#[tokio::test]
async fn targets_that_send_in_a_circle_or_nowhere_are_left() {
    let circle = Scripted::redirecting(1, |own| format!("{own},1")).await;
    let error = sent_away(&circle).execute(ready()).await.unwrap_err();
    let TransportError::NotSent(fault) = &error else { panic!("{error}") };
    assert_eq!(fault.kind, PathFaultKind::Unreachable);
    assert!(fault.detail.contains("from one address to the next"), "{error}");
    assert_eq!(circle.connections(), 5, "four redirections are followed");

    for (to, kind, words) in [
        ("", PathFaultKind::Unreachable, "the target has moved"),
        ("user%secret@host", PathFaultKind::Protocol, "is no address"),
        ("[nine]:3260,1", PathFaultKind::Protocol, "is no address"),
    ] {
        let nowhere = Scripted::redirecting(1, move |_| to.to_owned()).await;
        let error = sent_away(&nowhere).execute(ready()).await.unwrap_err();
        assert_eq!(error.fault().kind, kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(nowhere.connections(), 1);
    }
}

#[tokio::test]
async fn what_a_url_says_beside_the_unit_is_done() {
    let target = Scripted::start(|_, _| {}).await;
    let url = |options: &str| format!("{}{options}", target.url()).parse::<IscsiUrl>().unwrap();
    let error = IscsiTransport::new(url("?digests=refuse")).execute(ready()).await;
    assert_eq!(error.unwrap(), Completion::good(), "the target wants none either");
    // One that is told to say nothing for a day is silent: only the connection's own time ends that.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let device = format!("iscsi://{address}/{NAME}/0?connect_timeout=1&keep_alive=86400").parse().unwrap();
    let error = IscsiTransport::new(device).execute(ready()).await.unwrap_err();
    assert!(error.to_string().contains("no connection and login within 1s"), "{error}");
}
