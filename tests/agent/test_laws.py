"""The laws of a reconciler, on a charon in memory: whatever the states, and wherever a kill falls."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.agent.bench import Bench
from tests.agent.documents import ONE, TWO, a_mapping, a_tunnel, an_ike, an_ipsec
from tunnels.agent.apply import LOADS_TOGETHER
from tunnels.agent.charon import CharonUnreachable
from tunnels.agent.journal import Journal
from tunnels.contract import TunnelDocument
from tunnels.domain.proposals import Negotiation
from tunnels.domain.status import Intent

PASSIVE = an_ike(negotiation=Negotiation.PASSIVE)
FIRST, SECOND, THIRD = (a_mapping("10.0.0.0/24", f"192.168.{number}.0/24") for number in range(3))
# Thousands of journals are made here: in memory, if there is such a folder.
MEMORY = next((path for path in ("/dev/shm",) if Path(path).is_dir()), None)  # noqa: S108

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
def test_after_applying_nothing_is_left_to_do(
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
def test_a_crash_after_any_write_converges(
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
def test_the_order_of_the_answer_does_not_matter(
    pair: tuple[tuple[TunnelDocument, ...], list[TunnelDocument]],
) -> None:
    with a_bench() as bench:
        assert bench.plan(*pair[0]) == bench.plan(*pair[1])


def test_what_is_loaded_together_is_journalled_before_the_first_request() -> None:
    """Also where one batch ends and the next begins: the kill falls at each write in turn."""
    tunnels = [a_tunnel(f"vpnx-{number:08d}", ike=PASSIVE) for number in range(LOADS_TOGETHER + 2)]
    for number in (1, 2, LOADS_TOGETHER, 2 * LOADS_TOGETHER, 2 * LOADS_TOGETHER + 1):
        with a_bench() as bench:
            bench.charon.fail_at = number
            with pytest.raises(CharonUnreachable):
                bench.make(*tunnels)
            touched = {said.split()[1] for said in bench.charon.said}
            kept = Journal(bench.folder, read_only=True).entries
            known = {name for name, entry in kept.items() if entry.pending or entry.applied}
            assert touched <= known
            whole = {
                name for name in touched
                if {f"load-shared {name}", f"load-conn {name}"} <= set(bench.charon.said)
            }  # fmt: skip
            assert {name for name, entry in kept.items() if entry.applied} <= whole
            bench.converge(*tunnels)
            assert holds(bench, tunnels)
