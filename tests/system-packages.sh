#!/usr/bin/env bash
# What the tests want from Debian: a browser, a real strongSwan, and other vendors' daemons. As root missing packages
# are installed; otherwise this says what to install, and the tests that need it skip themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=(
  chromium
  strongswan-swanctl charon-systemd libcharon-extra-plugins libstrongswan-extra-plugins iproute2 iputils-ping
  strongswan-starter strongswan-charon # ipsec.conf, as a customer of strongSwan may have it
  # What Libreswan and OpenIKED need; they themselves cannot be installed beside strongSwan, and are unpacked.
  libnss3-tools libldns3 libevent-2.1-7 libevent-pthreads-2.1-7 libunbound8 libcurl3-nss libldap-2.5-0 libcap-ng0
)

./install.sh debian "${wanted[@]}" || echo "SKIPPED are the tests that need them."
.venv/bin/python -m tests.vendors || echo "SKIPPED are the tests that need it."
