"""One side of a lab: a network namespace with a charon in it."""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunnels.lab.requirements import SYSTEM_FOLDERS, LabError
from tunnels.lab.strongswan import strongswan_conf

COMMAND_SECONDS = 30.0
START_SECONDS = 20.0
LOG_TAIL = 40

# swanctl wants its folders, and says so for each one that is not there.
SWANCTL_FOLDERS = (
    "conf.d", "x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private",
    "rsa", "ecdsa", "bliss", "pkcs8", "pkcs12",
)  # fmt: skip

_COUNTS = re.compile(r"(\d+) packets transmitted, (\d+) received")
_RTT = re.compile(r"= [\d.]+/([\d.]+)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class SidePlan:
    """What a side shall be.

    `addresses` are its public ones, in 203.0.113.0/24 and 2001:db8:ffff::/64 (a gateway has at most one of a family),
    `lan` the inner ones that it answers on; `settings` are further lines of charon's section in strongswan.conf.
    """

    name: str
    addresses: tuple[str, ...]
    lan: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


GATEWAY = SidePlan(
    name="gateway",
    addresses=("203.0.113.10", "2001:db8:ffff::10"),
    lan=("10.0.0.1", "2001:db8:a::1"),
)
BRANCH = SidePlan(
    name="branch",
    addresses=("203.0.113.20", "2001:db8:ffff::20"),
    lan=("192.168.0.1", "2001:db8:b::1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PingResult:
    """`rtt` is the mean in milliseconds, None when nothing came back."""

    sent: int
    received: int
    rtt: float | None

    @property
    def passes(self) -> bool:
        """Whether every packet came back."""
        return 0 < self.sent == self.received


class Side:
    """One side. Made by Lab; `lines` are the (side, device) ends of the wires to the others."""

    def __init__(self, *, plan: SidePlan, folder: Path, programs: Path, pid: int) -> None:
        self.plan = plan
        self.name = plan.name
        self.addresses = plan.addresses
        self.folder = folder
        self.pid = pid
        self.vici_socket = folder / "vici"
        self.log_path = folder / "charon.log"
        self.lines: list[tuple[Side, str]] = []
        self._programs = programs
        self._charon: subprocess.Popen[bytes] | None = None
        for name in SWANCTL_FOLDERS:
            (folder / "swanctl" / name).mkdir(parents=True)
        (folder / "swanctl" / "swanctl.conf").write_text("include conf.d/*.conf\n")
        (folder / "strongswan.conf").write_text(
            strongswan_conf(
                vici_socket=self.vici_socket, log_path=self.log_path, settings=plan.settings
            )
        )
        self.shell = folder / "in"
        self.shell.write_text(f'#!/bin/sh\nexec {shlex.join(self.command([]))} TERM="$TERM" "$@"\n')
        self.shell.chmod(0o700)

    def command(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs `argv` inside this side, in `/`, with only `env` and what strongSwan needs."""
        variables = {
            "PATH": f"{self._programs}:{SYSTEM_FOLDERS}",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "STRONGSWAN_CONF": str(self.folder / "strongswan.conf"),
            "SWANCTL_DIR": str(self.folder / "swanctl"),
            **(env or {}),
        }
        return [
            "nsenter", "--target", str(self.pid), "--user", "--preserve-credentials",
            "--net", "--mount", "--pid", "--",
            # What runs inside ends with the nsenter that we see, also when that is killed.
            "setpriv", "--pdeathsig", "KILL",
            "env", "-i", *(f"{name}={value}" for name, value in variables.items()), *argv,
        ]  # fmt: skip

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        text_in: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = COMMAND_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and return what it said.

        Raises LabError when it fails (unless `check` is false) or takes longer than `timeout` seconds.
        """
        try:
            done = subprocess.run(
                self.command(argv, env=env),
                input=text_in or "",
                capture_output=True,
                text=True,
                timeout=timeout,
                env=_host_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name}: {argv[0]} did not end in {timeout:g} s.") from None
        if check and done.returncode:
            said = done.stderr.strip() or done.stdout.strip()
            raise LabError(f"{self.name}: {' '.join(argv)} ended with {done.returncode}: {said}")
        return done

    def popen(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, output: Path
    ) -> subprocess.Popen[bytes]:
        """Start a command inside that goes on running; what it prints is added to the file `output`."""
        with output.open("ab") as target:
            return subprocess.Popen(
                self.command(argv, env=env),
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=target,
                env=_host_environment(),
                start_new_session=True,
            )

    def ping(self, source: str, target: str, count: int = 3, *, timeout: float = 2.0) -> PingResult:
        """Ping `target` from the address `source`; `timeout` seconds are waited for each answer."""
        done = self.run(
            ["ping", "-n", "-c", str(count), "-i", "0.05", "-W", f"{timeout:g}", "-I", source, target],
            check=False,
            timeout=COMMAND_SECONDS + count * timeout,
        )  # fmt: skip
        counts = _COUNTS.search(done.stdout)
        if counts is None:
            raise LabError(f"{self.name}: ping said {(done.stderr or done.stdout).strip()}")
        rtt = _RTT.search(done.stdout)
        return PingResult(
            sent=int(counts[1]), received=int(counts[2]), rtt=float(rtt[1]) if rtt else None
        )

    def add_address(self, address: str) -> None:
        """Give the side an inner address. charon installs a CHILD_SA only if its local range holds one."""
        parsed = ipaddress.ip_address(address)
        self.run(["ip", "address", "replace", f"{parsed}/{parsed.max_prefixlen}", "dev", "lo"])

    def swanctl(self, *arguments: str, check: bool = True) -> str:
        """What `swanctl` with these arguments says, errors included.

        Raises LabError, with the end of charon's log, when it fails and `check`.
        """
        try:
            done = self.run(["swanctl", *arguments], check=check)
        except LabError as error:
            raise LabError(f"{error}\n{self._last_words()}") from None
        return done.stdout + done.stderr

    def install(self, text: str, name: str = "tunnel.conf") -> str:
        """Put a swanctl.conf where an admin would, and load everything; returns what swanctl said."""
        path = self.folder / "swanctl" / "conf.d" / name
        path.touch(mode=0o600)
        path.write_text(text)
        return self.swanctl("--load-all")

    def uninstall(self, name: str = "tunnel.conf") -> str:
        """Take that file away again, and load everything; returns what swanctl said."""
        (self.folder / "swanctl" / "conf.d" / name).unlink(missing_ok=True)
        return self.swanctl("--load-all")

    def start_charon(self, command: Sequence[str] = ("charon-systemd",)) -> None:
        """Start charon, by this command, and wait until it answers. Raises LabError when it does not within 20 s."""
        if self._charon and self._charon.poll() is None:
            raise LabError(f"{self.name}: charon is running already.")
        self._charon = self.popen(
            [
                "sh", "-euc", 'echo $$ >"$1"; shift; exec "$@"', "sh",
                str(self.folder / "pid"), *command,
            ],
            output=self.folder / "charon.out",
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.vici_socket):
            if self._charon.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"{self.name}: charon did not start. {self._last_words()}")
            time.sleep(0.01)

    def kill_charon(self, signal: int = 9) -> None:
        """Send charon a signal, by default the one that nobody survives, and wait until it is gone."""
        if self._charon is None:
            return
        if self._charon.poll() is None:
            pid = (self.folder / "pid").read_text().strip()
            self.run(["sh", "-c", f"kill -{signal} {pid}"])
        self._charon.wait(COMMAND_SECONDS)
        self._charon = None

    def charon_runs(self) -> bool:
        """Whether charon's process is there."""
        return self._charon is not None and self._charon.poll() is None

    def link_down(self) -> None:
        """Lose every packet from and to this side. Interfaces stay up: neither charon is told anything."""
        for side, device in self.lines:
            side.run(["tc", "qdisc", "replace", "dev", device, "root", "pfifo", "limit", "0"])

    def link_up(self) -> None:
        """End the loss."""
        for side, device in self.lines:
            side.run(["tc", "qdisc", "replace", "dev", device, "root", "noqueue"])

    def forget(self) -> None:
        """Collect the process of charon after the lab has ended."""
        if self._charon is not None:
            self._charon.wait(COMMAND_SECONDS)
            self._charon = None

    def _last_words(self) -> str:
        lines: list[str] = []
        for path in (self.folder / "charon.out", self.log_path):
            if path.exists():
                lines += path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL:])


def _host_environment() -> dict[str, str]:
    # NOTIFY_SOCKET and friends of whoever runs the lab are none of its business.
    return {"PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}", "LC_ALL": "C.UTF-8"}


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
        return True
