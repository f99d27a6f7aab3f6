"""What the agent relies on in a charon: the same suite for the one in memory and for the real one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.agent.conftest import forget_everything, serve, until, vici
from tests.agent.documents import ONE, a_mapping, a_tunnel, an_ike
from tests.agent.fakes import FakeCharon
from tunnels.agent.charon import Charon, CharonRefused, CharonUnreachable, Load
from tunnels.agent.render import Message, child_name, connection_message, secret_messages
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import TunnelDocument
from tunnels.domain.proposals import Negotiation
from tunnels.lab import Lab

FIRST, SECOND = a_mapping(), a_mapping("10.0.0.0/24", "192.168.1.0/24")
TUNNEL = a_tunnel(mappings=(FIRST, SECOND))
CHILDREN = {child_name(ONE, FIRST.mapping), child_name(ONE, SECOND.mapping)}


@pytest.fixture(
    params=[
        "fake",
        pytest.param("real", marks=[pytest.mark.charon, pytest.mark.xdist_group("lab")]),
    ]
)
def charon(request: pytest.FixtureRequest) -> Iterator[Charon]:
    """An empty charon whose peer waits for TUNNEL."""
    if request.param == "fake":
        yield FakeCharon()
        return
    lab: Lab = request.getfixturevalue("lab")
    real, peer = vici(lab.gateway), vici(lab.branch)
    serve(peer, TUNNEL)
    yield real
    for one in (real, peer):
        forget_everything(one)
        one.close()


def a_load(tunnel: TunnelDocument) -> Load:
    return Load(
        tunnel=tunnel.id,
        secrets=tuple(secret_messages(tunnel)),
        connection=connection_message(tunnel),
    )


def load(charon: Charon) -> None:
    assert charon.load([a_load(TUNNEL)]) == {}


def start(charon: Charon) -> None:
    load(charon)
    for child in CHILDREN:
        charon.initiate(ike=ONE, child=child)
    assert until(lambda: carrying(charon) == CHILDREN)


def carrying(charon: Charon) -> set[str]:
    return {child.name for sa in charon.sas(ONE) for child in sa.children if child.carries}


def test_it_begins_empty_and_says_who_it_is(charon: Charon) -> None:
    assert charon.version().charon_version.startswith("5.")
    assert "vici" in charon.version().plugins
    assert (charon.connections(), charon.shared(), charon.sas()) == ((), (), ())


def test_it_lists_what_was_loaded_by_name(charon: Charon) -> None:
    load(charon)
    load(charon)
    assert charon.connections() == (ONE,)
    assert charon.shared() == (ONE,)


def test_it_loads_many_together_and_a_refused_one_stops_none(charon: Charon) -> None:
    names = [f"vpnx-{number:08d}" for number in range(300)]
    loads = [a_load(TUNNEL.model_copy(update={"id": name})) for name in names]
    bad = names[150]
    broken: Message = {bad: {"version": "2", "proposals": ["no-such-algorithm"]}}
    loads[150] = Load(tunnel=bad, secrets=loads[150].secrets, connection=broken)
    if isinstance(charon, FakeCharon):
        charon.refused.add(bad)
    refused = charon.load(loads)
    assert list(refused) == [bad]
    assert refused[bad]
    assert set(charon.connections()) == {*names} - {bad}
    assert set(charon.shared()) == set(names)


def test_a_load_forgets_between_secrets_and_connection(charon: Charon) -> None:
    load(charon)
    (message,) = secret_messages(TUNNEL)
    previous: Message = {**message, "id": f"{ONE}-previous"}
    charon.load([Load(tunnel=ONE, secrets=(previous, message))])
    assert set(charon.shared()) == {ONE, f"{ONE}-previous"}
    charon.load([Load(tunnel=ONE, secrets=(message,), forget=(f"{ONE}-previous",))])
    assert charon.shared() == (ONE,)
    assert charon.connections() == (ONE,)


def test_it_forgets_what_is_unloaded_and_does_not_mind_a_second_time(charon: Charon) -> None:
    load(charon)
    for _ in range(2):
        charon.unload_connection(ONE)
        charon.unload_shared(ONE)
        assert (charon.connections(), charon.shared()) == ((), ())


def test_loading_begins_nothing(charon: Charon) -> None:
    load(charon)
    assert charon.sas() == ()


@pytest.mark.parametrize(
    ("negotiation", "expected"),
    [
        (Negotiation.ACTIVE, ("none", "none", "clear")),
        (Negotiation.PASSIVE, ("none", "none", "clear")),
        (Negotiation.ON_TRAFFIC, ("trap", "none", "restart")),
    ],
)
def test_charon_begins_nothing_by_itself_unless_a_trap_holds_the_reqid(
    negotiation: Negotiation, expected: tuple[str, ...]
) -> None:
    message: Any = connection_message(a_tunnel(ike=an_ike(negotiation=negotiation)))
    (child,) = message[ONE]["children"].values()
    assert (child["start_action"], child["close_action"], child["dpd_action"]) == expected


def test_all_children_come_up_on_one_ike_sa(charon: Charon) -> None:
    start(charon)
    (sa,) = charon.sas()
    assert sa.established
    assert not sa.negotiates
    assert sa.unique_id > 0
    assert len(sa.children) == 2
    assert len({child.key for child in sa.children}) == 2
    assert charon.sas("vpnx-zzzzzzzz") == ()


def test_initiating_what_is_up_makes_no_second_one(charon: Charon) -> None:
    start(charon)
    before = charon.sas()[0].unique_id
    for child in CHILDREN:
        charon.initiate(ike=ONE, child=child)
    assert until(lambda: not charon.sas()[0].negotiates)
    (sa,) = charon.sas()
    assert sa.unique_id == before
    assert len(sa.children) == 2


def test_it_refuses_to_initiate_what_it_does_not_have(charon: Charon) -> None:
    load(charon)
    with pytest.raises(CharonRefused, match="not found"):
        charon.initiate(ike=ONE, child="vpnx-zzzzzzzz-00000000")
    assert charon.connections() == (ONE,)


def test_terminating_a_child_leaves_the_other(charon: Charon) -> None:
    start(charon)
    before = charon.sas()[0].unique_id
    first, second = sorted(CHILDREN)
    charon.terminate(child=first)
    assert carrying(charon) == {second}
    assert charon.sas()[0].unique_id == before


def test_terminating_is_done_when_it_returns_and_twice_is_no_error(charon: Charon) -> None:
    start(charon)
    for _ in range(2):
        charon.terminate(ike=ONE)
        assert charon.sas() == ()
    charon.terminate(child=min(CHILDREN))


def test_unloading_a_connection_leaves_its_sas(charon: Charon) -> None:
    start(charon)
    charon.unload_connection(ONE)
    assert carrying(charon) == CHILDREN


def test_other_mappings_leave_the_sas_of_those_that_stay(charon: Charon) -> None:
    start(charon)
    before = charon.sas()[0]
    fewer = TUNNEL.model_copy(update={"mappings": (FIRST,)})
    charon.load([Load(tunnel=ONE, connection=connection_message(fewer))])
    assert carrying(charon) == CHILDREN
    assert charon.sas()[0].unique_id == before.unique_id


def test_what_is_not_there_is_unreachable() -> None:
    with pytest.raises(CharonUnreachable, match=r"/no/such/socket: No such file"):
        ViciCharon("unix:///no/such/socket").version()
