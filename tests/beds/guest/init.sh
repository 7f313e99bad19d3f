#!/bin/sh
# Process 1 of the guest, started by run.sh. The host's file system is the read-only root; the run directory comes on the
# kernel command line (bed=DIR) and is mounted read-write on /run/host.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
for w in $(cat /proc/cmdline); do case $w in bed=*) BED=${w#bed=};; esac; done
mount -t sysfs sys /sys 2>/dev/null
[ -c /dev/console ] || mount -t devtmpfs dev /dev
ln -sf /proc/self/fd /dev/fd; mkdir -p /dev/shm; mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mkdir -p /run/host /run/bed /run/lock/iscsi /run/etc /run/tmp
mount -t hostfs none /run/host -o "$BED"
H=/run/host
exec >"$H/log" 2>&1
off() { sync; echo "$1" >"$H/rc.tmp"; mv "$H/rc.tmp" "$H/rc"; sync; echo o >/proc/sysrq-trigger; sleep 60; }
fail() { echo "$*"; off 125; }
. "$H/env" # INIT_* BB MODDIR, and what was exported
up() { cut -d' ' -f1 /proc/uptime; }
# /etc becomes a small writable copy: open-iscsi keeps its database there.
cp -a /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf /etc/ld.so.* /etc/alternatives /run/etc/ 2>/dev/null
mount --bind /run/etc /etc
mkdir -p /etc/iscsi; mkdir -p /var/lib/iscsi 2>/dev/null
export PATH="$PATH:$INIT_PATH" TMPDIR=/run/tmp
for m in $INIT_MODULES; do "$BB" insmod "$m" || echo "insmod $m failed"; done
"$BB" ifconfig lo 127.0.0.1 up
[ -z "${GUEST_FLAGS:-}" ] || echo "STK:L700:$GUEST_FLAGS" >/proc/scsi/device_info

: "${BED_SLOTS:=20}" "${BED_DRIVES:=2}" "${BED_IE:=4}" "${BED_CARTS:=8}" "${BED_PORT:=3260}"
: "${BED_IQN:=iqn.2026-01.test.bed:lib}"
export BED_SLOTS BED_DRIVES BED_IE BED_CARTS BED_PORT BED_IQN
PORTAL=127.0.0.1:$BED_PORT
export PORTAL INIT_LIBS
. "$H/initiator.sh"
if [ "$INIT_SETUP" = tgt ]; then
  WANT=$(((BED_DRIVES+3)*${GUEST_SESSIONS:-1})) # drives, changer, disk, and tgt's own LUN 0
  # The library ends with its stdin.
  tail -f /dev/null | tool sh "$H/tgt-library.sh" /run/bed >/run/ready &
  says /run/ready ready
  echo "the library serves at $(up)"
  login
else
  . "$INIT_SETUP" # sets WANT, the number of sg nodes
fi
i=0
while [ "$(ls -d /sys/class/scsi_generic/sg* 2>/dev/null | wc -l)" -lt "$WANT" ] && [ $i -lt 200 ]; do
  i=$((i+1)); sleep 0.05
done
# The drivers of tape and changer bind on their own time.
i=0
while [ "$(ls -d /sys/class/scsi_tape/nst[0-9] /sys/class/scsi_changer/* 2>/dev/null | wc -l)" -lt $((BED_DRIVES+1)) ] &&
  [ $i -lt 100 ]; do i=$((i+1)); sleep 0.05; done
CHANGER= DRIVES=
for s in /sys/class/scsi_generic/sg*; do
  [ -e "$s" ] || continue
  case $(cat "$s/device/type") in 8) CHANGER=${CHANGER:-/dev/${s##*/}};; 1) DRIVES="$DRIVES /dev/${s##*/}";; esac
done
export CHANGER DRIVES GUEST=1
echo "ready at $(up): CHANGER=$CHANGER DRIVES=$DRIVES"
cd "$INIT_CWD" 2>/dev/null || cd /
eval "set -- $(cat "$H/argv")"
"$@" >"$H/stdout" 2>"$H/stderr" </dev/null; rc=$?
echo "command done at $(up): $rc"
dmesg >"$H/dmesg" 2>/dev/null
off $rc
