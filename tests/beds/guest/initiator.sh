# The guest's initiator, for init.sh and for tests that serve a library themselves. Who sources this says what `fail` does.
# What was fetched needs its own libraries; what runs here must not get them.
tool() { LD_LIBRARY_PATH=$INIT_LIBS "$@"; }
# Finds the targets at $PORTAL and logs in to them.
login() {
  echo InitiatorName=iqn.2026-01.test.bed:guest >/etc/iscsi/initiatorname.iscsi
  printf '%s\n' 'iscsid.startup = /bin/true' 'node.session.scan = auto' 'node.session.timeo.replacement_timeout = 5' \
    "node.session.nr_sessions = ${GUEST_SESSIONS:-1}" \
    "node.conn[0].timeo.noop_out_interval = ${GUEST_PING:-0}" "node.conn[0].timeo.noop_out_timeout = ${GUEST_PING:-0}" >/etc/iscsi/iscsid.conf
  tool iscsid -f >/run/iscsid.log 2>&1 &
  i=0; until grep -q ISCSIADM /proc/net/unix || [ $i -gt 250 ]; do i=$((i+1)); sleep 0.02; done
  i=0; until tool iscsiadm -m discovery -t sendtargets -p "$PORTAL" >/run/discovery 2>&1; do
    i=$((i+1)); [ $i -lt 40 ] || fail "$(cat /run/discovery /run/iscsid.log)"; sleep 0.1
  done
  tool iscsiadm -m node -p "$PORTAL" --login >/run/login 2>&1 || fail "$(cat /run/login /run/iscsid.log)"
}
# Waits until a file says a word.
says() { i=0; until grep -q "$2" "$1"; do i=$((i+1)); [ $i -lt 3000 ] || fail "$1 does not say $2: $(cat "$1")"; sleep 0.05; done; }
