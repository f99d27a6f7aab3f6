"""The plan: what it asks for, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.agent.bench import Bench
from tests.agent.documents import ONE, TWO, a_mapping, a_tunnel, an_ike, an_ipsec
from tunnels.agent.charon import IkeSa
from tunnels.agent.observe import observe
from tunnels.agent.plan import Kind, Plan, UnsafePlan, plan
from tunnels.agent.render import child_name
from tunnels.domain.proposals import Negotiation
from tunnels.domain.status import Intent

FIRST, SECOND, THIRD = (a_mapping("10.0.0.0/24", f"192.168.{number}.0/24") for number in range(3))
OTHER_KEY = SecretStr("another-test-key-0815")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.journal.close()


def kinds(planned: Plan) -> list[tuple[Kind, str]]:
    return [(step.kind, step.tunnel) for step in planned.steps]


# --- Single decisions ---


def test_nothing_known_asks_for_nothing(bench: Bench) -> None:
    bench.make(a_tunnel())
    assert not plan(None, observe(bench.charon), bench.journal.entries)


def test_a_new_tunnel_is_loaded_and_initiated(bench: Bench) -> None:
    assert kinds(bench.make(a_tunnel())) == [(Kind.LOAD, ONE), (Kind.INITIATE, ONE)]
    assert bench.charon.said == [
        f"load-shared {ONE}", f"load-conn {ONE}", f"initiate {child_name(ONE, FIRST.mapping)}",
    ]  # fmt: skip


def test_the_same_again_writes_nothing(bench: Bench) -> None:
    bench.make(a_tunnel())
    writes = bench.charon.writes
    assert not bench.make(a_tunnel())
    assert not bench.make(a_tunnel(revision=9))
    assert bench.charon.writes == writes


@pytest.mark.parametrize("negotiation", [Negotiation.PASSIVE, Negotiation.ON_TRAFFIC])
def test_what_is_not_for_us_to_begin_is_not_begun(bench: Bench, negotiation: Negotiation) -> None:
    planned = bench.make(a_tunnel(ike=an_ike(negotiation=negotiation)))
    assert kinds(planned) == [(Kind.LOAD, ONE)]


def test_other_mappings_close_only_those_that_are_gone(bench: Bench) -> None:
    bench.make(a_tunnel(mappings=(FIRST, SECOND)))
    (before,) = bench.charon.running
    planned = bench.make(a_tunnel(mappings=(FIRST, THIRD)))
    assert planned.steps[0].close == (child_name(ONE, SECOND.mapping),)
    assert planned.steps[1].open == (child_name(ONE, THIRD.mapping),)
    (after,) = bench.charon.running
    assert after.unique_id == before.unique_id
    kept = set(before.children) & set(after.children)
    assert [child.name for child in kept] == [child_name(ONE, FIRST.mapping)]


def test_other_ipsec_settings_open_the_mappings_anew(bench: Bench) -> None:
    bench.make(a_tunnel())
    (before,) = bench.charon.running
    bench.make(a_tunnel(ipsec=an_ipsec(encryption="aes-128-gcm")))
    (after,) = bench.charon.running
    assert after.unique_id == before.unique_id
    assert after.children[0].key != before.children[0].key


@pytest.mark.parametrize(
    "changed",
    [
        {"ike": an_ike(dh_group="dh14")},
        {"remote_address": "198.51.100.7"},
        {"remote_identity": "branch.example.com"},
        {"psk": OTHER_KEY},
    ],
)
def test_what_phase_1_rests_on_is_negotiated_anew(bench: Bench, changed: dict[str, Any]) -> None:
    bench.make(a_tunnel(), a_tunnel(TWO))
    one, two = bench.charon.running
    planned = bench.make(a_tunnel(**changed), a_tunnel(TWO))
    assert kinds(planned) == [(Kind.REPLACE, ONE), (Kind.INITIATE, ONE)]
    assert two in bench.charon.running
    assert one.unique_id not in {sa.unique_id for sa in bench.charon.running}


def test_a_replacement_loads_before_it_terminates(bench: Bench) -> None:
    bench.make(a_tunnel())
    bench.charon.said.clear()
    bench.make(a_tunnel(psk=OTHER_KEY))
    assert [word.split()[0] for word in bench.charon.said] == [
        "load-shared", "load-conn", "terminate", "initiate",
    ]  # fmt: skip


def test_a_rotation_of_the_key_interrupts_nothing(bench: Bench) -> None:
    old = SecretStr(a_tunnel().psk.get_secret_value())
    bench.make(a_tunnel())
    before = list(bench.charon.running)
    bench.make(a_tunnel(psk=OTHER_KEY, previous_psk=old))
    # The last one loaded is the one that charon signs with.
    assert list(bench.charon.keys) == [ONE, f"{ONE}-previous"]
    bench.make(a_tunnel(psk=OTHER_KEY))
    assert list(bench.charon.keys) == [ONE]
    assert bench.charon.running == before


def test_a_rotation_that_is_called_off_interrupts_nothing(bench: Bench) -> None:
    old = a_tunnel().psk
    bench.make(a_tunnel())
    before = list(bench.charon.running)
    bench.make(a_tunnel(psk=OTHER_KEY, previous_psk=old))
    bench.make(a_tunnel())
    assert bench.charon.running == before
    assert bench.charon.keys == {ONE: old.get_secret_value().encode()}


def test_taking_down_unloads_and_the_tunnel_stays_known(bench: Bench) -> None:
    bench.make(a_tunnel())
    assert kinds(bench.make(a_tunnel(intent=Intent.DOWN))) == [(Kind.REMOVE, ONE)]
    assert bench.charon.contents() == ({}, {}, [])
    assert ONE in bench.journal.entries
    assert not bench.plan(a_tunnel(intent=Intent.DOWN))


def test_a_deleted_tunnel_is_forgotten(bench: Bench) -> None:
    bench.make(a_tunnel(), a_tunnel(TWO))
    bench.make(a_tunnel(intent=Intent.DELETING), a_tunnel(TWO))
    assert ONE not in bench.journal.entries
    assert observe(bench.charon).present == {TWO}


def test_a_removal_unloads_before_it_terminates(bench: Bench) -> None:
    bench.make(a_tunnel())
    bench.charon.said.clear()
    bench.make()
    assert [word.split()[0] for word in bench.charon.said] == [
        "unload-conn", "terminate", "unload-shared",
    ]  # fmt: skip


def test_a_restarted_charon_gets_everything_back(bench: Bench) -> None:
    bench.make(a_tunnel(), a_tunnel(TWO))
    before = bench.charon.contents()
    bench.charon.restart()
    bench.make(a_tunnel(), a_tunnel(TWO))
    assert bench.charon.contents() == before


def test_a_missing_child_is_initiated_but_never_while_one_is_being_made(bench: Bench) -> None:
    bench.make(a_tunnel(mappings=(FIRST, SECOND)))
    bench.charon.drop(child_name(ONE, FIRST.mapping))
    document = a_tunnel(mappings=(FIRST, SECOND))
    (step,) = bench.plan(document).steps
    assert step.open == (child_name(ONE, FIRST.mapping),)
    (sa,) = bench.charon.running
    for busy in (
        IkeSa(name=ONE, unique_id=1, state="CONNECTING"),
        IkeSa(name=ONE, unique_id=1, state="ESTABLISHED", tasks=("CHILD_CREATE",)),
        IkeSa(name=ONE, unique_id=1, state="ESTABLISHED", tasks=("QUICK_MODE",)),
    ):
        bench.charon.running = [busy]
        assert not bench.plan(document)
    bench.charon.running = [sa]
    observation, wanted = observe(bench.charon), bench.wanted([document])
    assert not plan(wanted, observation, bench.journal.entries, patient={ONE})


def test_a_reset_is_done_once(bench: Bench) -> None:
    bench.make(a_tunnel(resets=4))  # what was asked for before this agent came is not done
    (before,) = bench.charon.running
    assert kinds(bench.make(a_tunnel(resets=5))) == [(Kind.RESET, ONE)]
    (after,) = bench.charon.running
    assert after.unique_id != before.unique_id
    assert not bench.plan(a_tunnel(resets=5))
    report = bench.journal.entries[ONE].reset
    assert report is not None
    assert (report.number, report.before, report.between, report.after, report.ok) == (
        5,
        1,
        0,
        1,
        True,
    )


def test_a_lost_journal_does_not_leave_unknown_settings_running(bench: Bench) -> None:
    bench.make(a_tunnel())
    bench.journal.forget(ONE)
    assert kinds(bench.make(a_tunnel())) == [(Kind.REPLACE, ONE), (Kind.INITIATE, ONE)]


def test_what_a_kill_may_have_left_is_reckoned_with(bench: Bench) -> None:
    """Killed while replacing one content by another, then the first one is wanted again: either may run."""
    bench.make(a_tunnel())
    (other,) = bench.wanted([a_tunnel(ike=an_ike(dh_group="dh14"))])
    entry = bench.journal.entries[ONE].model_copy(update={"pending": other.fingerprint})
    bench.journal.record(ONE, entry)
    assert kinds(bench.make(a_tunnel())) == [(Kind.REPLACE, ONE), (Kind.INITIATE, ONE)]


def test_steps_come_in_the_order_in_which_they_are_safe(bench: Bench) -> None:
    names = [f"vpnx-0000000{number}" for number in range(4)]
    bench.make(*(a_tunnel(name) for name in names))
    planned = bench.plan(
        a_tunnel("vpnx-99999999"), a_tunnel(names[1], resets=1), a_tunnel(names[2], psk=OTHER_KEY),
        a_tunnel(names[3], intent=Intent.DOWN),
    )  # fmt: skip
    assert kinds(planned) == [
        (Kind.REMOVE, names[0]), (Kind.REMOVE, names[3]), (Kind.REPLACE, names[2]),
        (Kind.LOAD, "vpnx-99999999"), (Kind.RESET, names[1]),
        (Kind.INITIATE, names[2]), (Kind.INITIATE, "vpnx-99999999"),
    ]  # fmt: skip
    assert str(planned).splitlines()[0] == f"remove   {names[0]}: no longer wanted"


@pytest.mark.parametrize(
    ("running", "kept", "safe"),
    [(6, 3, True), (6, 2, False), (3, 0, False), (2, 0, True), (1, 0, True)],
)
def test_the_gate(bench: Bench, running: int, kept: int, *, safe: bool) -> None:
    tunnels = [a_tunnel(f"vpnx-0000000{number}") for number in range(running)]
    bench.make(*tunnels)
    planned = bench.plan(*tunnels[:kept])
    if safe:
        planned.raise_if_unsafe()
        return
    with pytest.raises(UnsafePlan, match=f"{running - kept} of {running} running tunnels"):
        planned.raise_if_unsafe()


def test_a_foreign_connection_is_not_ours(bench: Bench) -> None:
    bench.charon.loaded["office"] = {}
    bench.charon.loaded["vpnx-TOO-LONG-TO-BE-OURS"] = {}
    bench.charon.keys["office-key"] = b"theirs"
    bench.charon.running = [IkeSa(name="office", unique_id=7, state="ESTABLISHED")]
    bench.make(a_tunnel())
    bench.make()
    assert observe(bench.charon).foreign == ("office", "vpnx-TOO-LONG-TO-BE-OURS")
    assert bench.charon.keys == {"office-key": b"theirs"}
    assert [sa.name for sa in bench.charon.running] == ["office"]
