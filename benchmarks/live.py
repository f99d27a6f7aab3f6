"""From Finish to ESTABLISHED, and the memory of the agent: real console, real agent, two real charons."""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final, TextIO

from pydantic import SecretStr

from benchmarks import dataset
from benchmarks.apply import QUIET, make_documents, run_swanctl
from benchmarks.sync import ACTOR, make_gateway
from benchmarks.timing import Times, times_of
from tunnels.agent.render import child_name, connection_message, secret_messages
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import IkeDocument, MappingDocument, TunnelDocument
from tunnels.domain.proposals import IkeSettings, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spd import Rule
from tunnels.lab import BRANCH, GATEWAY, Lab, Side
from tunnels.models import GatewayAgent, VpnGateway
from tunnels.services import gateways
from tunnels.services.creation import Basics, create_tunnel
from tunnels.services.sync import POLL_SECONDS
from vpnconsole.children import start_child, stop_child
from vpnconsole.env import BASE_DIR

PATIENCE_SECONDS: Final = 120.0
# Of the far end's addresses this one is for the bare initiation.
BARE: Final = 0
_UP = re.compile(r"^(\S+) \S+ <(?P<name>[^|]+)\|\d+> IKE_SA \S+ established between ", re.MULTILINE)
_random = random.SystemRandom()


def measure_live(*, tunnels: int, finishes: int, folder: Path, out: TextIO) -> str:
    """Bring up `finishes` tunnels one by one, then add `tunnels` and look at the agent; nought leaves out either.

    Prints, and returns sentences. Raises LabUnavailable.
    """
    far = tuple(f"203.0.113.{20 + number}" for number in range(finishes + 1))
    lans = range(finishes + 1)
    with ExitStack() as stack:
        lab = stack.enter_context(
            Lab(
                gateway=replace(
                    GATEWAY, settings=QUIET, lan=tuple(f"10.0.{number}.1" for number in lans)
                ),
                customers=(
                    replace(
                        BRANCH, settings=QUIET, addresses=far,
                        lan=tuple(f"192.168.{number}.1" for number in lans),
                    ),
                ),
            )
        )  # fmt: skip
        gateway, token = make_gateway()
        console = stack.enter_context(_console(folder))
        agent = stack.enter_context(_agent(lab.gateway, gateway, token, console, folder))
        _until(lambda: _agent_has(gateway), "the agent says nothing")
        sentences = []
        if finishes:
            sentences.append(_finish(lab, gateway, far, folder, out))
        if tunnels:
            sentences.append(_memory(lab, gateway, agent, tunnels, out))
    return "; ".join(sentences)


def _finish(lab: Lab, gateway: VpnGateway, far: tuple[str, ...], folder: Path, out: TextIO) -> str:
    """One tunnel a far address, made when the agent is anywhere between two polls; a bare initiation after each."""
    charon, peer = (ViciCharon(f"unix://{side.vici_socket}") for side in (lab.gateway, lab.branch))
    _serve(peer, far)
    _load(charon, _document(BARE, far[BARE], active=True))
    finished, seen, bare = [], [], []
    for number, address in enumerate(far):
        if number == BARE:
            continue
        customer = gateways.create_customer_gateway(
            actor=ACTOR, name=f"customer-{number}", public_ip=address
        )
        time.sleep(_random.uniform(0, POLL_SECONDS))
        begun = time.time()
        local, remote = _pair(number)
        tunnel = create_tunnel(
            actor=ACTOR,
            basics=Basics(
                name=f"tunnel-{number}", vpn_gateway=gateway, customer_gateway=customer,
                psk=Secret(_key(number)),
            ),
            rules=[Rule(local=local, remotes=(remote,))],
        )  # fmt: skip
        name = tunnel.public_id
        _until(partial(_established, lab.gateway, name), f"{name} does not come up")
        up = _established(lab.gateway, name)
        # The agent saves what it was told before it does anything: then it has seen the revision.
        told = (folder / "agent" / "desired.json").stat().st_mtime
        finished.append((up - begun) * 1000)
        seen.append((up - told) * 1000)
        bare.append(_initiate(lab.gateway))
        charon.terminate(ike=_name(BARE))
    charon.close()
    peer.close()
    whole, after, floor = times_of(finished), times_of(seen), times_of(bare)
    count = f"({len(finished)} tunnels)"
    _write(out, f"Finish → ESTABLISHED, a poll in it {count}", whole, floor)
    _write(out, f"revision seen → ESTABLISHED {count}", after, floor)
    _write(out, f"swanctl --initiate {count}", floor, floor)
    return (
        f"Finish → ESTABLISHED takes {whole.p50 / 1000:.1f} s with polls every {POLL_SECONDS:g} s, of which "
        f"{after.p50:.0f} ms are from seeing it (swanctl --initiate: {floor.p50:.0f} ms)"
    )


def _memory(lab: Lab, gateway: VpnGateway, agent: int, tunnels: int, out: TextIO) -> str:
    """The agent's resident memory once it has applied and told all of them, and the most it ever was."""
    before = _resident(agent)
    dataset.crowd(gateway, tunnels)
    with_them = VpnGateway.objects.get(pk=gateway.pk).tunnels.count()

    def told() -> bool:
        states = gateway.tunnels.filter(state__applied_revision__gte=1)
        return states.count() == with_them

    _until(told, "the agent does not apply all")
    time.sleep(3 * POLL_SECONDS)
    after = _resident(agent)
    most = _resident(agent, "VmHWM")
    label = f"agent's memory ({with_them:,} tunnels)"
    out.write(f"{label:<50}{after:8.1f} MB, {before:.1f} before, {most:.1f} at most\n")
    return f"the agent has {after:.0f} MB with {with_them:,} tunnels"


@contextmanager
def _console(folder: Path) -> Iterator[Path]:
    """gunicorn as `make run` starts it, on a socket."""
    door = folder / "console.sock"
    command = [sys.executable, "-m", "gunicorn", "-c", "vpnconsole/gunicorn_conf.py"]
    with (folder / "console.out").open("wb") as log:
        process = start_child(
            [*command, "--bind", f"unix:{door}"], death_signal=signal.SIGTERM, cwd=BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "vpnconsole.settings"}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _until(door.exists, "the console does not start")
        yield door
    finally:
        stop_child(process, ask=signal.SIGTERM, force=signal.SIGKILL, seconds=20)


@contextmanager
def _agent(
    side: Side, gateway: VpnGateway, token: str, console: Path, folder: Path
) -> Iterator[int]:
    """The agent inside the gateway's side; its number out here."""
    keeper = folder / "token"
    keeper.touch(mode=0o600)
    keeper.write_text(f"{token}\n")
    process = side.popen(
        [
            sys.executable, "-m", "tunnels.agent", "--gateway", gateway.public_id, "--console", f"unix://{console}",
            "--token-file", str(keeper), "--state-dir", str(folder / "agent"),
            "--vici", f"unix://{side.vici_socket}", "--charon-log", str(side.log_path),
        ],
        env={"PYTHONPATH": str(BASE_DIR), "PYTHONDONTWRITEBYTECODE": "1"},
        output=folder / "agent.out",
    )  # fmt: skip
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        _until(lambda: children.read_text().split(), "the agent does not start")
        yield int(children.read_text().split()[0])
    finally:
        # What runs inside ends with it.
        process.kill()
        process.wait()


def _serve(peer: ViciCharon, far: tuple[str, ...]) -> None:
    """The far end of every tunnel, which waits to be called."""
    for number, address in enumerate(far):
        _load(peer, _document(number, address, active=False))


def _load(charon: ViciCharon, document: TunnelDocument) -> None:
    # The far ends share one charon: their own identities tell their keys apart.
    owners: list[str] = [document.local_identity, document.remote_identity]
    for message in secret_messages(document):
        charon.load_shared({**message, "owners": owners})
    charon.load_connection(connection_message(document))


def _document(number: int, address: str, *, active: bool) -> TunnelDocument:
    """Our end when `active`, else the far one, of the tunnel to that far address."""
    ours, theirs = (GATEWAY.addresses[0], address) if active else (address, GATEWAY.addresses[0])
    pair = _pair(number) if active else _pair(number)[::-1]
    ike = replace(IkeSettings(), negotiation=Negotiation.ACTIVE if active else Negotiation.PASSIVE)
    (document,) = make_documents(1)
    return document.model_copy(
        update={
            # Not a name that the agent would take for its own.
            "id": _name(number),
            "local_address": IPv4Address(ours), "local_identity": ours,
            "remote_address": IPv4Address(theirs), "remote_identity": theirs,
            "psk": SecretStr(_key(number)),
            "mappings": (MappingDocument(local=pair[0], remote=pair[1]),),
            "ike": IkeDocument.model_validate(ike, from_attributes=True),
        }
    )  # fmt: skip


def _name(number: int) -> str:
    return f"bare-{number}"


def _key(number: int) -> str:
    return f"benchmark-key-{number:04d}"


def _pair(number: int) -> tuple[IPv4Network, IPv4Network]:
    return IPv4Network(f"10.0.{number}.0/24"), IPv4Network(f"192.168.{number}.0/24")


def _initiate(side: Side) -> float:
    """The milliseconds of swanctl's process until the bare tunnel is up."""
    local, remote = _pair(BARE)
    child = child_name(_name(BARE), MappingDocument(local=local, remote=remote).mapping)
    started = time.perf_counter()
    run_swanctl(side, "--initiate", "--child", child)
    return (time.perf_counter() - started) * 1000


def _established(side: Side, name: str) -> float:
    """When charon wrote that this tunnel is up; 0.0 when it has not."""
    for match in _UP.finditer(side.log_path.read_text(errors="replace")):
        if match["name"] == name:
            return datetime.fromisoformat(f"{match[1]}+00:00").timestamp()
    return 0.0


def _agent_has(gateway: VpnGateway) -> bool:
    return GatewayAgent.objects.exclude(boot_id="").filter(vpn_gateway=gateway).exists()


def _resident(process: int, field: str = "VmRSS") -> float:
    """In megabytes of 10⁶ bytes, from the kernel."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the kernel does not say {field}")
    return int(found[1]) * 1024 / 1e6


def _until(condition: Callable[[], object], problem: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(problem)
        time.sleep(0.02)


def _write(out: TextIO, label: str, times: Times, floor: Times) -> None:
    out.write(f"{label:<50}{times}  {floor.p50:8.2f}\n")
    out.flush()
