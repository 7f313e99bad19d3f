# For run.sh -s: no library. The test serves one itself, at $PORTAL, and logs in to it with initiator.sh.
WANT=0 BED_DRIVES=-1
