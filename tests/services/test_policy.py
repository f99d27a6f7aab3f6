"""Every rule of the policy through the service, with the sentence that people read."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from pytest_django import Settings

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.domain.health import AUTO_RANGE
from tunnels.domain.proposals import IkeSettings
from tunnels.models import Mapping, Tunnel, VpnGateway
from tunnels.services.editing import update_basics, update_policy
from tunnels.services.policy import HealthRequest

pytestmark = pytest.mark.django_db


def refused(*texts: str, **values: Any) -> list[tuple[str, int | None, str]]:
    """The findings of a tunnel that must not come to be: field, row, sentence."""
    before = Tunnel.objects.count()
    with pytest.raises(RuleError) as error:
        make.a_tunnel(*texts, **values)
    assert Tunnel.objects.count() == before
    return [(found.field, found.row, found.message) for found in error.value.findings]


def a_ccn_gateway() -> VpnGateway:
    return make.a_vpn_gateway(ccn=make.a_ccn())


def pairs(tunnel: Tunnel) -> list[str]:
    return [str(mapping) for mapping in Mapping.objects.filter(tunnel=tunnel)]


def test_it_keeps_local_ranges_inside_the_vpc() -> None:
    assert refused("10.1.0.0/24 192.168.0.0/24") == [
        (
            "local",
            0,
            "10.1.0.0/24 is outside the VPC (10.0.0.0/16, 2001:db8:a::/48); choose a range inside it.",
        )
    ]
    assert refused("10.0.0.0/15 192.168.0.0/24")[0][:2] == ("local", 0)
    assert refused("10.0.0.0/24 192.168.0.0/24", "2001:db8:b::/64 2001:db8:f::/64")[0][:2] == (
        "local",
        1,
    )
    make.a_tunnel("10.0.0.0/16 192.168.0.0/24", "2001:db8:a::/48 2001:db8:f::/48")


def test_it_leaves_local_ranges_of_a_ccn_free() -> None:
    make.a_tunnel("172.20.0.0/16 192.168.0.0/24", vpn_gateway=a_ccn_gateway())


def test_it_keeps_the_families_of_a_pair_together() -> None:
    assert refused("10.0.0.0/24 2001:db8:f::/64") == [
        (
            "remotes",
            0,
            "10.0.0.0/24 and 2001:db8:f::/64 mix IPv4 and IPv6; a pair needs one family.",
        )
    ]


def test_it_keeps_the_two_sides_of_a_pair_apart() -> None:
    assert refused("10.0.0.0/24 10.0.0.128/25") == [
        (
            "remotes",
            0,
            "10.0.0.128/25 overlaps the local range 10.0.0.0/24; the two sides must be apart.",
        )
    ]
    assert refused("0.0.0.0/0 0.0.0.0/0", vpn_gateway=a_ccn_gateway())[0][0] == "remotes"
    make.a_tunnel("10.0.0.0/24 0.0.0.0/0")


def test_it_wants_a_rule_and_a_remote() -> None:
    tunnel = make.a_tunnel()
    with pytest.raises(RuleError, match="Add at least one SPD rule"):
        update_policy(actor=make.SYSTEM, tunnel=tunnel, rules=[])
    assert refused("10.0.0.0/24") == [
        ("remotes", 0, "Enter at least one customer range, one a line.")
    ]


def test_it_allows_ten_rules_a_tunnel() -> None:
    eleven = [f"10.0.{n}.0/24 192.168.{n}.0/24" for n in range(11)]
    assert refused(*eleven) == [("rules", None, "A tunnel has at most 10 SPD rules; these are 11.")]
    make.a_tunnel(*eleven[:10])


def test_it_allows_fifty_remotes_a_rule() -> None:
    remotes = [f"192.168.{n}.0/24" for n in range(51)]
    assert refused(" ".join(["10.0.0.0/24", *remotes])) == [
        ("remotes", 0, "A rule has at most 50 customer ranges; these are 51.")
    ]
    make.a_tunnel(" ".join(["10.0.0.0/24", *remotes[:50]]))


def test_it_allows_two_hundred_mappings_a_gateway() -> None:
    gateway = make.a_vpn_gateway()
    for number in range(4):
        remotes = [f"172.{16 + number}.{n}.0/24" for n in range(50)]
        make.a_tunnel(
            " ".join([f"10.0.{number}.0/24", *remotes]), name=f"t{number}", vpn_gateway=gateway
        )
    assert refused("10.0.9.0/24 192.168.0.0/24", vpn_gateway=gateway) == [
        (
            "rules",
            None,
            "The gateway would carry 201 mappings; at most 200 are allowed. Merge ranges, or use another gateway.",
        )
    ]
    make.a_tunnel("10.0.9.0/24 192.168.0.0/24")


def test_it_allows_twenty_tunnels_a_gateway() -> None:
    gateway = make.a_vpn_gateway()
    for number in range(20):
        make.a_tunnel(f"10.0.{number}.0/24 192.168.0.0/24", name=f"t{number}", vpn_gateway=gateway)
    assert refused("10.0.99.0/24 192.168.0.0/24", vpn_gateway=gateway) == [
        (
            "vpn_gateway",
            None,
            "frankfurt-1 already has 20 tunnels, the most allowed; use another gateway.",
        )
    ]


def test_an_operator_may_raise_the_limits(settings: Settings) -> None:
    settings.VPNCONSOLE = settings.VPNCONSOLE.model_copy(update={"max_rules_per_tunnel": 11})
    make.a_tunnel(*[f"10.0.{n}.0/24 192.168.{n}.0/24" for n in range(11)])


def test_it_joins_two_gateways_once() -> None:
    tunnel = make.a_tunnel()
    found = refused(
        "10.0.9.0/24 192.168.9.0/24",
        vpn_gateway=tunnel.vpn_gateway,
        customer_gateway=tunnel.customer_gateway,
    )
    assert found == [
        (
            "customer_gateway",
            None,
            f"Tunnel {tunnel} already joins these two gateways; edit that one.",
        )
    ]
    make.a_tunnel("10.0.9.0/24 192.168.9.0/24", customer_gateway=tunnel.customer_gateway)


def test_it_gives_a_peer_one_key() -> None:
    ike = IkeSettings(local_fqdn="vpn.example.net", remote_fqdn="Edge.example.com")
    tunnel = make.a_tunnel(ike=ike)
    again = IkeSettings(
        local_fqdn="another-name-of-ours.example.net", remote_fqdn="edge.example.com"
    )
    found = refused("10.0.9.0/24 192.168.9.0/24", vpn_gateway=tunnel.vpn_gateway, ike=again)
    assert [(field, row) for field, row, _ in found] == [("remote_fqdn", None)]
    assert found[0][2].startswith(
        f"Tunnel {tunnel} already uses the customer identifier edge.example.com"
    )
    other = IkeSettings(local_fqdn="vpn.example.net", remote_fqdn="other.example.com")
    make.a_tunnel("10.0.9.0/24 192.168.9.0/24", vpn_gateway=tunnel.vpn_gateway, ike=other)
    make.a_tunnel(ike=again)


@pytest.mark.parametrize(
    ("existing", "added"),
    [
        ("10.0.0.0/24 192.168.1.0/24", "10.0.0.0/24 192.168.1.0/24"),
        ("10.0.0.0/24 192.168.1.0/24", "10.0.0.0/25 192.168.0.0/16"),
        ("10.0.0.0/24 192.168.1.0/24", "10.0.0.0/20 192.168.1.7/32"),
        ("2001:db8:a::/64 2001:db8:f::/64", "2001:db8:a::/56 2001:db8:f::5/128"),
    ],
)
def test_it_names_the_tunnel_that_has_the_mapping(existing: str, added: str) -> None:
    tunnel = make.a_tunnel("10.0.99.0/24 172.16.0.0/24", existing)
    mine, theirs = added.replace(" ", " ↔ "), existing.replace(" ", " ↔ ")
    assert refused(added, vpn_gateway=tunnel.vpn_gateway) == [
        ("remotes", 0, f"{mine} overlaps {theirs} of tunnel {tunnel}, rule 2.")
    ]
    make.a_tunnel(added)


def test_it_finds_overlaps_inside_one_request() -> None:
    found = refused("10.0.0.0/24 192.168.0.0/24", "10.0.0.0/25 192.168.0.0/16")
    assert found == [
        (
            "remotes",
            1,
            "10.0.0.0/25 ↔ 192.168.0.0/16 overlaps 10.0.0.0/24 ↔ 192.168.0.0/24 of this tunnel, rule 1.",
        )
    ]


def test_a_tunnel_does_not_stand_in_its_own_way() -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    update_policy(actor=make.SYSTEM, tunnel=tunnel, rules=make.rules("10.0.0.0/25 192.168.0.0/16"))
    assert pairs(tunnel) == ["10.0.0.0/25 ↔ 192.168.0.0/16"]


def test_it_assigns_probe_addresses_that_the_gateway_has_once() -> None:
    first = make.a_tunnel(health=HealthRequest())
    second = make.a_tunnel(
        "10.0.9.0/24 192.168.9.0/24",
        name="b",
        vpn_gateway=first.vpn_gateway,
        health=HealthRequest(),
    )
    used = [first.health_local, first.health_remote, second.health_local, second.health_remote]
    assert len(set(used)) == 4
    assert all(address in AUTO_RANGE for address in used)
    assert pairs(first)[-1] == f"{first.health_local}/32 ↔ {first.health_remote}/32"
    assert Mapping.objects.get(tunnel=first, rule=None)


def test_it_probes_through_a_rule_that_covers_the_pair() -> None:
    probe = HealthRequest(local=ip_address("172.20.0.1"), remote=ip_address("192.168.0.1"))
    tunnel = make.a_tunnel(
        "172.20.0.0/24 192.168.0.0/24", vpn_gateway=a_ccn_gateway(), health=probe
    )
    assert pairs(tunnel) == ["172.20.0.0/24 ↔ 192.168.0.0/24"]


@pytest.mark.parametrize(
    ("local", "remote", "field", "sentence"),
    [
        ("10.0.5.5", "192.168.0.1", "health_local", "lies in the VPC's range 10.0.0.0/16"),
        ("192.168.0.7", "172.16.0.1", "health_local", "lies in the customer range"),
        ("172.16.0.1", "10.0.0.9", "health_remote", "lies in our own range"),
        ("169.254.0.1", "192.168.0.1", "health_local", "only 169.254.128.0/17 may be used"),
        ("172.16.0.1", "224.0.0.1", "health_remote", "multicast"),
        ("172.16.0.1", "0.0.0.0", "health_remote", "unspecified"),  # noqa: S104 (an address to refuse)
        ("172.16.0.1", "127.0.0.1", "health_remote", "loopback"),
        ("172.16.0.1", "172.16.0.1", "health_remote", "must differ"),
        ("172.16.0.1", "2001:db8:f::1", "health_remote", "both IPv6"),
        ("2001:db8:a::1", "2001:db8:f::1", "health_local", "lies in the VPC's range"),
        ("fe80::1", "2001:db8:f::1", "health_local", "link-local"),
    ],
)
def test_it_refuses_probe_addresses(local: str, remote: str, field: str, sentence: str) -> None:
    probe = HealthRequest(local=ip_address(local), remote=ip_address(remote))
    found = refused("10.0.0.0/24 192.168.0.0/24", health=probe)
    assert any(place == field and sentence in message for place, _, message in found), found


def test_it_refuses_probe_addresses_of_another_tunnel() -> None:
    probe = HealthRequest(local=ip_address("172.16.0.1"), remote=ip_address("172.17.0.1"))
    first = make.a_tunnel(health=probe)
    for local, remote, field, taken in (
        ("172.16.0.1", "172.17.0.9", "health_local", "172.16.0.1"),
        ("172.16.0.9", "172.17.0.1", "health_remote", "172.17.0.1"),
    ):
        again = HealthRequest(local=ip_address(local), remote=ip_address(remote))
        found = refused("10.0.9.0/24 192.168.9.0/24", vpn_gateway=first.vpn_gateway, health=again)
        sentence = (
            f"{taken} is used by another tunnel's health check on this gateway; choose another."
        )
        assert (field, None, sentence) in found
    make.a_tunnel(health=probe)


def test_the_probe_of_one_tunnel_may_not_fall_into_another() -> None:
    gateway = a_ccn_gateway()
    tunnel = make.a_tunnel("172.16.0.0/24 192.168.0.0/24", vpn_gateway=gateway)
    probe = HealthRequest(local=ip_address("172.16.0.1"), remote=ip_address("192.168.0.1"))
    found = refused("10.0.9.0/24 192.168.9.0/24", vpn_gateway=gateway, health=probe)
    assert found == [
        (
            "health_local",
            None,
            (
                "172.16.0.1/32 ↔ 192.168.0.1/32 overlaps 172.16.0.0/24 ↔ 192.168.0.0/24 "
                f"of tunnel {tunnel}, rule 1."
            ),
        )
    ]


def test_a_probe_that_is_switched_off_frees_its_mapping() -> None:
    tunnel = make.a_tunnel(health=HealthRequest())
    update_basics(actor=make.SYSTEM, tunnel=tunnel, name=tunnel.name, health=None, tags={})
    assert pairs(tunnel) == ["10.0.0.0/24 ↔ 192.168.0.0/24"]


def test_ipv6_works_from_end_to_end() -> None:
    probe = HealthRequest(local=ip_address("fd00::1"), remote=ip_address("fd00:1::1"))
    tunnel = make.a_tunnel("2001:db8:a:1::/64 2001:db8:f::/48 fd12::/16", health=probe)
    assert pairs(tunnel) == [
        "2001:db8:a:1::/64 ↔ 2001:db8:f::/48",
        "2001:db8:a:1::/64 ↔ fd12::/16",
        "fd00::1/128 ↔ fd00:1::1/128",
    ]


def test_it_joins_gateways_of_one_family() -> None:
    customer = make.a_customer_gateway()
    customer.public_ip = "2001:db8:ffff::20"
    customer.save()
    customer.refresh_from_db()
    with pytest.raises(RuleError, match="both must be IPv4, or both IPv6"):
        make.a_tunnel(customer_gateway=customer)
