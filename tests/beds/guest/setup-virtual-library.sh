# For run.sh -s: the program $GUEST_TARGET, an iSCSI target that serves a library of $BED_DRIVES drives, in the place of tgt. It
# is started with its address and $GUEST_LIBRARY, must say `listens` when it serves, and ends with its standard input.
WANT=$((BED_DRIVES+1))
[ -x "${GUEST_TARGET:-}" ] || fail "GUEST_TARGET=${GUEST_TARGET:-} is no program"
tail -f /dev/null | "$GUEST_TARGET" "$PORTAL" ${GUEST_LIBRARY:+"$GUEST_LIBRARY"} >/run/target 2>&1 &
says /run/target listens
login
