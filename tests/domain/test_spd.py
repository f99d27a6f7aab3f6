from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_health_check, a_mapping, a_placed_mapping, a_rule
from tunnels.domain.addresses import Network, parse_network
from tunnels.domain.spd import (
    Conflict,
    Mapping,
    PlacedMapping,
    Quotas,
    Rule,
    check_pairs,
    conflict_findings,
    expand,
    find_conflicts,
)

IPV4_WORLD = ipaddress.ip_network("10.20.30.0/28")
IPV6_WORLD = ipaddress.ip_network("2001:db8::/124")

# The four mappings of the reference wizard's example.
EXAMPLE = (
    ("10.0.0.0/24", "192.168.0.0/24"),
    ("10.0.0.0/24", "192.168.1.0/24"),
    ("10.0.1.0/24", "192.168.2.0/24"),
    ("10.0.2.0/24", "192.168.2.0/24"),
)


def blocks_of(world: Network) -> st.SearchStrategy[Network]:
    """Any block inside a world of sixteen addresses."""
    every = [
        block
        for length in range(world.prefixlen, world.max_prefixlen + 1)
        for block in world.subnets(new_prefix=length)
    ]
    return st.sampled_from(every)


def mappings_in(world: Network) -> st.SearchStrategy[Mapping]:
    return st.builds(
        Mapping, local=blocks_of(world), remote=blocks_of(world), rule=st.integers(1, 9)
    )


any_mapping = st.one_of(mappings_in(IPV4_WORLD), mappings_in(IPV6_WORLD))


def placed(mapping: Mapping) -> PlacedMapping:
    return PlacedMapping(mapping=mapping, tunnel_id="vpnx-00000000", tunnel_name="other")


def pairs_of(mapping: Mapping) -> set[tuple[object, object]]:
    """Every (local address, remote address) that the mapping carries: the meaning of a mapping."""
    return set(itertools.product(mapping.local, mapping.remote))


def brute_force(
    new: Sequence[Mapping], existing: Sequence[Mapping]
) -> list[tuple[Mapping, Mapping]]:
    """Every conflict by comparing everything with everything, address by address."""
    sets = [pairs_of(mapping) for mapping in new]
    others = [pairs_of(mapping) for mapping in existing]
    found = []
    for index, mapping in enumerate(new):
        found += [
            (mapping, other)
            for pairs, other in zip(others, existing, strict=True)
            if pairs & sets[index]
        ]
        found += [(mapping, new[before]) for before in range(index) if sets[before] & sets[index]]
    return found


def as_pairs(conflicts: Sequence[Conflict]) -> list[tuple[Mapping, Mapping]]:
    return [(conflict.new, conflict.existing.mapping) for conflict in conflicts]


def in_any_order(pairs: Sequence[tuple[Mapping, Mapping]]) -> list[str]:
    return sorted(f"{one} {one.rule} / {other} {other.rule}" for one, other in pairs)


def test_it_refuses_a_mapping_that_encloses_an_existing_one() -> None:
    existing = a_placed_mapping("10.0.0.0/25", "192.168.1.0/24")
    new = a_mapping("10.0.0.0/16", "192.168.0.0/16")
    assert find_conflicts([new], [existing]) == [Conflict(new=new, existing=existing)]


@pytest.mark.parametrize(
    ("local", "remote"),
    [
        pytest.param("10.0.0.128/25", "192.168.1.64/26", id="enclosed"),
        pytest.param("10.0.0.0/24", "192.168.1.0/24", id="equal"),
        pytest.param("10.0.0.0/16", "192.168.1.7/32", id="wider here, narrower there"),
        pytest.param("10.0.0.9/32", "192.168.0.0/16", id="narrower here, wider there"),
        pytest.param("0.0.0.0/0", "192.168.1.0/24", id="everything here"),
        pytest.param("10.0.0.0/24", "0.0.0.0/0", id="everything there"),
    ],
)
def test_it_refuses_every_way_to_overlap_on_both_sides(local: str, remote: str) -> None:
    existing = a_placed_mapping("10.0.0.0/24", "192.168.1.0/24")
    new = a_mapping(local, remote)
    assert as_pairs(find_conflicts([new], [existing])) == [(new, existing.mapping)]


@pytest.mark.parametrize(
    ("local", "remote"),
    [
        pytest.param("10.0.0.0/16", "192.168.2.0/24", id="only here"),
        pytest.param("10.0.1.0/24", "192.168.0.0/16", id="only there"),
        pytest.param("10.0.1.0/24", "192.168.2.0/24", id="neither"),
        pytest.param("::/0", "::/0", id="the other family"),
    ],
)
def test_it_accepts_an_overlap_on_one_side(local: str, remote: str) -> None:
    existing = a_placed_mapping("10.0.0.0/24", "192.168.1.0/24")
    assert find_conflicts([a_mapping(local, remote)], [existing]) == []


def test_it_judges_the_reference_example() -> None:
    existing = [a_placed_mapping(local, remote) for local, remote in EXAMPLE]
    assert find_conflicts([entry.mapping for entry in existing]) == []

    refused = a_mapping("10.0.0.0/24", "192.168.1.0/24")
    assert find_conflicts([refused], existing) == [Conflict(new=refused, existing=existing[1])]
    assert find_conflicts([a_mapping("10.0.1.0/24", "192.168.1.0/24")], existing) == []


def test_it_says_which_pair_of_which_tunnel_is_in_the_way() -> None:
    new = a_mapping("10.0.0.0/25", "192.168.1.0/24", rule=2)
    [conflict] = find_conflicts([new], [a_placed_mapping("10.0.0.0/24", "192.168.1.0/24")])
    sentence = (
        "10.0.0.0/25 ↔ 192.168.1.0/24 overlaps 10.0.0.0/24 ↔ 192.168.1.0/24 "
        "of tunnel idc-shanghai (vpnx-1a2b3c4d), rule 1"
    )
    assert str(conflict) == sentence
    [finding] = conflict_findings([conflict])
    assert (finding.rule, finding.message) == ("spd-overlap", f"{sentence}.")
    assert (finding.field, finding.row) == ("remotes", 1)


def test_it_blames_the_later_of_two_new_mappings() -> None:
    first = a_mapping("10.0.0.0/25", "192.168.1.0/24", rule=1)
    second = a_mapping("10.0.0.0/16", "192.168.0.0/16", rule=2)
    [conflict] = find_conflicts([first, second])
    assert (conflict.new, conflict.existing.mapping) == (second, first)
    assert str(conflict).endswith("of this tunnel, rule 1")


def test_it_names_a_health_check_in_the_way() -> None:
    existing = a_placed_mapping("169.254.128.2/32", "169.254.128.3/32", rule=None)
    new = a_mapping("169.254.128.2/32", "169.254.128.3/32", rule=None)
    [conflict] = find_conflicts([new], [existing])
    assert str(conflict).endswith("(vpnx-1a2b3c4d), its health check")
    [finding] = conflict_findings([conflict])
    assert (finding.field, finding.row) == ("health_local", None)


def test_it_does_not_report_what_is_wrong_between_existing_mappings() -> None:
    existing = [a_placed_mapping("10.0.0.0/24", "192.168.1.0/24")] * 2
    assert find_conflicts([a_mapping("10.9.0.0/24", "192.168.9.0/24")], existing) == []


@given(
    new=st.lists(any_mapping, max_size=6),
    existing=st.lists(any_mapping, max_size=6),
)
def test_it_finds_exactly_what_comparing_every_address_finds(
    new: list[Mapping], existing: list[Mapping]
) -> None:
    found = as_pairs(find_conflicts(new, [placed(mapping) for mapping in existing]))
    assert in_any_order(found) == in_any_order(brute_force(new, existing))


wide_blocks = st.one_of(
    st.builds(
        lambda number, length: ipaddress.IPv4Network((number, length), strict=False),
        st.integers(0x0A000000, 0x0A0FFFFF),
        st.integers(0, 32),
    ),
    st.builds(
        lambda number, length: ipaddress.IPv6Network((number, length), strict=False),
        st.integers(0xFC << 120, (0xFC << 120) + 2**20),
        st.integers(0, 128),
    ),
)


@given(
    new=st.lists(st.builds(Mapping, local=wide_blocks, remote=wide_blocks), max_size=12),
    existing=st.lists(st.builds(Mapping, local=wide_blocks, remote=wide_blocks), max_size=12),
)
def test_it_finds_exactly_what_comparing_every_pair_finds(
    new: list[Mapping], existing: list[Mapping]
) -> None:
    expected = [
        (mapping, other) for mapping in new for other in existing if mapping.overlaps(other)
    ]
    expected += [
        (mapping, new[before])
        for index, mapping in enumerate(new)
        for before in range(index)
        if mapping.overlaps(new[before])
    ]
    found = as_pairs(find_conflicts(new, [placed(mapping) for mapping in existing]))
    assert in_any_order(found) == in_any_order(expected)


@given(one=any_mapping, other=any_mapping)
def test_it_gives_the_same_verdict_both_ways_round(one: Mapping, other: Mapping) -> None:
    there = find_conflicts([one], [placed(other)])
    back = find_conflicts([other], [placed(one)])
    assert len(there) == len(back) == one.overlaps(other) == bool(pairs_of(one) & pairs_of(other))


@given(new=any_mapping, existing=any_mapping, side=st.sampled_from(["local", "remote"]))
def test_it_gives_the_same_verdict_when_a_range_is_halved(
    new: Mapping, existing: Mapping, side: str
) -> None:
    whole = new.local if side == "local" else new.remote
    halves = whole.subnets() if whole.prefixlen < whole.max_prefixlen else iter([whole])
    parts = [
        Mapping(
            local=half if side == "local" else new.local,
            remote=half if side == "remote" else new.remote,
        )
        for half in halves
    ]
    conflicts = find_conflicts(parts, [placed(existing)])
    assert bool(conflicts) == bool(find_conflicts([new], [placed(existing)]))


@given(outer=any_mapping, inner=any_mapping)
def test_it_covers_what_it_carries(outer: Mapping, inner: Mapping) -> None:
    assert outer.covers(inner) == (pairs_of(inner) <= pairs_of(outer))


def test_it_expands_rules_into_mappings_in_order() -> None:
    rules = [
        a_rule("10.0.0.0/24", "192.168.1.0/24", "192.168.0.0/24"),
        a_rule("10.0.1.0/24", "192.168.2.0/24"),
    ]
    assert expand(rules) == (
        a_mapping("10.0.0.0/24", "192.168.1.0/24", rule=1),
        a_mapping("10.0.0.0/24", "192.168.0.0/24", rule=1),
        a_mapping("10.0.1.0/24", "192.168.2.0/24", rule=2),
    )


def test_it_adds_the_health_pair_when_no_rule_covers_it() -> None:
    rules = [a_rule("10.0.0.0/24", "192.168.1.0/24")]
    assert expand(rules, a_health_check()) == (
        a_mapping("10.0.0.0/24", "192.168.1.0/24", rule=1),
        a_mapping("169.254.128.2/32", "169.254.128.3/32", rule=None),
    )
    both_inside = a_health_check("10.0.0.5", "192.168.1.5")
    assert expand(rules, both_inside) == (a_mapping("10.0.0.0/24", "192.168.1.0/24", rule=1),)
    one_inside = a_health_check("10.0.0.5", "192.168.2.5")
    assert expand(rules, one_inside)[-1] == a_mapping("10.0.0.5/32", "192.168.2.5/32", rule=None)


def test_it_adds_an_ipv6_health_pair() -> None:
    rules = [a_rule("::/0", "2001:db8:1::/48"), a_rule("0.0.0.0/0", "192.168.1.0/24")]
    health = a_health_check("fd00::1", "fd00::2")
    assert expand(rules, health)[2:] == (a_mapping("fd00::1/128", "fd00::2/128", rule=None),)


VPC = (parse_network("10.0.0.0/16"), parse_network("10.8.0.0/16"))


@pytest.mark.parametrize(
    ("rules", "expected", "message"),
    [
        pytest.param([], ("spd-empty", "rules", None), "Add at least one SPD rule.", id="no rule"),
        pytest.param(
            [a_rule("10.0.0.0/24")],
            ("spd-no-remote", "remotes", 0),
            "Enter at least one customer range, one a line.",
            id="no remote",
        ),
        pytest.param(
            [a_rule("10.0.0.0/24", "192.168.0.0/24"), a_rule("10.9.0.0/24", "192.168.1.0/24")],
            ("spd-outside-vpc", "local", 1),
            "10.9.0.0/24 is outside the VPC (10.0.0.0/16, 10.8.0.0/16); choose a range inside it.",
            id="outside the VPC",
        ),
        pytest.param(
            [a_rule("10.0.0.0/8", "192.168.0.0/24")],
            ("spd-outside-vpc", "local", 0),
            "10.0.0.0/8 is outside the VPC (10.0.0.0/16, 10.8.0.0/16); choose a range inside it.",
            id="wider than the VPC",
        ),
        pytest.param(
            [a_rule("10.0.0.0/24", "2001:db8::/48")],
            ("spd-family", "remotes", 0),
            "10.0.0.0/24 and 2001:db8::/48 mix IPv4 and IPv6; a pair needs one family.",
            id="mixed families",
        ),
        pytest.param(
            [a_rule("10.0.0.0/24", "10.0.0.0/25")],
            ("spd-sides-overlap", "remotes", 0),
            "10.0.0.0/25 overlaps the local range 10.0.0.0/24; the two sides must be apart.",
            id="sides overlap",
        ),
    ],
)
def test_it_names_what_is_wrong_with_the_rules(
    rules: list[Rule], expected: tuple[str, str, int | None], message: str
) -> None:
    [finding] = check_pairs(rules, vpc=VPC, quotas=Quotas())
    assert (finding.rule, finding.field, finding.row) == expected
    assert finding.message == message


def test_it_lets_one_side_and_not_both_be_everything() -> None:
    assert check_pairs([a_rule("10.0.0.0/24", "0.0.0.0/0")], vpc=VPC, quotas=Quotas()) == []
    assert check_pairs([a_rule("::/0", "2001:db8::/48")], vpc=(), quotas=Quotas()) == []
    [finding] = check_pairs([a_rule("0.0.0.0/0", "0.0.0.0/0")], vpc=(), quotas=Quotas())
    assert finding.rule == "spd-sides-overlap"


def test_it_leaves_a_ccn_gateway_free_in_its_local_ranges() -> None:
    assert check_pairs([a_rule("172.16.0.0/12", "192.168.0.0/24")], vpc=(), quotas=Quotas()) == []


def test_it_counts_rules_and_remotes() -> None:
    quotas = Quotas(rules_per_tunnel=2, remotes_per_rule=2)
    remotes = ["192.168.0.0/24", "192.168.1.0/24", "192.168.2.0/24"]
    fits = [a_rule("10.0.0.0/24", *remotes[:2]), a_rule("10.0.1.0/24", *remotes[:2])]
    assert check_pairs(fits, vpc=(), quotas=quotas) == []

    rules = [*fits, a_rule("10.0.2.0/24", *remotes)]
    found = {finding.rule: finding.message for finding in check_pairs(rules, vpc=(), quotas=quotas)}
    assert found == {
        "spd-too-many-rules": "A tunnel has at most 2 SPD rules; these are 3.",
        "spd-too-many-remotes": "A rule has at most 2 customer ranges; these are 3.",
    }
