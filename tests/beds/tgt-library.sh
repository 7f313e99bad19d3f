#!/bin/sh
# tgt-library.sh DIR - a private tgtd that serves one tape library on a loopback port, for as long as stdin is open.
# Prints `ready` when it serves. When stdin ends (the test ended, however it did), tgtd is killed and DIR removed.
# Environment: BED_PORT, BED_IQN, BED_SLOTS, BED_DRIVES, BED_IE, BED_CARTS, and for CHAP BED_USER, BED_SECRET,
# BED_TARGET_USER, BED_TARGET_SECRET.
# Addresses: transport 1, import/export 10.., drives 500.., slots 1000..; barcodes VT0001L3.. in the first slots.
# LUN 1..DRIVES are tape drives, then the changer, then a disk.
# tgtd ignores SIGTERM, and a barcode of more than 10 characters crashes it.
set -eu
DIR=$1
mkdir -p "$DIR/media"
export TGT_IPC_SOCKET="$DIR/ipc"
adm() { tgtadm --lld iscsi "$@"; }
lu() { l=$1; shift; adm --mode logicalunit --op update --tid 1 --lun "$l" --params "$@"; }

# tgtd must not inherit stdin: it is the sign of life of the test.
tgtd -f -C 0 -t 1 --iscsi portal=127.0.0.1:"$BED_PORT" >"$DIR/log" 2>&1 </dev/null &
PID=$!
echo $PID >"$DIR/pid"
finish() { kill -9 $PID 2>/dev/null || true; wait $PID 2>/dev/null || true; rm -rf "$DIR"; }
trap finish EXIT
trap 'exit 1' HUP INT TERM

i=0
until adm --op show --mode system >/dev/null 2>&1; do
  i=$((i+1))
  [ $i -lt 400 ] && kill -0 $PID 2>/dev/null || { cat "$DIR/log" >&2; exit 1; }
  sleep 0.02
done
# tgtd goes on without a portal when somebody else took the port.
adm --op show --mode portal | grep -q ":$BED_PORT," || { echo "port $BED_PORT is taken" >&2; exit 1; }

head -c 1024 /dev/zero >"$DIR/smc"
head -c 1048576 /dev/zero >"$DIR/disk"
tgtimg --op new --device-type tape --barcode BLANK --size 1 --type data --file "$DIR/media/BLANK" >/dev/null
adm --mode target --op new --tid 1 -T "$BED_IQN"
d=1
while [ $d -le "$BED_DRIVES" ]; do
  adm --mode logicalunit --op new --tid 1 --lun $d -b "$DIR/media/BLANK" --device-type=tape
  lu $d vendor_id=HP,product_id="LTO3 ULTRIUM",product_rev=0001,scsi_sn="$(printf 'DRV%07d' $d)",removable=1,online=0
  d=$((d+1))
done
C=$((BED_DRIVES+1))
adm --mode logicalunit --op new --tid 1 --lun $C -b "$DIR/smc" --device-type=changer
lu $C vendor_id=STK,product_id=L700,product_rev=0010,scsi_sn="$(printf 'BED%07d' "$BED_PORT")",removable=1,media_home="$DIR/media"
lu $C element_type=1,start_address=1,quantity=1
lu $C element_type=2,start_address=1000,quantity="$BED_SLOTS"
[ "$BED_IE" -eq 0 ] || lu $C element_type=3,start_address=10,quantity="$BED_IE"
lu $C element_type=4,start_address=500,quantity="$BED_DRIVES"
d=1
while [ $d -le "$BED_DRIVES" ]; do
  lu $C element_type=4,address=$((499+d)),tid=1,lun=$d
  d=$((d+1))
done
n=1
while [ $n -le "$BED_CARTS" ]; do
  b=$(printf 'VT%04dL3' $n)
  cp "$DIR/media/BLANK" "$DIR/media/$b"
  lu $C element_type=2,address=$((999+n)),barcode="$b",sides=1
  n=$((n+1))
done
adm --mode logicalunit --op new --tid 1 --lun $((C+1)) -b "$DIR/disk" --device-type=disk
if [ -n "${BED_USER:-}" ]; then
  adm --mode account --op new --user "$BED_USER" --password "$BED_SECRET"
  adm --mode account --op bind --tid 1 --user "$BED_USER"
fi
if [ -n "${BED_TARGET_USER:-}" ]; then
  adm --mode account --op new --user "$BED_TARGET_USER" --password "$BED_TARGET_SECRET"
  adm --mode account --op bind --tid 1 --user "$BED_TARGET_USER" --outgoing
fi
adm --mode target --op bind --tid 1 -I ALL
echo ready
cat >/dev/null
