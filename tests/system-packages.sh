#!/usr/bin/env bash
# What the tests want from Debian: a browser, and a real strongSwan. As root missing packages are
# installed; otherwise this says what to install, and the tests that need it skip themselves.
set -euo pipefail

wanted=(chromium strongswan-swanctl charon-systemd libcharon-extra-plugins libstrongswan-extra-plugins iproute2 iputils-ping)

"$(dirname "$0")/../install.sh" debian "${wanted[@]}" || echo "SKIPPED are the tests that need them."
