"""The agent telling a real charon of many tunnels, beside swanctl telling the same charon the same."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final, TextIO, cast

from pydantic import SecretStr

from benchmarks.timing import Step, Times, interleaved
from tunnels.agent.apply import Applier
from tunnels.agent.desired import Desired
from tunnels.agent.fingerprint import prepare
from tunnels.agent.journal import Journal
from tunnels.agent.logs import Logs
from tunnels.agent.loop import Agent
from tunnels.agent.observe import observe
from tunnels.agent.plan import plan
from tunnels.agent.probe import Prober
from tunnels.agent.render import Message, connection_message, secret_messages
from tunnels.agent.spool import Spool
from tunnels.agent.state import StateStore
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import (
    IkeDocument,
    IpsecDocument,
    MappingDocument,
    SyncAnswer,
    SyncRequest,
    TunnelDocument,
)
from tunnels.domain.proposals import IkeSettings, IpsecSettings, Negotiation
from tunnels.domain.status import Intent
from tunnels.lab import GATEWAY, Lab, Side
from tunnels.lab.requirements import find_program

# charon writes what it writes by default: the lab's further details would be most of what is measured.
QUIET: Final = ("filelog { lab { ike = 1", "cfg = 1", "chd = 1 } }")
NAME: Final = "vpngw-00000001"


def measure_apply(*, tunnels: int, rounds: int, out: TextIO) -> str:
    """Print the times and return a sentence. Raises LabUnavailable."""
    documents = make_documents(tunnels)
    with (
        Lab(gateway=replace(GATEWAY, settings=QUIET)) as lab,
        tempfile.TemporaryDirectory(prefix="vpnbench-") as folder,
    ):
        charon = ViciCharon(f"unix://{lab.gateway.vici_socket}")
        hands = _Hands(Path(folder), lab.gateway, documents)
        lab.gateway.install(_configuration(documents))

        def check() -> None:
            held = {len(charon.connections()), len(charon.shared())}
            if held != {tunnels}:
                raise RuntimeError(f"charon holds {held} of {tunnels} connections and secrets")

        def checked(step: Step) -> Step:
            # Two short questions; both sides pay for them.
            def run() -> None:
                step()
                check()

            return run

        def empty() -> None:
            for name in charon.connections():
                charon.unload_connection(name)
            for name in charon.shared():
                charon.unload_shared(name)
            hands.forget()

        floor, applied, whole = interleaved(
            rounds, checked(lambda: run_swanctl(lab.gateway, "--load-all")), checked(hands.apply), checked(hands.round),
            warm_up=1, before=empty,
        )  # fmt: skip
        hands.close()
        charon.close()
    _write(out, tunnels, "swanctl --load-all", floor, floor)
    _write(out, tunnels, "agent: observe, plan, apply", applied, floor)
    _write(out, tunnels, "agent: a whole round with it", whole, floor)
    return (
        f"the agent applies {tunnels:,} tunnels in {applied.p50 / floor.p50:.2f} × swanctl's time"
    )


def make_documents(count: int) -> tuple[TunnelDocument, ...]:
    """Tunnels of one mapping that wait for their peers, so that loading is all there is to do."""
    ike, ipsec = replace(IkeSettings(), negotiation=Negotiation.PASSIVE), IpsecSettings()
    peers, networks = int(IPv4Address("198.18.0.0")), int(IPv4Address("172.16.0.0"))
    return tuple(
        TunnelDocument(
            id=f"vpnx-{number:08d}", revision=1, intent=Intent.UP,
            local_address=IPv4Address(GATEWAY.addresses[0]), local_identity=GATEWAY.addresses[0],
            remote_address=IPv4Address(peers + number), remote_identity=str(IPv4Address(peers + number)),
            psk=SecretStr(f"benchmark-key-{number:08d}"),
            mappings=(
                MappingDocument(
                    local=IPv4Network("10.0.0.0/24"), remote=IPv4Network((networks + 256 * number, 24))
                ),
            ),
            ike=IkeDocument.model_validate(ike, from_attributes=True),
            ipsec=IpsecDocument.model_validate(ipsec, from_attributes=True),
        )
        for number in range(1, count + 1)
    )  # fmt: skip


class _Hands:
    """The agent's parts as it puts them together; before each measurement they are new, over an empty folder."""

    def __init__(self, folder: Path, side: Side, documents: tuple[TunnelDocument, ...]) -> None:
        self._folder = folder
        self._side = side
        self._documents = documents
        self._open()

    def _open(self) -> None:
        self._charon = ViciCharon(f"unix://{self._side.vici_socket}")
        self._journal = Journal(self._folder)
        # Like the agent's, its log begins at the end of charon's.
        self._logs = Logs(Spool(self._folder), self._side.log_path)
        self._logs.collect(())
        self._wanted, _ = prepare(self._documents, self._journal.salt)
        self._agent = Agent(
            charon=self._charon,
            console=_Console(self._documents),
            desired=Desired(StateStore(self._folder, gateway=NAME), salt=self._journal.salt),
            journal=self._journal,
            logs=self._logs,
            prober=Prober(),
        )

    def close(self) -> None:
        """Close what is open."""
        for part in (self._journal, self._logs, self._charon):
            part.close()

    def forget(self) -> None:
        """Begin anew."""
        self.close()
        for path in self._folder.iterdir():
            path.unlink()
        self._open()

    def apply(self) -> None:
        """From knowing what is wanted to having done it."""
        observation = observe(self._charon)
        planned = plan(self._wanted, observation, self._journal.entries)
        applier = Applier(self._charon, self._journal, note=self._logs.note)
        if problems := applier.apply(planned, self._wanted, observation):
            raise RuntimeError(f"not applied: {problems}")

    def round(self) -> None:
        """The same, and before it the console's answer understood and saved, after it the report made."""
        self._agent.round()


class _Console:
    """Answers with the tunnels, without a network between."""

    def __init__(self, documents: tuple[TunnelDocument, ...]) -> None:
        self._json = SyncAnswer(gateway=NAME, revision=1, tunnels=documents).model_dump_json()

    def sync(self, request: SyncRequest) -> SyncAnswer:
        """Answer."""
        request.model_dump_json()
        return SyncAnswer.model_validate_json(self._json)


def run_swanctl(side: Side, *arguments: str) -> None:
    """Run it from outside the lab's namespaces, where the agent of these measurements is too: entering costs time.

    Raises CalledProcessError.
    """
    subprocess.run(
        [str(find_program("swanctl")), *arguments, "--uri", f"unix://{side.vici_socket}"],
        env={
            "STRONGSWAN_CONF": str(side.folder / "strongswan.conf"),
            "SWANCTL_DIR": str(side.folder / "swanctl"),
        },
        capture_output=True,
        check=True,
    )


def _configuration(documents: tuple[TunnelDocument, ...]) -> str:
    """The same settings, word by word, as a swanctl.conf."""
    return "".join((
        "connections {\n",
        *(line for document in documents for line in _lines(connection_message(document))),
        "}\nsecrets {\n",
        *(
            _secret(message)
            for document in documents for message in secret_messages(document)
        ),
        "}\n",
    ))  # fmt: skip


def _secret(message: Message) -> str:
    key = cast("bytes", message["data"]).decode()
    owners = enumerate(cast("list[str]", message["owners"]))
    whose = "".join(f"id-{number} = {owner}\n" for number, owner in owners)
    return f'ike-{cast("str", message["id"])} {{\nsecret = "{key}"\n{whose}}}\n'


def _lines(section: Mapping[str, Any]) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield f"{key} {{\n"
            yield from _lines(value)
            yield "}\n"
        else:
            yield f"{key} = {', '.join(value) if isinstance(value, list) else value}\n"


def _write(out: TextIO, tunnels: int, what: str, times: Times, floor: Times) -> None:
    label = f"{what} ({tunnels:,} tunnels)"
    out.write(f"{label:<50}{times}  {floor.p50:8.2f}  {times.p50 / floor.p50:8.2f}\n")
