"""A real charon for tests: private namespaces, its own vici socket, its own log.

It runs in the foreground inside an unprivileged user namespace with a network, mount and process namespace of its
own, so that it sees nothing of this machine and dies with the test. The kernel there may have no ESP:
kernel-libipsec does it in user space.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CHARON = Path("/usr/sbin/charon-systemd")
SWANCTL = Path("/usr/sbin/swanctl")
PACKAGES = "charon-systemd strongswan-swanctl libcharon-extra-plugins libstrongswan-extra-plugins"
START_TIMEOUT_SECONDS = 30

PLUGINS = (
    "random nonce openssl aes sha1 sha2 md5 hmac kdf gmp curve25519 gcm chapoly pem pkcs1 x509 "
    "kernel-libipsec kernel-netlink socket-default vici"
)

# Words with which strongSwan complains; none of them occurs in the log of a good start.
COMPLAINTS = (
    "fail", "error", "warn", "unable", "invalid", "unknown", "unsupported", "not supported", "ignor", "denied",
    "could not", "not found", "unexpected",
)  # fmt: skip

needs_strongswan = pytest.mark.skipif(
    # Where CI is set nothing is skipped: there they fail.
    not (CHARON.exists() and SWANCTL.exists()) and not os.environ.get("CI"),
    reason=f"strongSwan is not installed: apt-get install {PACKAGES}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charon:
    """A running charon; `folder` holds its socket, its log and its settings."""

    folder: Path

    @property
    def uri(self) -> str:
        """Where its vici socket is."""
        return f"unix://{self.folder / 'vici'}"

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return (self.folder / "charon.log").read_text(encoding="utf-8")

    def swanctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One run of swanctl against this charon, both outputs together in `stdout`."""
        return run_swanctl(*arguments, uri=self.uri, folder=self.folder)


def run_swanctl(*arguments: str, uri: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """swanctl with the settings of `folder`, away from this machine's own."""
    return subprocess.run(
        [str(SWANCTL), *arguments, "--uri", uri],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
        env={
            **os.environ,
            "STRONGSWAN_CONF": str(folder / "strongswan.conf"),
            "SWANCTL_DIR": str(folder),
        },
    )


def complaints(text: str) -> list[str]:
    """The lines in which strongSwan complains."""
    return [line for line in text.splitlines() if any(word in line.lower() for word in COMPLAINTS)]


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder with a short path (a socket's path has at most 107 bytes) that swanctl takes for its own."""
    folder = Path(tempfile.mkdtemp(prefix="charon-"))
    try:
        for name in ("x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private",
                     "rsa", "ecdsa", "bliss", "pkcs8", "pkcs12"):  # fmt: skip
            (folder / name).mkdir()
        (folder / "strongswan.conf").write_text(_settings(folder), encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def running_charon(*, addresses: tuple[str, ...] = ()) -> Iterator[Charon]:
    """A charon that owns `addresses` and has a route to everywhere that leads nowhere."""
    with private_folder() as folder:
        environment = {**os.environ, "STRONGSWAN_CONF": str(folder / "strongswan.conf")}
        command = [
            "unshare",
            "-Urnm",
            "--fork",
            "--pid",
            "--kill-child",
            "sh",
            "-euc",
            _script(addresses),
        ]
        with (folder / "console").open("wb") as console:
            process = subprocess.Popen(
                command, env=environment, stdout=console, stderr=console, stdin=subprocess.DEVNULL
            )
        try:
            _wait_until_up(process, folder)
            yield Charon(folder=folder)
        finally:
            process.kill()  # --kill-child takes charon with it
            process.wait()


def _script(addresses: tuple[str, ...]) -> str:
    owned = (
        f"ip addr add {address}/{128 if ':' in address else 32} dev lo" for address in addresses
    )
    # A device that nobody reads: what charon sends to the far end is lost, as on a line without a peer.
    nowhere = (
        "ip tuntap add dev nowhere mode tun",
        "ip link set nowhere up",
        "ip route add default dev nowhere",
        "ip -6 route add default dev nowhere",
    )
    return "\n".join(("ip link set lo up", *owned, *nowhere, f"exec {CHARON}"))


def _settings(folder: Path) -> str:
    return f"""
charon-systemd {{
    load = {PLUGINS}
    filelog {{
        file {{
            path = {folder / "charon.log"}
            flush_line = yes
            default = 1
        }}
    }}
    plugins {{
        vici {{
            socket = unix://{folder / "vici"}
        }}
    }}
}}
swanctl {{
    load = pem pkcs1 x509 openssl random nonce
}}
"""


def _wait_until_up(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not (folder / "vici").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            said = (folder / "console").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"charon did not start: {said[-2000:]}")
        time.sleep(0.02)
