//! Who may use a node: what to do where the system says no.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::string::{String, ToString};

/// Where groups have their names. Those of a directory service are told by number alone.
const GROUPS: &str = "/etc/group";
/// Read and write for the group.
const GROUP_MAY: u32 = 0o060;

/// What to do so that the node can be opened for reading and writing.
pub(super) fn advice(path: &Path, code: Option<i32>) -> String {
    let owner = fs::metadata(path).ok().map(|node| (node.mode(), node.gid()));
    let groups = fs::read_to_string(GROUPS).unwrap_or_default();
    advice_of(owner, &groups, code)
}

fn advice_of(owner: Option<(u32, u32)>, groups: &str, code: Option<i32>) -> String {
    if code == Some(libc::EPERM) {
        return "the system forbids it whoever asks: let the container have the device, or look for a security module's rule"
            .to_string();
    }
    let Some((mode, gid)) = owner else {
        return "the user of this process may not even look at it: it must be readable and writable"
            .to_string();
    };
    let group =
        group_name(groups, gid).map_or_else(|| std::format!("{gid}"), |name| std::format!("`{name}`"));
    if mode & GROUP_MAY == GROUP_MAY {
        std::format!(
            "it belongs to the group {group}, which may read and write it: add the user of this process to that group"
        )
    } else {
        std::format!(
            "it belongs to the group {group}, which may not read and write it (mode {:03o}): a udev rule gives it to a group \
             that may, commonly `tape`, and the user of this process belongs into that group",
            mode & 0o777
        )
    }
}

/// The name of a group: `name:password:number:members`.
fn group_name(groups: &str, gid: u32) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(gid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "root:x:0:\nbroken\ntape:x:26:backup,amanda\n";

    #[test]
    fn the_group_that_may_use_the_node_is_named() {
        let text = advice_of(Some((0o020_660, 26)), GROUPS, Some(libc::EACCES));
        assert!(text.contains("the group `tape`") && text.contains("add the user"), "{text}");
        let text = advice_of(Some((0o020_660, 4711)), GROUPS, Some(libc::EACCES));
        assert!(text.contains("the group 4711"), "{text}");
    }

    #[test]
    fn where_the_group_may_not_either_a_rule_is_needed() {
        let text = advice_of(Some((0o020_600, 0)), GROUPS, Some(libc::EACCES));
        assert!(text.contains("`root`") && text.contains("mode 600") && text.contains("udev"), "{text}");
    }

    #[test]
    fn what_is_forbidden_to_everyone_is_no_matter_of_groups() {
        let text = advice_of(Some((0o020_660, 26)), GROUPS, Some(libc::EPERM));
        assert!(text.contains("container") && !text.contains("tape"), "{text}");
    }
}
