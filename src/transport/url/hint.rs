//! What a text that is no device URL may have been meant to be.

/// A clause for the message, or nothing. It shows nothing that may be a secret.
pub(super) fn of(text: &str) -> String {
    if text.contains(['%', '@']) {
        return String::new();
    }
    if text.starts_with("/dev/") {
        return format!(": did you mean sg:{text}?");
    }
    let kernels = |kind: &str| {
        text.strip_prefix(kind)
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|digit| digit.is_ascii_digit()))
    };
    if kernels("sg") || kernels("sch") || kernels("nst") || kernels("st") {
        return format!(": did you mean sg:/dev/{text}?");
    }
    // A portal alone: the target's name is missing.
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    if !text.contains('/') && port.is_some_and(|port| port.parse::<u16>().is_ok()) {
        return format!(
            ": behind a portal stand the target's name and the logical unit, iscsi://{text}/iqn.…/0"
        );
    }
    String::new()
}
