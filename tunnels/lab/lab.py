"""A lab: a gateway and one or more customers, each a real charon in a network namespace of its own.

All of it lives in one private user namespace, so it needs no root, and several labs run side by side. The public
network is a star: one wire from the gateway to each customer.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from tunnels.lab.requirements import (
    SYSTEM_FOLDERS,
    LabError,
    LabUnavailable,
    Machine,
    check,
    explain,
    find_program,
)
from tunnels.lab.side import BRANCH, GATEWAY, Side, SidePlan

PREFIX = "vpnlab-"
PUBLIC_PREFIX_LENGTH = {4: 24, 6: 64}
# The longest path of a unix socket is 107 bytes; names inside the folder take up to 40.
FOLDER_LONGEST = 60
BOUND_PROGRAMS = ("charon-systemd", "swanctl")
END_SECONDS = 10.0


class Lab:
    """`with Lab() as lab:` gives two running charons, `lab.gateway` and `lab.branch`.

    More customers come by `customers`; `lab.branch` is the first. Raises LabUnavailable when this machine
    cannot run a lab, LabError when a charon does not start. However its owner ends, nothing stays behind.
    """

    gateway: Side
    branch: Side
    sides: Mapping[str, Side]

    def __init__(
        self,
        *,
        gateway: SidePlan = GATEWAY,
        customers: Sequence[SidePlan] = (BRANCH,),
        start: bool = True,
        machine: Machine | None = None,
    ) -> None:
        """`start` is whether the charons are started at once; `machine` is for tests of what it lacks."""
        self._plans = (gateway, *customers)
        self._start = start
        self._machine = machine or Machine()
        self._process: subprocess.Popen[str] | None = None
        self.folder = Path()

    def __enter__(self) -> Self:
        if self._process is not None:
            raise LabError("This lab is running already.")
        check(self._machine)
        self.folder = _make_folder()
        try:
            pids = self._open_namespaces()
            self._make_sides(pids)
            self._connect()
            if self._start:
                for side in self.sides.values():
                    side.start_charon()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything that runs in the lab, and remove its folder. Doing it twice does no harm."""
        process, self._process = self._process, None
        if process is not None:
            process.communicate("end\n", timeout=END_SECONDS)
            for side in getattr(self, "sides", {}).values():
                side.forget()
        if self.folder.name.startswith(PREFIX):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _open_namespaces(self) -> list[int]:
        """Start process 1; the numbers of one process in each side, gateway first."""
        programs = [find_program(name) or name for name in BOUND_PROGRAMS]
        owner = os.pidfd_open(os.getpid())
        try:
            self._process = subprocess.Popen(
                [
                    "unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child",
                    sys.executable, "-I", "-S", str(Path(__file__).with_name("inner.py")),
                    str(self.folder), str(owner), str(len(self._plans) - 1), *programs,
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={"PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}", "LC_ALL": "C.UTF-8"},
                pass_fds=(owner,), start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(owner)
        line = self._process.stdout.readline() if self._process.stdout else ""
        answer = json.loads(line) if line else {}
        if "pids" in answer:
            return [int(pid) for pid in answer["pids"]]
        process, self._process = self._process, None
        _, said = process.communicate(timeout=END_SECONDS)
        problem = answer.get("problem") or said.strip().removeprefix("unshare: ")
        raise LabUnavailable(explain(self._machine, problem))

    def _make_sides(self, pids: Sequence[int]) -> None:
        sides = []
        for plan, pid in zip(self._plans, pids, strict=True):
            folder = self.folder / plan.name
            folder.mkdir()
            sides.append(Side(plan=plan, folder=folder, programs=self.folder / "bin", pid=pid))
        self.sides = MappingProxyType({side.name: side for side in sides})
        self.gateway, self.branch = sides[0], sides[1]

    def _connect(self) -> None:
        gateway, *customers = self.sides.values()
        here = ["link set lo up"]
        here += [f"address replace {_host(inner)} dev lo" for inner in gateway.plan.lan]
        for number, customer in enumerate(customers):
            device = f"wan{number}"
            here += _wire_up(device, "fe80::1")
            # The same address on every wire, where IPv6 neighbours look for it; each customer is a route to one host.
            here += [
                f"address replace {_host(public)} dev {device}{_no_probe(public)}"
                for public in gateway.addresses
            ]
            there = ["link set lo up", *_wire_up("wan", "fe80::2")]
            there += [f"address replace {_host(inner)} dev lo" for inner in customer.plan.lan]
            for public in customer.addresses:
                parsed = ipaddress.ip_address(public)
                length = PUBLIC_PREFIX_LENGTH[parsed.version]
                there.append(f"address replace {parsed}/{length} dev wan{_no_probe(public)}")
                here += [
                    f"route replace {_host(public)} dev {device} src {own}"
                    for own in gateway.addresses
                    if ipaddress.ip_address(own).version == parsed.version
                ]
            customer.run(["ip", "-batch", "-"], text_in="\n".join(there))
            customer.lines = [(gateway, device), (customer, "wan")]
            gateway.lines += customer.lines
        gateway.run(["ip", "-batch", "-"], text_in="\n".join(here))


def _host(address: str) -> str:
    parsed = ipaddress.ip_address(address)
    return f"{parsed}/{parsed.max_prefixlen}"


def _wire_up(device: str, link_local: str) -> list[str]:
    """An automatic link-local address is probed for a second or two, and until then IPv6 finds no neighbour."""
    return [
        f"link set {device} addrgenmode none",
        f"link set {device} up",
        f"address replace {link_local}/64 dev {device} nodad",
    ]


def _no_probe(address: str) -> str:
    """The same for a public address: nobody else can have it here."""
    return " nodad" if ":" in address else ""


def _make_folder() -> Path:
    """A new folder of mode 0700 whose path is short enough for unix sockets below it."""
    wanted = tempfile.gettempdir()
    parent = wanted if len(os.fsencode(wanted)) <= FOLDER_LONGEST - len(PREFIX) - 8 else "/tmp"  # noqa: S108
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
