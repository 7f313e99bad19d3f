#!/bin/sh
# run.sh [-s SETUP] [-t SECONDS] [-m MB] [-d DIR] [--] BINARY ARGS...
# run.sh -f
# Runs BINARY on a real kernel with a tape library behind it: User Mode Linux (an ordinary process, neither root nor KVM),
# in it tgtd, logged in to by the kernel's own iSCSI initiator, so that /dev/sgN, /dev/schN, /dev/stN and /dev/nstN are real.
# The guest sees this machine's file system read-only, so any binary runs as it stands; it may write under /run and
# /dev/shm. There CHANGER=/dev/sgN and DRIVES="/dev/sgN .." are set, and GUEST=1.
# stdout, stderr and the exit status are the command's; 125 means that the bed failed (why goes to stderr).
#   -f       only fetches what is needed, or says in one line what is missing
#   -s tgt   the library of ../tgt-library.sh, sized by BED_SLOTS BED_DRIVES BED_IE BED_CARTS (default)
#   -s FILE  sources FILE in the guest instead; MODULES="..." loads more kernel modules
#   -d DIR   keep the run directory (stdout stderr log dmesg)
# GUEST_FLAGS=NUMBER gives the changer the kernel's device flags (BLIST_* of include/scsi/scsi_devinfo.h).
# GUEST_SESSIONS=N logs in N times: each device is there N times, on host adapters of its own.
# GUEST_PING=SECONDS has the kernel ping an idle target so often, and wait so long for the answer; it does not unless said.
# Variables BED_* GUEST_* AUTOCHANGER_* RUST* pass into the guest. stdin is empty.
# Needs Debian (or what has its packages) on x86-64; paths without spaces. Packages that are not installed are fetched
# once with `apt-get download` into $GUEST_CACHE (default ~/.cache/autochanger-guest); nothing is installed.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
SETUP=tgt LIMIT=300 MEM=256 DIR='' ONLY_FETCH=
while getopts fs:t:m:d: o; do
  case $o in f) ONLY_FETCH=1;; s) SETUP=$OPTARG;; t) LIMIT=$OPTARG;; m) MEM=$OPTARG;; d) DIR=$OPTARG;; *) exit 2;; esac
done
shift $((OPTIND-1))
[ -n "$ONLY_FETCH" ] || [ $# -gt 0 ] || { sed -n 2,3p "$0" >&2; exit 2; }

PACKAGES="user-mode-linux busybox-static tgt open-iscsi mtx sg3-utils lsscsi"
PROGRAMS="linux.uml busybox tgtd tgtadm tgtimg iscsid iscsiadm mtx loaderinfo lsscsi
  sg_inq sg_vpd sg_logs sg_luns sg_opcodes sg_persist sg_prevent sg_read_attr sg_requests"
CACHE=${GUEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autochanger-guest}
ROOT=$CACHE/root
PATH=$PATH:/usr/sbin:/sbin
TOOLS=$ROOT/usr/sbin:$ROOT/usr/bin:$ROOT/sbin:$ROOT/bin

missing() { # what of $PROGRAMS is not there
  # shellcheck disable=SC2086
  for p in $PROGRAMS; do PATH=$PATH:$TOOLS command -v "$p" >/dev/null || printf '%s ' "$p"; done
}

fetch() { # the packages that are not installed, with what they need, unpacked into $ROOT
  mkdir -p "$CACHE"
  exec 9>"$CACHE/lock"
  flock 9
  mark=$CACHE/have.$(echo "$PACKAGES" | cksum | tr -d ' ')
  if [ ! -f "$mark" ] || [ -n "$(missing)" ]; then
    mkdir -p "$CACHE/deb" "$ROOT"
    ( cd "$CACHE/deb"
      # shellcheck disable=SC2086
      apt-get -s install --no-install-recommends $PACKAGES 2>/dev/null | awk '/^Inst/{print $2}' |
        grep -Ev 'perl|debconf|init-system|^udev$|lsb-base' >list || :
      [ ! -s list ] || xargs apt-get download >/dev/null 2>err <list || cat err >&2
      for d in *.deb; do [ ! -e "$d" ] || { dpkg -x "$d" "$ROOT"; rm -f "$d"; }; done ) >/dev/null 2>&1 || :
    lack=$(missing)
    if [ -n "$lack" ]; then
      echo "missing for the guest bed: $lack(Debian packages $PACKAGES, fetched by apt-get download: run apt-get update as root, then again)" >&2
      exit 125
    fi
    : >"$mark"
  fi
  # Without a compiler the guest still runs on processors that do not need it.
  if [ ! -f "$CACHE/xstate.so" ] || [ "$HERE/xstate.c" -nt "$CACHE/xstate.so" ]; then
    cc -O2 -shared -fPIC -o "$CACHE/xstate.so.new" "$HERE/xstate.c" 2>/dev/null &&
      mv "$CACHE/xstate.so.new" "$CACHE/xstate.so" || :
  fi
  exec 9>&-
}

closure() { # module names -> files, dependencies first, each once
  for m in "$@"; do
    case " $(cat "$SEEN") " in *" $m "*) continue;; esac
    printf ' %s ' "$m" >>"$SEEN"
    f=$(find "$MODDIR" -name "$(echo "$m" | sed 's/[-_]/[-_]/g').ko" | sort | head -n1)
    [ -n "$f" ] || continue                                 # built in
    # shellcheck disable=SC2046
    ( closure $(tr '\0' '\n' <"$f" | sed -n 's/^depends=//p' | tr , ' ') )
    echo "$f"
  done
}
quote() { for a; do printf "'%s' " "$(printf %s "$a" | sed "s/'/'\\\\''/g")"; done; }

[ "$(uname -m)" = x86_64 ] || { echo "missing for the guest bed: an x86-64 machine (Debian has User Mode Linux for no other)" >&2; exit 125; }
fetch
[ -z "$ONLY_FETCH" ] || exit 0

if [ -z "$DIR" ]; then DIR=$(mktemp -d); trap 'rm -rf "$DIR"' EXIT; else mkdir -p "$DIR"; DIR=$(cd "$DIR" && pwd); fi
rm -f "$DIR/rc" "$DIR/stdout" "$DIR/stderr" "$DIR/log"
cp "$HERE/init.sh" "$HERE/initiator.sh" "$HERE/../tgt-library.sh" "$DIR/"
case $SETUP in tgt) ;; *) cp "$SETUP" "$DIR/setup"; SETUP=/run/host/setup;; esac
cmd=$1; case $cmd in */*) cmd=$(cd "$(dirname "$cmd")" && pwd)/$(basename "$cmd");; esac; shift
quote "$cmd" "$@" >"$DIR/argv"

KERNEL=$(PATH=$PATH:$TOOLS command -v linux.uml)
MODDIR=$(ls -d /usr/lib/uml/modules/* "$ROOT"/usr/lib/uml/modules/* 2>/dev/null | head -n1)
SEEN=$DIR/seen; : >"$SEEN"
# shellcheck disable=SC2086
LIST=$(closure crc32c_generic iscsi_tcp sg ch st ${MODULES:-})
{ echo "INIT_SETUP=$SETUP INIT_CWD='$(pwd)' BB=$(PATH=$PATH:$TOOLS command -v busybox) MODDIR=$MODDIR"
  echo "INIT_PATH=$TOOLS INIT_LIBS=$ROOT/lib/x86_64-linux-gnu:$ROOT/usr/lib/x86_64-linux-gnu"
  echo "INIT_MODULES='$(echo $LIST)'"
  export -p | grep -E '^export (BED_|GUEST_|AUTOCHANGER_|RUST)[A-Za-z0-9_]*=' || :; } >"$DIR/env"

# UML maps its memory from an unlinked file in TMPDIR; /dev/shm is often too small, or not for executables, in containers.
# It hops between two processes at every system call, and is some ten times faster when both stay on one processor.
export TMPDIR="$DIR"
cpu=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr , '\n' |
  awk -F- -v r=$$ '{for(i=$1;i<=(NF>1?$2:$1);i++)c[n++]=i} END{print c[r%n]}')
[ ! -f "$CACHE/xstate.so" ] || export LD_PRELOAD="$CACHE/xstate.so"
timeout -k 5 "$LIMIT" taskset -c "$cpu" "$KERNEL" mem="$MEM"M root=/dev/root rootfstype=hostfs rootflags=/ ro \
  init="$DIR/init.sh" bed="$DIR" uml_dir="$DIR" con=null con0=fd:0,fd:1 ssl=null quiet \
  </dev/null >"$DIR/console" 2>&1 || :
unset LD_PRELOAD
if [ ! -f "$DIR/rc" ]; then
  echo "the guest gave no result within $LIMIT s" >&2
  tail -n 25 "$DIR/log" "$DIR/console" >&2 2>/dev/null || :
  [ ! -f "$DIR/stdout" ] || cat "$DIR/stdout"
  [ ! -f "$DIR/stderr" ] || cat "$DIR/stderr" >&2
  exit 125
fi
rc=$(cat "$DIR/rc")
[ ! -f "$DIR/stdout" ] || cat "$DIR/stdout"
[ ! -f "$DIR/stderr" ] || cat "$DIR/stderr" >&2
[ "$rc" != 125 ] || cat "$DIR/log" >&2
exit "$rc"
