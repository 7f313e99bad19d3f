//! What scripts of iSCSI are made of: single PDUs, and what two ends of ours say to each other.

use autochanger_iscsi::target::SessionSeed;
use autochanger_iscsi::{Chap, DigestPolicy, Initiator, LoginConfig, Secret, Target, TargetConfig};

/// A framed PDU: the opcode by its place in the body's list, three flags, LUN 0, both tags, three numbers, three words.
pub(super) fn pdu(
    opcode: u8,
    flags: [u8; 3],
    tag: u8,
    transfer: u8,
    numbers: [u8; 3],
    words: [u8; 3],
    data: &[u8],
) -> Vec<u8> {
    let mut script = vec![9, opcode];
    script.extend_from_slice(&flags);
    script.extend_from_slice(&[0, tag, transfer]);
    script.extend_from_slice(&numbers);
    script.extend_from_slice(&words);
    match data {
        // So many times 512 bytes of zeros.
        [count] if *count >= 0xC0 => script.extend_from_slice(&[*count, 0]),
        data => {
            script.push(data.len() as u8);
            script.extend_from_slice(data);
        }
    }
    script
}

/// A SCSI response with its sense data.
pub(super) fn response(tag: u8, status: u8, sense: &[u8]) -> Vec<u8> {
    pdu(1, [0x80, 0, status], tag, 0, [3, 2, 40], [0, 0, 0], sense)
}

/// What an initiator of ours and a target of ours say to each other, from the login to the logout.
pub(super) fn overheard(digests: DigestPolicy) -> [Vec<u8>; 2] {
    let name = "iqn.2026-01.test:library";
    let chap = Chap { user: "backup".into(), secret: Secret::new("open sesame"), mutual: None };
    let login = LoginConfig {
        initiator: "iqn.2026-01.test:me".into(),
        target: Some(name.into()),
        isid: [0x80, 0, 0, 0, 0, 1],
        authentication: Some(chap),
        digests,
    };
    let mut initiator = Initiator::new(login);
    let seed = SessionSeed { challenge: [9; 16], tsih: 77, portal: "127.0.0.1:3260".into() };
    let mut target = Target::new(TargetConfig::new(name), seed);
    let [mut ours, mut theirs] = [Vec::new(), Vec::new()];
    for round in 0..12 {
        if round == 8 {
            initiator.ping();
        }
        if round == 10 {
            initiator.logout();
        }
        while let Some(bytes) = initiator.poll_transmit() {
            ours.extend_from_slice(&bytes);
            target.received(&bytes);
        }
        while let Some(bytes) = target.poll_transmit() {
            theirs.extend_from_slice(&bytes);
            initiator.received(&bytes);
        }
        while initiator.poll_event().is_some() {}
    }
    assert!(initiator.has_ended(), "a logout ends a session");
    [ours, theirs]
}
