from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_health_check
from tunnels.domain.addresses import Address, Network, parse_address, parse_network
from tunnels.domain.findings import RuleError
from tunnels.domain.health import AUTO_RANGE, HealthCheck, assign_pair, check_health

VPC = [parse_network("10.0.0.0/16"), parse_network("fd10::/32")]
LOCALS = [parse_network("10.0.0.0/24"), parse_network("172.16.1.0/24")]
REMOTES = [parse_network("192.168.1.0/24")]


def found(health: HealthCheck, **over: Any) -> list[tuple[str, str]]:
    ranges: dict[str, list[Network]] = {"vpc": VPC, "locals_": LOCALS, "remotes": REMOTES, **over}
    return [(finding.rule, finding.field) for finding in check_health(health, **ranges)]


@pytest.mark.parametrize(
    ("local", "remote"),
    [
        ("169.254.128.2", "169.254.128.3"),
        ("169.254.255.254", "169.254.255.253"),
        ("100.64.0.1", "192.168.1.7"),
        ("172.16.1.5", "192.168.2.5"),
        ("fd00::1", "fd00::2"),
    ],
)
def test_it_accepts_usable_addresses(local: str, remote: str) -> None:
    assert found(a_health_check(local, remote)) == []


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3",  # noqa: S104 - nothing is bound here
        "127.0.0.1", "224.0.0.1", "239.255.255.255", "255.255.255.255",
        "169.254.1.1", "169.254.127.255", "::", "::1", "ff02::1", "fe80::1", "::ffff:10.1.1.1",
    ],
)  # fmt: skip
def test_it_refuses_unusable_addresses_on_either_side(address: str) -> None:
    partner = "fd00::9" if ":" in address else "100.64.0.9"
    assert found(a_health_check(address, partner)) == [("health-address-unusable", "health_local")]
    assert found(a_health_check(partner, address)) == [("health-address-unusable", "health_remote")]


def test_it_refuses_two_families_and_twice_the_same_address() -> None:
    assert found(a_health_check("fd00::1", "100.64.0.1")) == [("health-family", "health_remote")]
    assert found(a_health_check("100.64.0.1", "100.64.0.1")) == [("health-equal", "health_remote")]


def test_it_keeps_each_address_on_its_own_side() -> None:
    inside_vpc = a_health_check("10.0.9.1", "100.64.0.1")
    assert found(inside_vpc) == [("health-inside-vpc", "health_local")]
    at_theirs = a_health_check("192.168.1.9", "100.64.0.1")
    assert found(at_theirs) == [("health-wrong-side", "health_local")]
    for remote in ("172.16.1.9", "10.0.200.1"):
        at_ours = a_health_check("100.64.0.1", remote)
        assert found(at_ours) == [("health-wrong-side", "health_remote")]


def test_it_takes_everything_else_for_no_side() -> None:
    everything = [parse_network("0.0.0.0/0")]
    health = a_health_check()
    assert found(health, remotes=everything) == []
    assert found(health, locals_=everything, vpc=[]) == []


def test_it_says_where_an_address_lies() -> None:
    health = a_health_check("10.0.9.1", "100.64.0.1")
    [finding] = check_health(health, vpc=VPC, locals_=LOCALS, remotes=REMOTES)
    assert finding.message == (
        "10.0.9.1 lies in the VPC's range 10.0.0.0/16; use an address outside the VPC."
    )


@pytest.mark.parametrize(
    ("field", "low", "high", "label"),
    [
        ("interval_ms", 1_000, 5_000, "interval in ms"),
        ("threshold", 3, 8, "number of lost probes"),
        ("timeout_ms", 10, 5_000, "timeout in ms"),
    ],
)
def test_it_bounds_the_probe(field: str, low: int, high: int, label: str) -> None:
    def probing(value: int) -> HealthCheck:
        over: dict[str, Any] = {field: value}
        return a_health_check(**over)

    assert found(probing(low)) == found(probing(high)) == []
    for value in (low - 1, high + 1):
        [finding] = check_health(probing(value), vpc=VPC, locals_=LOCALS, remotes=REMOTES)
        assert (finding.rule, finding.field) == ("out-of-range", f"health_{field}")
        assert finding.message == f"The {label} must be {low} to {high}."


@given(st.sets(st.integers(0, 40).map(lambda offset: AUTO_RANGE[offset]), max_size=30))
def test_it_hands_out_a_free_valid_pair(used: set[Address]) -> None:
    local, remote = assign_pair(used)
    assert not {local, remote} & used
    assert int(remote) == int(local) + 1
    assert found(HealthCheck(local=local, remote=remote)) == []
    # It is the first one: every pair before it has somebody.
    for number in range(int(AUTO_RANGE[2]), int(local), 2):
        assert {
            parse_address(str(AUTO_RANGE[number - int(AUTO_RANGE[0]) + step])) for step in (0, 1)
        } & used


def test_it_ignores_addresses_outside_its_range() -> None:
    first = assign_pair([])
    assert first == (parse_address("169.254.128.2"), parse_address("169.254.128.3"))
    assert assign_pair([parse_address("10.0.0.1"), parse_address("fd00::1")]) == first


def test_it_says_so_when_every_pair_is_taken() -> None:
    odd = [address for address in AUTO_RANGE if int(address) % 2]
    assert assign_pair(odd[:-2]) == (AUTO_RANGE[32764], AUTO_RANGE[32765])
    with pytest.raises(RuleError) as caught:
        assign_pair(odd)
    [finding] = caught.value.findings
    assert (finding.rule, finding.field) == ("health-exhausted", "health_local")
