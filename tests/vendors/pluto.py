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

from tests.vendors.libreswan import Libreswan
from tunnels.lab import LabError, Side
from tunnels.lab.requirements import SYSTEM_FOLDERS

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.02
AGAIN_SECONDS = 0.5
LOG_LINES = 40

# IKEv2: `"t-1" #1: initiator established IKE SA; authenticated peer using authby=secret and ID_FQDN '@a.example'`.
_PEER_V2 = re.compile(
    r"established IKE SA; authenticated peer using authby=secret and (ID_\S+) '([^']*)'"
)
# IKEv1 names the peer first, and later says that its proof was right.
_NAMED_V1 = re.compile(r" #(\d+): Peer ID is (ID_\S+): '([^']*)'")
_PROVEN_V1 = re.compile(r" #(\d+): IKE SA established \{auth=PRESHARED_KEY ")
# The SPI that the other side gave us, as the SA is handed to the kernel: in place, or refused by a kernel without ESP
# (EPROTONOSUPPORT) or without AES-GCM (ENOSYS).
_CHILD = re.compile(
    r'"(?P<name>[^"]+)" #\d+: (?:netlink response for Add SA esp[.:](?P<refused>[0-9a-f]+)@\S+ .*\(errno (?:93|38)\)'
    r"|.*\{ESP\S*=>0x(?P<installed>[0-9a-f]+) )"
)
_WITHOUT_TIME = re.compile(r"^\w+ +\d+ [\d:.]+: ", re.MULTILINE)


# Where the package would have put its files, the daemon sees them, and nobody else does.
_IN_PRIVATE = """
mount --bind "$1/usr/libexec" /usr/libexec
for name in ipsec.conf ipsec.secrets; do mount --bind "$1/etc/$name" "/etc/$name"; done
mount --bind "$2/ipsec.d" /etc/ipsec.d
exec /usr/libexec/ipsec/pluto --nofork --stderrlog --config /etc/ipsec.conf \\
  --nssdir "$2/nss" --rundir "$2/run" --dumpdir "$2/run"
"""


class Pluto:
    """`with Pluto(side, libreswan, files) as pluto:` starts it with these files in /etc/ipsec.d.

    /etc/ipsec.conf and /etc/ipsec.secrets, which include them, are those of Debian's package. pluto loads all
    connections and begins those that want to, as after `systemctl restart ipsec`. Raises LabError when it does not
    start.
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
            path = self._folder / "ipsec.d" / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
        nss = f"sql:{self._folder / 'nss'}"
        self._side.run(["certutil", "-N", "--empty-password", "-d", nss])
        tree = self._programs.tree
        command = ["unshare", "--mount", "sh", "-euc", _IN_PRIVATE, "sh", tree, self._folder]
        self._process = self._side.popen(
            [str(word) for word in command],
            # Its helpers call `ipsec`, which is strongSwan's everywhere else.
            env={"PATH": f"{tree / 'usr/sbin'}:{SYSTEM_FOLDERS}"},
            output=self._log,
        )
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
        named: dict[str, tuple[str, str]] = {}
        proven = set()
        for line in self.log.splitlines():
            if match := _PEER_V2.search(line):
                proven.add((match[1], match[2]))
            elif match := _NAMED_V1.search(line):
                named[match[1]] = (match[2], match[3])
            elif (match := _PROVEN_V1.search(line)) and match[1] in named:
                proven.add(named[match[1]])
        return proven

    def children(self) -> dict[str, set[str]]:
        """Connection → the other side's SPIs of the SAs that were negotiated for it."""
        found: dict[str, set[str]] = {}
        for match in _CHILD.finditer(self.log):
            found.setdefault(match["name"], set()).add(match["refused"] or match["installed"])
        return found

    def negotiate(self, connection: str) -> None:
        """Begin with this connection, until the other side has agreed to it. Raises LabError when it does not.

        More than once: where the kernel refuses the SA of one connection, pluto gives up the others that wait for it.
        """
        begun = 0.0

        def agreed() -> bool:
            nonlocal begun
            if connection in self.children():
                return True
            if time.monotonic() - begun > AGAIN_SECONDS:
                self.whack("--initiate", "--asynchronous", "--name", connection)
                begun = time.monotonic()
            return False

        self.wait(f"the agreement on {connection}", agreed)

    def wait(self, what: str, come: Callable[[], bool]) -> None:
        """Wait until it has come. Raises LabError with the end of the log when it does not, or pluto has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not come():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                last = "\n".join(self.log.splitlines()[-LOG_LINES:])
                raise LabError(f"pluto: {what} did not come in {PATIENCE_SECONDS:g} s.\n{last}")
            time.sleep(POLL_SECONDS)
