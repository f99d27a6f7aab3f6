#!/usr/bin/env bash
# What the tests want from Debian: a browser, and a real strongSwan. As root missing packages are
# installed; otherwise this says what to install, and the tests that need it skip themselves.
set -euo pipefail

wanted=(chromium strongswan-swanctl charon-systemd libcharon-extra-plugins libstrongswan-extra-plugins iproute2 iputils-ping)
policy=/usr/sbin/policy-rc.d

command -v dpkg-query >/dev/null || { echo "Not Debian: tests with a browser or strongSwan run if you installed those."; exit 0; }
missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED are tests that need packages which are not here. To run them: sudo apt-get install ${missing[*]}"
  exit 0
fi

# No daemon of these packages may start on this machine: Debian asks this file, and 101 means no.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  trap 'rm -f "$policy"' EXIT
  chmod +x "$policy"
fi
log=$(mktemp)
echo "Installing Debian's packages ${missing[*]} …"
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
  --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
  tail -n 5 "$log"
  echo "SKIPPED are tests that need ${missing[*]}: apt-get could not install them ($log)."
fi
