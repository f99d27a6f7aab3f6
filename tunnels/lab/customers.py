"""The customer's end of a lab: a strongSwan that knows of a tunnel only what its owner has downloaded.

A customer does with the files what their headers say. Both kinds run a charon that answers on the side's vici socket.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar, Protocol

from tunnels.devices.base import File, Platform
from tunnels.devices.strongswan_ipsec_conf.platform import PLATFORM as IPSEC_CONF
from tunnels.devices.strongswan_swanctl.platform import PLATFORM as SWANCTL
from tunnels.lab.requirements import LabError, Machine, check_starter
from tunnels.lab.side import Side
from tunnels.lab.strongswan import PLUGINS

LOAD_SECONDS = 10.0
POLL_SECONDS = 0.005


class Customer(Protocol):
    """A device of one platform, on one side of a lab. `settings` are what its charon needs in strongswan.conf."""

    platform: ClassVar[Platform]
    settings: ClassVar[tuple[str, ...]]

    def __init__(self, side: Side) -> None: ...

    def start(self) -> None:
        """Start the daemon, without a tunnel. Raises LabUnavailable or LabError."""

    def install(self, files: Iterable[File]) -> None:
        """Put the files where they belong, and have them loaded. Raises LabError when they are not."""

    def uninstall(self, files: Iterable[File]) -> None:
        """Take them away again, and have that noticed; SAs stay. Does no harm when they were not there."""


class SwanctlCustomer:
    """charon with swanctl."""

    platform: ClassVar[Platform] = SWANCTL
    settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, side: Side) -> None:
        self._side = side

    def start(self) -> None:
        """As Customer says."""
        self._side.start_charon()

    def install(self, files: Iterable[File]) -> None:
        """As Customer says."""
        for file in files:
            self._side.install(file.text, file.filename)

    def uninstall(self, files: Iterable[File]) -> None:
        """As Customer says."""
        for file in files:
            self._side.uninstall(file.filename)


# Debian's programs have fixed paths, so the customer sees files of its own in their place, and nobody else does.
# /usr/lib/ipsec becomes links into the lab, because the AppArmor profile of charon goes by path (tunnels/lab/inner.py).
_IN_PRIVATE = """
mkdir -p "$1/lib" && mount --bind /usr/lib/ipsec "$1/lib"
mount -t tmpfs tmpfs /usr/lib/ipsec && ln -s "$1"/lib/* /usr/lib/ipsec/
mount -t tmpfs tmpfs /run
for name in ipsec.conf ipsec.secrets ipsec.d; do mount --bind "$1/etc/$name" "/etc/$name"; done
read -r outer rest </proc/self/stat && echo "$outer" >"$1/outer"
exec ipsec start --nofork
"""


class StarterCustomer:
    """starter, which starts charon and feeds it from ipsec.conf; charon reads ipsec.secrets itself."""

    platform: ClassVar[Platform] = IPSEC_CONF
    settings: ClassVar[tuple[str, ...]] = (f"load = {PLUGINS} stroke",)

    def __init__(self, side: Side) -> None:
        self._side = side
        self._etc = side.folder / "etc"

    def start(self) -> None:
        """As Customer says."""
        check_starter(Machine())
        (self._etc / "ipsec.d").mkdir(parents=True, exist_ok=True)
        self._include(())
        folder = str(self._side.folder)
        self._side.start_charon(["unshare", "--mount", "sh", "-euc", _IN_PRIVATE, "sh", folder])

    def install(self, files: Iterable[File]) -> None:
        """As Customer says."""
        names = []
        for file in files:
            path = self._etc / "ipsec.d" / file.filename
            path.touch(mode=0o600)
            path.write_text(file.text)
            names.append(file.filename)
        before, start = self._connections(), len(self._said())
        self._include(names)
        self._ipsec("rereadsecrets")
        self._ipsec("update")

        def complaints() -> list[str]:
            # starter marks what it does not understand, and goes on without it.
            return [line for line in self._said()[start:].splitlines() if line.startswith("#")]

        self._wait("its connections", lambda: self._connections() != before or bool(complaints()))
        if complaints():
            raise LabError("\n".join([f"{self._side.name}: starter complains:", *complaints()]))

    def uninstall(self, files: Iterable[File]) -> None:
        """As Customer says."""
        self._include(())
        for file in files:
            (self._etc / "ipsec.d" / file.filename).unlink(missing_ok=True)
        self._ipsec("update")
        self._ipsec("rereadsecrets")
        self._wait("the end of its connections", lambda: not self._connections())

    def _include(self, names: Iterable[str]) -> None:
        """Have ipsec.conf and ipsec.secrets include these files of ipsec.d, each its own kind, and nothing else."""
        for ending in ("conf", "secrets"):
            lines = (
                f"include /etc/ipsec.d/{name}\n" for name in names if name.endswith(f".{ending}")
            )
            # Never replaced by a new file: that would not be what is mounted.
            (self._etc / f"ipsec.{ending}").write_text("".join(lines))

    def _said(self) -> str:
        """Everything that starter has said."""
        return (self._side.folder / "charon.out").read_text(errors="replace")

    def _connections(self) -> str:
        return self._side.swanctl("--list-conns")

    def _ipsec(self, command: str) -> None:
        """Run `ipsec COMMAND` where starter runs."""
        outer = (self._side.folder / "outer").read_text().strip()
        self._side.run(["nsenter", f"--mount=/proc/{outer}/ns/mnt", "ipsec", command])

    def _wait(self, what: str, come: Callable[[], bool]) -> None:
        """starter reads ipsec.conf when it gets to it."""
        deadline = time.monotonic() + LOAD_SECONDS
        while not come():
            if time.monotonic() > deadline:
                raise LabError(f"{self._side.name}: {what} did not come.\n{self._said()[-2000:]}")
            time.sleep(POLL_SECONDS)


CUSTOMERS: Mapping[str, type[Customer]] = MappingProxyType(
    {kind.platform.id: kind for kind in (SwanctlCustomer, StarterCustomer)}
)
