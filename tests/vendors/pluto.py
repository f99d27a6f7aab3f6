"""Libreswan's daemon on one side of a lab, with files, keys and a control socket of its own.

On a kernel without ESP it comes as far as handing the negotiated SA to the kernel, which refuses (docs/lab.md); by then
both sides have proven who they are and have agreed on algorithms and ranges.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.vendors.libreswan import PROGRAMS, Libreswan
from tunnels.lab import LabError, Side

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.02
LOG_LINES = 40

# IKEv2: `"t-1" #1: initiator established IKE SA; authenticated peer using authby=secret and ID_FQDN '@a.example'`.
_PEER_V2 = re.compile(
    r"established IKE SA; authenticated peer using authby=secret and (ID_\S+) '([^']*)'"
)
# IKEv1 names the peer first, and then says that its proof was right.
_PEER_V1 = re.compile(r"Peer ID is (ID_\S+): '([^']*)'\n.*IKE SA established \{auth=PRESHARED_KEY ")
# The SPI that the other side gave us, as the SA is handed to the kernel: refused by a kernel without ESP (the
# number is EPROTONOSUPPORT), or in place.
_CHILD = re.compile(
    r'"(?P<name>[^"]+)" #\d+: (?:netlink response for Add SA esp\.(?P<refused>[0-9a-f]+)@\S+: .*\(errno 93\)'
    r"|.*\{ESP\S*=>0x(?P<installed>[0-9a-f]+) )"
)
_WITHOUT_TIME = re.compile(r"^\w+ +\d+ [\d:.]+: ", re.MULTILINE)


class Pluto:
    """`with Pluto(side, libreswan, {"ipsec.conf": …, "ipsec.secrets": …}) as pluto:` starts it with these files.

    As on a real system it loads every connection of ipsec.conf and begins those that say `auto=start`. Raises LabError
    when it does not start.
    """

    def __init__(self, side: Side, programs: Libreswan, files: Mapping[str, str]) -> None:
        self._side = side
        self._programs = programs
        self._files = files
        self._folder = side.folder / "pluto"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)  # what the pluto before this one has left
        for name in ("nss", "run", "ipsec.d/policies"):
            (self._folder / name).mkdir(parents=True)
        for name, text in self._files.items():
            path = self._folder / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
        nss = f"sql:{self._folder / 'nss'}"
        self._side.run(["certutil", "-N", "--empty-password", "-d", nss])
        # pluto starts addconn from where the package would have put it.
        libexec = self._programs.folder.parent
        self._process = self._side.popen(
            [
                "unshare", "--mount", "sh", "-euc", 'mount --bind "$1" /usr/libexec; shift; exec "$@"', "sh",
                str(libexec), f"/{PROGRAMS}/pluto", "--nofork", "--stderrlog",
                "--config", str(self._folder / "ipsec.conf"),
                "--secretsfile", str(self._folder / "ipsec.secrets"),
                "--ipsecdir", str(self._folder / "ipsec.d"), "--nssdir", str(self._folder / "nss"),
                "--rundir", str(self._folder / "run"), "--dumpdir", str(self._folder / "run"),
            ],
            output=self._log,
        )  # fmt: skip
        self.wait("its start", lambda: "loading secrets from" in self.log)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # what runs inside dies with it
            process.wait()

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def log(self) -> str:
        """What pluto has said, without the time of each line."""
        return _WITHOUT_TIME.sub("", self._log.read_text(encoding="utf-8", errors="replace"))

    def whack(self, *arguments: str) -> str:
        """What pluto answers to one command."""
        socket = str(self._folder / "run" / "pluto.ctl")
        done = self._side.run(
            [str(self._programs.folder / "whack"), "--ctlsocket", socket, *arguments], check=False
        )
        return done.stdout + done.stderr

    def peers(self) -> set[tuple[str, str]]:
        """The (type, identity) of every other side that has proven to hold the key."""
        return {*_PEER_V2.findall(self.log), *_PEER_V1.findall(self.log)}

    def children(self) -> dict[str, set[str]]:
        """Connection → the other side's SPIs of the SAs that were negotiated for it."""
        found: dict[str, set[str]] = {}
        for match in _CHILD.finditer(self.log):
            found.setdefault(match["name"], set()).add(match["refused"] or match["installed"])
        return found

    def wait(self, what: str, come: Callable[[], bool]) -> None:
        """Wait until it has come. Raises LabError with the end of the log when it does not, or pluto has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not come():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                last = "\n".join(self.log.splitlines()[-LOG_LINES:])
                raise LabError(f"pluto: {what} did not come in {PATIENCE_SECONDS:g} s.\n{last}")
            time.sleep(POLL_SECONDS)
