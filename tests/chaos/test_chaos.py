"""A short run of what `make chaos` does at length, and that its looks see what is wrong."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.chaos.campaign import Campaign, Victim
from tests.chaos.ledger import Key, compare, lines_of
from tests.chaos.looks import Generation, disturbed, generations, pings, problems
from tests.chaos.rig import Rig, until

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

CHARON = b"""\
2026-11-23T15:36:02.292 09[CFG2] vici client 3 requests: list-sas
2026-11-23T15:36:02.292 09[IKE1] <vpnx-1a2b3c4d|6> CHILD_SA established
2026-11-23T15:36:02.300 10[CFG2] <7> looking for an IKE config
2026-11-23T15:36:02.300 10[IKE3] <vpnx-1a2b3c4d|6> bytes
2026-11-23T15:36:02.301 10[IKE1] <hand|8> somebody else's
2026-11-23T15:36:02.302 11[CFG2] vici initiate CHILD_SA 'vpnx-1a2b3c4d-00000000'
2026-11-23T15:36:02.302 11[DMN1] <9> said twice
2026-11-23T15:36:02.302 11[DMN1] <9> said twice
2026-11-23T15:36:02.400 11[DMN1] cut sho"""
KEPT = [line.key for line in lines_of(CHARON) if line.must]


def rows(*keys: Key, first: int = 1) -> list[list[Any]]:
    """As the console keeps them: epoch and cursor before each."""
    return [[1, number, *key] for number, key in enumerate(keys, start=first)]


def test_it_recovers_from_each_kill(rig: Rig) -> None:
    said: list[str] = []
    campaign = Campaign(rig, seed=random.randrange(1_000_000))  # noqa: S311 - it is printed
    well = campaign.run(len(Victim), say=said.append)
    assert well, "\n".join([*said, campaign.summary])
    assert f"{len(Victim)}/{len(Victim)} cycles" in campaign.summary
    assert " 0 lost, 0 doubled, 0 orphans" in campaign.summary


def test_every_mapping_carries_again_after_the_customer_died(rig: Rig) -> None:
    """Several CHILD_SAs at once: what is installed at both ends need not carry."""
    before = generations(rig)
    rig.lab.branch.kill_charon()
    assert Campaign(rig, seed=0).rest() == []
    assert until(lambda: not pings(rig))
    touched = {tunnel.id for tunnel in rig.tunnels.values() if tunnel.side == "branch"}
    assert list(disturbed(before, generations(rig), spared=frozenset(before) - touched)) == []
    assert len(list(disturbed(before, generations(rig), spared=frozenset(touched)))) == len(touched)


def test_it_sees_an_orphan_a_missing_sa_and_a_disturbance(rig: Rig) -> None:
    tunnel = next(tunnel for tunnel in rig.tunnels.values() if tunnel.name == "other")
    before = generations(rig)
    office = rig.vici(rig.lab.sides["office"])
    office.terminate(ike=tunnel.id)
    assert any("office: missing IKE_SA" in problem for problem in problems(rig, since=0))
    assert until(lambda: not problems(rig, since=0))
    spared = frozenset({tunnel.id})
    assert list(disturbed(before, generations(rig), spared=spared)) == [
        f"{tunnel.id}: another IKE_SA"
    ]
    rig.vici(rig.lab.gateway).load_shared(
        {"id": "left-over", "type": "IKE", "data": b"of-nobody", "owners": ["nobody.example"]}
    )
    assert "gateway: orphan secret left-over" in problems(rig, since=0)
    rig.vici(rig.lab.gateway).unload_shared("left-over")


def test_it_sees_another_child_sa_of_the_same_tunnel() -> None:
    before = {"a": Generation(1, {"one": "1-a", "two": "2-b"})}
    after = {"a": Generation(1, {"one": "1-a", "two": "3-c"})}
    assert list(disturbed(before, after, spared=frozenset("a"))) == ["a: another CHILD_SA two"]
    fewer = {"a": Generation(1, {"one": "1-a"})}
    assert list(disturbed(before, fewer, spared=frozenset("a"))) == []


def test_it_knows_which_lines_must_be_kept() -> None:
    assert [key[3] for key in KEPT] == [
        "CHILD_SA established",
        "vici initiate CHILD_SA 'vpnx-1a2b3c4d-00000000'",
        "said twice",
        "said twice",
    ]
    assert [line.key[3] for line in lines_of(CHARON) if not line.must] == [
        "vici client 3 requests: list-sas",
        "looking for an IKE config",
    ]


def test_it_counts_each_line_once() -> None:
    written = lines_of(CHARON)
    whole = compare(written, rows(*KEPT), due=len(written))
    assert (whole.missing, whole.lost, whole.strange) == (0, 0, 0)
    late = compare(written, rows(*KEPT[:3]), due=len(written))
    assert (late.missing, late.lost, late.strange) == (1, 0, 0)
    gap = compare(written, rows(KEPT[0], *KEPT[2:]), due=len(written))
    assert (gap.missing, gap.lost, gap.strange) == (0, 1, 0)
    again = compare(written, rows(*KEPT, KEPT[-1]), due=len(written))
    assert (again.missing, again.lost, again.strange) == (0, 0, 1)
    jump = compare(written, rows(*KEPT, first=6), due=len(written))
    assert (jump.missing, jump.lost, jump.strange) == (0, 0, 1)
