//! Who is not reached: no listener, a silent one, or one of another kind.

use std::time::Duration;

use autochanger::transport::{Command, PathFaultKind, TransportError};
use autochanger_scsi::TestUnitReady;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::beds::{TgtBed, TgtOptions};
use super::{device, not_sent};

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("iscsi://127.0.0.1:{port}/iqn.2026-01.test:nobody/0");
    let fault = not_sent(&url, PathFaultKind::Unreachable).await;
    assert!(fault.detail.contains(&port.to_string()), "{fault}");
    assert!(fault.to_string().contains("check host and port"), "{fault}");
}

/// A listener that sends `greeting` to whoever connects, and closes where `close` says so.
async fn stranger(greeting: &'static [u8], close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(greeting).await;
            if !close {
                kept.push(stream);
            }
        }
    });
    format!("iscsi://127.0.0.1:{port}/iqn.2026-01.test:stranger/0")
}

#[tokio::test]
async fn a_listener_that_hangs_up_is_a_lost_connection() {
    not_sent(&stranger(b"", true).await, PathFaultKind::ConnectionLost).await;
}

#[tokio::test]
async fn a_listener_of_another_kind_breaks_the_protocol() {
    let greeting = b"220 mail.example ESMTP ready, pleased to meet you, friend\r\n";
    not_sent(&stranger(greeting, false).await, PathFaultKind::Protocol).await;
}

#[tokio::test]
async fn a_listener_that_says_nothing_holds_a_command_no_longer_than_its_time() {
    let url = stranger(b"", false).await;
    let command = Command::new(TestUnitReady {}.cdb(), Duration::from_millis(200));
    let error = device(&url).execute(command).await.unwrap_err();
    assert!(
        matches!(&error, TransportError::NotSent(fault) if fault.kind == PathFaultKind::TimedOut),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_target_name_is_named_so() {
    let bed = TgtBed::start(TgtOptions::default());
    let url = format!("iscsi://127.0.0.1:{}/iqn.2026-01.test:other/0", bed.port());
    let fault = not_sent(&url, PathFaultKind::TargetNotFound).await;
    assert!(fault.to_string().contains("iqn.2026-01.test:other"), "{fault}");
}
