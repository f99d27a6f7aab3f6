"""The live part of the demo: a lab whose gateway is the example's first one, its agent, and the branch office.

Nothing of it touches the network of this machine, and all of it ends with the process that opened the lab.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from tunnels.lab import BRANCH, GATEWAY, Lab, LabError
from tunnels.models import VpnGateway
from tunnels.services.access import SystemActor
from tunnels.services.enrolment import enrol, start_enrolment
from tunnels.services.sync import find_agent
from vpnconsole.demo.branch import BranchAdmin
from vpnconsole.env import BASE_DIR

DEMO: Final = SystemActor(name="demo")
GATEWAY_ADDRESS: Final = GATEWAY.addresses[0]
BRANCH_ADDRESSES: Final = tuple(f"203.0.113.{number}" for number in range(20, 25))
# A gateway that does not answer is called that after half a minute; by default it takes three.
QUICK: Final = ("retransmit_tries = 3", "retransmit_timeout = 2.0")
AGENT_END_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 5.0


def open_lab() -> Lab:
    """A lab, not yet entered, whose branch owns all addresses of the example's customers that answer."""
    addresses = (*BRANCH_ADDRESSES, *BRANCH.addresses[1:])
    return Lab(
        gateway=replace(GATEWAY, lan=(), settings=QUICK),
        customers=(replace(BRANCH, addresses=addresses, lan=()),),
    )


class Live:
    """`start` it once; then call `step` about twice a second. `lab` is there after `start`."""

    lab: Lab

    def __init__(self, folder: Path, *, door: Path) -> None:
        """`folder` keeps token and state of the agent between runs; the console listens on the unix socket `door`."""
        self._folder = folder
        self._door = door
        self._agent: subprocess.Popen[bytes] | None = None
        self._gateway = ""
        self._next_start = 0.0
        self._over = False

    def start(self, stack: ExitStack) -> None:
        """Start lab and agent, each with its end on the stack.

        Raises LabUnavailable when this machine cannot run a lab, LabError when a part of it does not start.
        """
        self.lab = stack.enter_context(open_lab())
        self._branch = BranchAdmin(self.lab)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._gateway = attach(self._token)
        self._output.unlink(missing_ok=True)
        # Before the agent knocks there for the first time.
        self._branch.step()
        stack.callback(self._stop_agent)
        self._start_agent()

    def step(self) -> list[str]:
        """Start again what has ended, and let the branch office do its work. A sentence for whatever was done."""
        if self._over:
            return []
        try:
            return self._revive() + self._branch.step()
        except (OperationalError, InterfaceError):
            # The next step connects anew; whether the database is gone for good, others watch.
            connection.close()
            return []
        except LabError as error:
            self._over = True
            return [
                f"The live part of the demo has ended: {str(error).splitlines()[0]} The console goes on."
            ]

    def advice(self) -> str:
        """What a newcomer may try."""
        return f"""
The VPN gateway frankfurt-1 is live: a strongSwan of its own in a private network, with a branch office at the
other end. The tunnel idc-shanghai comes up by itself. Now make one of your own:
  New tunnel: VPN gateway frankfurt-1, customer gateway branch-office, enable the health check;
  SPD policy: local range 10.0.1.0/24, customer range 192.168.1.0/24; then Next, Next, Finish.
The branch office installs its file by itself; within seconds the tunnel is Connected and shows its round trip.
Send something through it:
  {self.lab.branch.shell} ping -I 192.168.1.1 10.0.1.1
Customer gateways that you add may have the addresses {BRANCH_ADDRESSES[2]} to {BRANCH_ADDRESSES[-1]}.
Those at 198.51.100.x never answer: see what the console says about them."""

    @property
    def _token(self) -> Path:
        return self._folder / "token"

    @property
    def _output(self) -> Path:
        return self._folder / "agent.log"

    def _revive(self) -> list[str]:
        said = []
        for side in self.lab.sides.values():
            if not side.charon_runs():
                side.start_charon()
                said.append(f"strongSwan of the {side.name} ended; it was started again.")
                if side is self.lab.branch:
                    self._branch.reload()
        if self._agent and self._agent.poll() is not None and time.monotonic() > self._next_start:
            self._start_agent()
            said.append(f"The agent ended; it was started again. {self._output} says why.")
        return said

    def _start_agent(self) -> None:
        side = self.lab.gateway
        self._next_start = time.monotonic() + AGAIN_SECONDS
        self._agent = side.popen(
            [
                # Its number is another one inside, and only what is inside can signal it there.
                "sh", "-c", 'echo $$ >"$0"; exec "$@"', str(side.folder / "agent.pid"),
                sys.executable, "-m", "tunnels.agent",
                "--console", f"unix://{self._door}", "--gateway", self._gateway,
                "--token-file", str(self._token), "--state-dir", str(self._folder / "agent"),
                "--vici", f"unix://{side.vici_socket}", "--charon-log", str(side.log_path),
                "--manage-addresses",
            ],
            env={"PYTHONPATH": str(BASE_DIR)},
            output=self._output,
        )  # fmt: skip

    def _stop_agent(self) -> None:
        process, self._agent = self._agent, None
        if process is None:
            return
        side = self.lab.gateway
        with contextlib.suppress(LabError, OSError, subprocess.TimeoutExpired):
            number = (side.folder / "agent.pid").read_text().strip()
            side.run(["sh", "-c", f"kill -TERM {number}"], check=False)
            process.wait(AGENT_END_SECONDS)
        process.kill()
        process.wait()


def attach(token_file: Path) -> str:
    """Let an agent with this token file speak for the example's first gateway; returns the gateway's id.

    A token that still counts is kept; otherwise an agent is enrolled anew.
    """
    gateway = VpnGateway.objects.get(public_ip=GATEWAY_ADDRESS)
    with contextlib.suppress(FileNotFoundError):
        agent = find_agent(token_file.read_text(encoding="ascii").strip())
        if agent is not None and agent.vpn_gateway == gateway:
            return gateway.public_id
    _, token = enrol(token=start_enrolment(actor=DEMO, vpn_gateway=gateway))
    token_file.unlink(missing_ok=True)
    with open(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{token}\n")
    return gateway.public_id
