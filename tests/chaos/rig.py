"""The rig: a console, a gateway with its agent, and two customers, all real processes.

Whatever is killed here is started again as a supervisor would do it. Nothing else is ever helped along.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos.console import Away, Console
from tests.chaos.world import BRANCH_SIDE, EXTRA, GATEWAY_SIDE, OFFICE_SIDE, TUNNELS, Wanted
from tunnels.agent.render import child_name
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import MappingDocument
from tunnels.lab import Lab, Side
from vpnconsole.env import BASE_DIR

# Far more than anything takes: a busy machine is no failure.
PATIENCE_SECONDS = 180.0
POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A tunnel of the rig: its id, the customer's side of it, and whether it can be toggled."""

    id: str
    name: str
    side: str
    extra: bool


class Rig:
    """`with Rig() as rig:` gives a running rig whose agent is enrolled and not yet started."""

    tunnels: dict[str, Made]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vpnchaos-"))
        # PostgreSQL is another user when this runs as root.
        self.folder.chmod(0o711)
        self.console = Console(self.folder)
        self.lab = Lab(gateway=GATEWAY_SIDE, customers=(BRANCH_SIDE, OFFICE_SIDE))
        self.tunnels = {}
        self.gateway_id = ""
        self._agent: subprocess.Popen[bytes] | None = None
        self._lines: dict[str, ViciCharon] = {}
        self._rotations = 0
        self.log_start = 0

    def __enter__(self) -> Self:
        try:
            self.lab.__enter__()
            made = self.console.start()
            self.gateway_id = made["gateway"]
            self.write_token(made["token"])
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
        """End everything and remove the folder."""
        for line in self._lines.values():
            line.close()
        self.lab.close()
        if self._agent is not None:
            self._agent.wait()
            self._agent = None
        self.console.stop()
        shutil.rmtree(self.folder)

    # --- Tunnels ---

    def furnish(self) -> None:
        """Make the tunnels of the world, and install the customers' files."""
        for wanted, made in zip(TUNNELS, self.console.desk("make_all")["tunnels"], strict=True):
            self.install(wanted, made)

    def install(self, wanted: Wanted, made: dict[str, Any]) -> Made:
        """Do what the customer's admin does with the file, and give both ends inner addresses."""
        side = next(side for side in self.lab.sides.values() if wanted.address in side.addresses)
        for rule in (*wanted.rules, *([EXTRA] if wanted.extra else [])):
            local, *remotes = rule.split()
            self.lab.gateway.add_address(host_of(local))
            for remote in remotes:
                side.add_address(host_of(remote))
        if made["probed"]:
            side.add_address(made["probed"])
        side.install(made["text"], made["filename"])
        tunnel = Made(id=made["id"], name=made["name"], side=side.name, extra=wanted.extra)
        self.tunnels[tunnel.id] = tunnel
        return tunnel

    # --- Processes ---

    @property
    def state_dir(self) -> Path:
        """The agent's folder."""
        return self.folder / "agent"

    @property
    def agent_output(self) -> Path:
        """What the agents printed, one after the other."""
        return self.folder / "agent.out"

    def write_token(self, token: str) -> None:
        """Give the agent this token."""
        path = self.folder / "token"
        path.touch(mode=0o600)
        path.write_text(f"{token}\n")

    def start_agent(self, *, console: str = "") -> None:
        """Start the agent beside the gateway's charon; `console` is another one than the rig's."""
        gateway = self.lab.gateway
        if not self.state_dir.exists():
            self.log_start = gateway.log_path.stat().st_size
        self._agent = gateway.popen(
            [
                # Its number is another one inside, and only from inside can it be signalled.
                "sh", "-c", 'echo $$ >"$0"; exec "$@"', str(self.folder / "agent.pid"),
                sys.executable, "-m", "tunnels.agent", "--gateway", self.gateway_id,
                "--console", console or f"unix://{self.console.socket}",
                "--token-file", str(self.folder / "token"), "--state-dir", str(self.state_dir),
                "--vici", f"unix://{gateway.vici_socket}", "--charon-log", str(gateway.log_path),
                "--manage-addresses",
            ],
            env={"PYTHONPATH": str(BASE_DIR), "PYTHONDONTWRITEBYTECODE": "1"},
            output=self.agent_output,
        )  # fmt: skip

    def kill_agent(self) -> None:
        """Kill it, wherever it is."""
        if self._agent is None:
            return
        if self._agent.poll() is None:
            number = (self.folder / "agent.pid").read_text().strip()
            self.lab.gateway.run(["kill", "-9", number], check=False)
        self._agent.wait()
        self._agent = None

    def agent_runs(self) -> bool:
        """Whether its process is there."""
        return self._agent is not None and self._agent.poll() is None

    def start_charon(self, side: Side) -> None:
        """Start a charon; at a customer its files are loaded, as that system does when it starts."""
        side.start_charon()
        self.vici(side).close()
        if side is not self.lab.gateway:
            side.swanctl("--load-all")

    def supervise(self) -> None:
        """Start again what has ended, as systemd would; nothing else."""
        self.console.supervise()
        for side in self.lab.sides.values():
            if not side.charon_runs():
                self.start_charon(side)
        if not self.agent_runs():
            self.start_agent()

    def vici(self, side: Side) -> ViciCharon:
        """A line to the side's charon; it connects when it is first asked."""
        if side.name not in self._lines:
            self._lines[side.name] = ViciCharon(f"unix://{side.vici_socket}")
        return self._lines[side.name]

    def rotate_log(self) -> None:
        """What logrotate does with charon's log: rename it, and let charon open a new one."""
        gateway = self.lab.gateway
        if not gateway.log_path.exists():
            return
        self._rotations += 1
        log = gateway.log_path
        log.rename(log.with_name(f"{log.name}-{self._rotations:04}"))
        if gateway.charon_runs():
            number = (gateway.folder / "pid").read_text().strip()
            gateway.run(["kill", "-HUP", number])

    def log_files(self) -> list[Path]:
        """All of charon's log, oldest first."""
        log = self.lab.gateway.log_path
        return [*sorted(log.parent.glob(f"{log.name}-*")), *([log] if log.exists() else [])]

    # --- What is wanted, by name ---

    def state(self) -> dict[str, Any] | None:
        """The desk's `state`; None while the database is away."""
        try:
            return self.console.desk("state")
        except Away:
            return None


def host_of(network: str) -> str:
    """An inner address in that network: the first one after its own."""
    address, _, length = network.partition("/")
    if length in {"32", "128"}:
        return address
    head, _, last = address.rpartition(".")
    return f"{head}.{int(last) + 1}"


def child_of(tunnel: str, local: str, remote: str) -> str:
    """The name of a mapping's CHILD_SA."""
    pair = MappingDocument.model_validate({"local": local, "remote": remote})
    return child_name(tunnel, pair.mapping)


def until(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait for something that other processes do; whether it came."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
