"""Fixtures of the agent's tests: a lab with two real charons, and the customer's side of a tunnel in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.agent.documents import mirrored
from tunnels.agent.render import connection_message, secret_messages
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import TunnelDocument
from tunnels.lab import Lab, LabUnavailable, Side

WAIT_SECONDS = 20.0


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two running charons, the same for all tests of a module; without strongSwan the tests are skipped."""
    try:
        with Lab() as running:
            # kernel-libipsec installs a CHILD_SA only if this host has an address in its local range.
            for address in ("192.168.1.1", "192.168.2.1"):
                running.branch.add_address(address)
            yield running
    except LabUnavailable as reason:
        pytest.skip(str(reason))


def vici(side: Side) -> ViciCharon:
    """A connection to the side's charon."""
    return ViciCharon(f"unix://{side.vici_socket}")


def serve(charon: ViciCharon, *tunnels: TunnelDocument) -> None:
    """Let a customer's charon wait for these tunnels, and for no others."""
    forget_everything(charon)
    for tunnel in tunnels:
        mirror = mirrored(tunnel)
        for message in secret_messages(mirror):
            # One charon plays several customers of one gateway here: it tells its keys apart by its own identity too.
            owners = [mirror.local_identity, mirror.remote_identity]
            charon.load_shared({**message, "owners": owners})
        charon.load_connection(connection_message(mirror))


def forget_everything(charon: ViciCharon) -> None:
    """Leave a charon as it was when it started."""
    for name in charon.connections():
        charon.unload_connection(name)
    for name in {sa.name for sa in charon.sas()}:
        charon.terminate(ike=name)
    for secret in charon.shared():
        charon.unload_shared(secret)


def until(condition: Callable[[], object]) -> bool:
    """Wait for something that another process does; whether it did."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
