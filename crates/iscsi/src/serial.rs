//! Serial number arithmetic of 32 bits (RFC 1982): how CmdSN and StatSN are compared across their wrap.

/// Whether `left` comes before `right`.
pub fn before(left: u32, right: u32) -> bool {
    left != right && right.wrapping_sub(left) < 0x8000_0000
}

/// Whether `left` is `right` or comes before it.
pub fn at_or_before(left: u32, right: u32) -> bool {
    left == right || before(left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_holds_across_the_wrap() {
        assert!(before(1, 2));
        assert!(!before(2, 1));
        assert!(!before(7, 7));
        assert!(at_or_before(7, 7));
        assert!(before(u32::MAX, 0));
        assert!(!before(0, u32::MAX));
    }
}
