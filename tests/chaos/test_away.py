"""The console away, or not to be believed: the tunnels stay, or come back, from what the agent has saved."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.agent.console import Reply, SocketConsole, a_console
from tests.chaos import looks
from tests.chaos.ledger import Ledger
from tests.chaos.rig import Rig, until
from tunnels.contract import SyncAnswer

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def holdings(rig: Rig) -> tuple[Any, ...]:
    """Everything that the gateway's charon holds, and what the agent has saved."""
    charon = rig.vici(rig.lab.gateway)
    saved = (rig.state_dir / "desired.json").read_bytes()
    return sorted(charon.connections()), sorted(charon.shared()), looks.generations(rig), saved


def test_it_brings_tunnels_up_from_its_saved_state_while_the_console_is_away(rig: Rig) -> None:
    ledger = Ledger(rig)
    rig.console.stop_web()
    rig.kill_agent()
    rig.lab.gateway.kill_charon()
    rig.start_charon(rig.lab.gateway)
    assert looks.generations(rig) == {}
    rig.start_agent()
    assert until(lambda: not looks.pings(rig))
    assert looks.generations(rig).keys() == rig.tunnels.keys()
    # And once more with the agent alive, as after a crash of charon alone.
    rig.lab.gateway.kill_charon()
    rig.start_charon(rig.lab.gateway)
    assert until(lambda: not looks.pings(rig))
    assert not rig.console.answers()
    assert mode(rig.state_dir) == 0o700
    assert {mode(path) for path in rig.state_dir.iterdir()} == {0o600}
    rig.console.start_web()
    assert until(lambda: not ledger.settle())
    assert (ledger.lost, ledger.doubled) == (0, 0)


WRONG: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "was not understood (0 bytes"),
    "truncated": (b'{"schema_version":1,"gateway":"GATEWAY","revision":99,"tun', "was not understood"),
    "a page": (b"<!doctype html><title>Welcome</title>", "was not understood"),
    "another version": (b'{"schema_version":2,"gateway":"GATEWAY","revision":99,"tunnels":[]}', "at schema_version"),
    "another gateway": (b'{"gateway":"vpngw-00000000","revision":99,"tunnels":[]}', "answered for vpngw-00000000"),
    "no tunnels": (b'{"gateway":"GATEWAY","revision":99}', "spoke of revision 99 without sending it"),
    "a null": (b"null", "was not understood"),
}  # fmt: skip


@contextmanager
def agent_at_another_console(rig: Rig) -> Iterator[SocketConsole]:
    """The rig's agent talks to a console of the test's meanwhile."""
    with a_console(rig.folder) as console:
        rig.kill_agent()
        yield console
        rig.kill_agent()


@pytest.mark.parametrize("kind", WRONG)
def test_it_does_not_believe_a_wrong_answer(rig: Rig, kind: str) -> None:
    body, problem = WRONG[kind]
    reply = Reply(body.replace(b"GATEWAY", rig.gateway_id.encode()))
    with agent_at_another_console(rig) as console:
        before = holdings(rig)
        console.reply = lambda _request: reply
        rig.start_agent(console=console.address)
        assert until(lambda: len(console.requests) >= 2)
        assert problem in " ".join(console.requests[-1].facts.problems)
        assert console.requests[-1].revision == rig.console.desk("state")["revision"]
        assert holdings(rig) == before
        assert rig.agent_runs()


def test_it_asks_once_more_before_it_removes_everything(rig: Rig) -> None:
    emptied = SyncAnswer(gateway=rig.gateway_id, revision=99, tunnels=(), poll_seconds=300)
    with agent_at_another_console(rig) as console:
        before = holdings(rig)
        console.says(emptied)
        rig.start_agent(console=console.address)
        assert until(lambda: "would be removed" in rig.agent_output.read_text())
        assert holdings(rig) == before
