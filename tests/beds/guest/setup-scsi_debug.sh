# For run.sh -s: a changer-typed scsi_debug device instead of a library. It knows no changer command, but it can time out,
# answer in descriptor sense and go away. Run with MODULES=crc-t10dif. Module parameters in GUEST_SCSI_DEBUG.
# Time out each command: echo 1 >every_nth; echo 4 >opts, in /sys/bus/pseudo/drivers/scsi_debug.
# Removal: echo 1 >/sys/class/scsi_generic/sg0/device/delete.
BED_DRIVES=0 WANT=1
# shellcheck disable=SC2086
"$BB" insmod "$(find "$MODDIR" -name scsi_debug.ko)" ptype=8 max_luns=1 num_tgts=1 dev_size_mb=1 delay=0 \
  ${GUEST_SCSI_DEBUG:-} || fail "scsi_debug cannot be loaded"
