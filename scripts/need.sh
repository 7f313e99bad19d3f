# For the other scripts, which source it: what they need beside Rust.

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

# Which of some tools is not here.
lacking() {
  local tool
  for tool in "$@"; do command -v "$tool" >/dev/null || { echo "$tool"; return; }; done
}

# need PACKAGE TOOL..: the tools are here, or their Debian package can be installed, or it is said what is missing and why.
need() {
  local package=$1 log; shift
  [ -n "$(lacking "$@")" ] || return 0
  echo "installing the Debian package \`$package\` for the tests"
  log=$(mktemp)
  if ! { command -v apt-get >/dev/null && as_root apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$package"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
  fi
  rm -f "$log"
  hash -r
  # What apt says is not believed: the tools are what counts.
  [ -n "$(lacking "$@")" ] || return 0
  echo "missing: \`$(lacking "$@")\` of the Debian package \`$package\`. Install it, as root: apt-get install $package" >&2
  exit 1
}
