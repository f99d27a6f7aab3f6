"""The plan: what it asks for, what it leaves alone, and the laws of a reconciler on a charon in memory."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.agent.documents import ONE, TWO, a_mapping, a_tunnel, an_ike, an_ipsec
from tests.agent.fakes import FakeCharon
from tunnels.agent.apply import Applier
from tunnels.agent.charon import CharonUnreachable, IkeSa
from tunnels.agent.fingerprint import Wanted, prepare
from tunnels.agent.journal import Journal
from tunnels.agent.observe import observe
from tunnels.agent.plan import Kind, Plan, UnsafePlan, plan
from tunnels.agent.render import child_name
from tunnels.contract import TunnelDocument
from tunnels.domain.proposals import Negotiation
from tunnels.domain.status import Intent

FIRST, SECOND, THIRD = (a_mapping("10.0.0.0/24", f"192.168.{number}.0/24") for number in range(3))
# Thousands of journals are made here: in memory, if there is such a folder.
MEMORY = next((path for path in ("/dev/shm",) if Path(path).is_dir()), None)  # noqa: S108
OTHER_KEY = SecretStr("another-test-key-0815")


class Bench:
    """A charon in memory, a journal, and an agent's hands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.charon = FakeCharon()
        self.journal = Journal(folder)

    def wanted(self, documents: Iterable[TunnelDocument]) -> tuple[Wanted, ...]:
        wanted, problems = prepare(documents, self.journal.salt)
        assert problems == {}
        return wanted

    def plan(self, *documents: TunnelDocument) -> Plan:
        return plan(self.wanted(documents), observe(self.charon), self.journal.entries)

    def make(self, *documents: TunnelDocument) -> Plan:
        """Plan and apply; returns the plan."""
        wanted, observation = self.wanted(documents), observe(self.charon)
        planned = plan(wanted, observation, self.journal.entries)
        applier = Applier(self.charon, self.journal, sleep=lambda _seconds: None)
        assert applier.apply(planned, wanted, observation) == {}
        return planned

    def converge(self, *documents: TunnelDocument) -> None:
        """As after a kill: a new agent reads the journal, and goes on until nothing is to do."""
        self.charon.fail_at = None
        self.journal.close()
        self.journal = Journal(self.folder)
        for _ in range(4):
            if not self.make(*documents):
                return
        pytest.fail(f"still to do: {self.plan(*documents)}")


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


# --- Laws ---

MAPPINGS = st.lists(
    st.sampled_from((FIRST, SECOND, THIRD)), min_size=1, max_size=3, unique=True
).map(tuple)
KEYS = st.sampled_from([SecretStr("law-test-key-1"), SecretStr("law-test-key-2")])
TUNNELS = st.builds(
    a_tunnel,
    st.just(ONE),
    intent=st.sampled_from(
        [Intent.UP, Intent.UP, Intent.UP, Intent.UP, Intent.DOWN, Intent.DELETING]
    ),
    resets=st.integers(0, 2),
    psk=KEYS,
    previous_psk=st.none() | KEYS,
    mappings=MAPPINGS,
    ike=st.sampled_from(
        [an_ike(), an_ike(dh_group="dh14"), an_ike(negotiation=Negotiation.PASSIVE)]
    ),
    ipsec=st.sampled_from([an_ipsec(), an_ipsec(pfs="")]),
)
GATEWAYS = st.lists(
    st.tuples(st.sampled_from([ONE, TWO, "vpnx-aaaaaaa3"]), TUNNELS),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple(tunnel.model_copy(update={"id": name}) for name, tunnel in pairs))


@contextmanager
def a_bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="agent-law-", dir=MEMORY) as folder:
        bench = Bench(Path(folder))
        bench.charon.loaded["office"] = {}
        try:
            yield bench
        finally:
            bench.journal.close()


def holds(bench: Bench, documents: Iterable[TunnelDocument]) -> bool:
    """Whether charon holds what an empty one would after being told of these."""
    with a_bench() as fresh:
        fresh.make(*documents)
        own, ideal = bench.charon.contents(), fresh.charon.contents()
    passive = {
        document.id for document in documents if document.ike.negotiation is not Negotiation.ACTIVE
    }
    sas = [[sa for sa in contents[2] if sa[0] not in passive] for contents in (own, ideal)]
    return own[:2] == ideal[:2] and sas[0] == sas[1] and signs_with_the_newest(bench)


def signs_with_the_newest(bench: Bench) -> bool:
    """Of two keys of a tunnel the last one loaded, which comes first, is not the previous one."""
    order = list(bench.charon.keys)
    return all(
        order.index(name.removesuffix("-previous")) < order.index(name)
        for name in order
        if name.endswith("-previous")
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(GATEWAYS, min_size=1, max_size=4))
def test_law_after_applying_nothing_is_left_to_do(
    sequence: list[tuple[TunnelDocument, ...]],
) -> None:
    with a_bench() as bench:
        for documents in sequence:
            bench.make(*documents)
            assert str(bench.plan(*documents)) == "Nothing to do."
            assert holds(bench, documents)
            assert "office" in bench.charon.loaded


@settings(max_examples=80, deadline=None)
@given(TUNNELS, TUNNELS, TUNNELS)
def test_law_a_crash_after_any_write_converges(
    before: TunnelDocument, after: TunnelDocument, other: TunnelDocument
) -> None:
    """On the way from one state to the next; then that is wanted still, or the former again, or a third one."""
    first, second = (before, a_tunnel(TWO)), (after, a_tunnel(TWO))
    for final in (second, first, (other,)):
        for number in itertools.count(1):
            with a_bench() as bench:
                bench.make(*first)
                bench.charon.fail_at = bench.charon.writes + number
                try:
                    bench.make(*second)
                except CharonUnreachable:
                    bench.converge(*final)
                    assert holds(bench, final)
                else:
                    break


@given(GATEWAYS.flatmap(lambda tunnels: st.tuples(st.just(tunnels), st.permutations(tunnels))))
def test_law_the_order_of_the_answer_does_not_matter(
    pair: tuple[tuple[TunnelDocument, ...], list[TunnelDocument]],
) -> None:
    with a_bench() as bench:
        assert bench.plan(*pair[0]) == bench.plan(*pair[1])
