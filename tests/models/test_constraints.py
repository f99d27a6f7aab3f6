"""The constraints themselves, past every service: what the database refuses, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.models import Mapping, SpdRule, Tunnel, Vpc, VpnGateway
from tunnels.services.constraints import constraint_sentences

pytestmark = pytest.mark.django_db


def refusal(query: str, *values: Any) -> str:
    """The sentence with which the database refuses the statement; "" when it does not."""
    try:
        with constraint_sentences(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(query, values)
    except RuleError as error:
        return str(error)
    return ""


def insert_mapping(tunnel: Tunnel, local: str, remote: str) -> str:
    return refusal(
        "INSERT INTO tunnels_mapping (vpn_gateway_id, tunnel_id, rule_id, local_cidr, remote_cidr) "
        "VALUES (%s, %s, %s, %s, %s)",
        tunnel.vpn_gateway_id,
        tunnel.pk,
        SpdRule.objects.filter(tunnel=tunnel).values_list("pk", flat=True)[0],
        local,
        remote,
    )


OVERLAPS = "This mapping overlaps another mapping of the same VPN gateway."


@pytest.mark.parametrize(
    ("local", "remote", "sentence"),
    [
        ("10.0.0.0/24", "192.168.0.0/24", OVERLAPS),  # equal
        ("10.0.0.128/25", "192.168.0.64/26", OVERLAPS),  # enclosed
        ("10.0.0.0/8", "192.168.0.0/16", OVERLAPS),  # enclosing
        ("10.0.0.0/25", "192.168.0.0/16", OVERLAPS),  # one of each
        ("0.0.0.0/0", "0.0.0.0/0", OVERLAPS),
        ("10.0.1.0/24", "192.168.0.0/24", ""),  # beside it on our side
        ("10.0.0.0/24", "192.168.1.0/24", ""),  # beside it on their side
        ("2001:db8:a::/64", "2001:db8:f::/64", OVERLAPS),
        ("2001:db8:a::/48", "2001:db8:f::1/128", OVERLAPS),
        ("2001:db8:a:1::/64", "2001:db8:f::/64", ""),
        ("::/0", "::/0", OVERLAPS),
    ],
)
def test_it_refuses_overlapping_mappings_of_a_gateway(
    local: str, remote: str, sentence: str
) -> None:
    tunnel = make.a_tunnel("10.0.0.0/24 192.168.0.0/24", "2001:db8:a::/64 2001:db8:f::/64")
    other = make.a_tunnel("10.0.9.0/24 192.168.9.0/24", name="b", vpn_gateway=tunnel.vpn_gateway)
    assert insert_mapping(other, local, remote) == sentence
    elsewhere = make.a_tunnel(name="c")
    Mapping.objects.filter(tunnel=elsewhere).delete()
    assert insert_mapping(elsewhere, local, remote) == ""


def test_it_keeps_a_pair_of_default_routes_of_both_families_apart() -> None:
    ccn = make.a_vpn_gateway(ccn=make.a_ccn())
    tunnel = make.a_tunnel("10.0.0.0/24 0.0.0.0/0", vpn_gateway=ccn)
    assert insert_mapping(tunnel, "2001:db8::/32", "::/0") == ""
    assert insert_mapping(tunnel, "10.0.0.7/32", "8.8.8.8/32") == OVERLAPS


@pytest.mark.parametrize(
    ("assignments", "accepted"),
    [
        ("type = 'CCN'", False),
        ("vpc_id = NULL", False),
        ("ccn_id = %(ccn)s", False),
        ("type = 'CCN', vpc_id = NULL", False),
        ("type = 'CCN', ccn_id = %(ccn)s", False),
        ("type = 'CCN', vpc_id = NULL, ccn_id = %(ccn)s", True),
        ("type = 'SSL'", False),
    ],
)
def test_it_ties_the_type_of_a_gateway_to_its_network(assignments: str, accepted: bool) -> None:
    gateway, ccn = make.a_vpn_gateway(), make.a_ccn()
    query = f"UPDATE tunnels_vpngateway SET {assignments} WHERE id = {gateway.pk}"  # noqa: S608
    said = refusal(query.replace("%(ccn)s", str(ccn.pk)))
    sentence = "A VPC gateway has a VPC and no CCN; a CCN gateway has a CCN and no VPC."
    assert said == ("" if accepted else sentence)


def test_it_wants_a_block_in_every_vpc() -> None:
    vpc = make.a_vpc()
    said = refusal("UPDATE tunnels_vpc SET cidrs = '{}' WHERE id = %s", vpc.pk)
    assert said == "A VPC needs at least one CIDR block."
    assert Vpc.objects.get().cidrs


def test_it_allows_one_tunnel_a_pair_of_gateways() -> None:
    one = make.a_tunnel()
    other = make.a_tunnel("10.0.9.0/24 192.168.9.0/24", name="b", vpn_gateway=one.vpn_gateway)
    said = refusal(
        "UPDATE tunnels_tunnel SET customer_gateway_id = %s WHERE id = %s",
        one.customer_gateway_id,
        other.pk,
    )
    assert said == "These two gateways already have a tunnel; edit that one."


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (
            "health_local",
            "Another tunnel of this gateway probes from that address; choose another.",
        ),
        ("health_remote", "Another tunnel of this gateway probes that address; choose another."),
    ],
)
def test_it_uses_a_health_address_once_a_gateway(column: str, sentence: str) -> None:
    one = make.a_tunnel()
    other = make.a_tunnel("10.0.9.0/24 192.168.9.0/24", name="b", vpn_gateway=one.vpn_gateway)
    elsewhere = make.a_tunnel(name="c")
    query = "UPDATE tunnels_tunnel SET health_enabled = %s, health_local = %s, health_remote = %s WHERE id = %s"
    assert refusal(query, True, "172.16.0.1", "172.17.0.1", one.pk) == ""
    same = {"health_local": "172.16.0.2", "health_remote": "172.17.0.2"}
    same[column] = {"health_local": "172.16.0.1", "health_remote": "172.17.0.1"}[column]
    values = (same["health_local"], same["health_remote"])
    assert refusal(query, True, *values, other.pk) == sentence
    assert refusal(query, False, *values, other.pk) == ""
    assert refusal(query, True, *values, elsewhere.pk) == ""


def test_it_wants_both_addresses_of_a_health_check() -> None:
    tunnel = make.a_tunnel()
    said = refusal("UPDATE tunnels_tunnel SET health_enabled = true WHERE id = %s", tunnel.pk)
    assert said == "A health check needs both addresses."


def test_it_refuses_host_bits_that_came_past_the_forms() -> None:
    tunnel = make.a_tunnel()
    with pytest.raises(Exception, match="invalid cidr value"), transaction.atomic():
        insert_mapping(tunnel, "10.0.5.1/24", "192.168.5.0/24")


def test_it_gives_an_address_to_one_gateway_of_a_kind() -> None:
    one, other = make.a_vpn_gateway(), make.a_vpn_gateway(name="b")
    said = refusal(
        "UPDATE tunnels_vpngateway SET public_ip = %s WHERE id = %s", str(one.public_ip), other.pk
    )
    assert said == "This public ip is taken; choose another."


def test_it_keeps_what_is_referred_to() -> None:
    tunnel = make.a_tunnel()
    with pytest.raises(IntegrityError), transaction.atomic():
        VpnGateway.objects.filter(pk=tunnel.vpn_gateway_id)._raw_delete("default")
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert Mapping.objects.filter(tunnel=tunnel).exists()
