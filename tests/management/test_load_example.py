from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests import factories as make
from tunnels.domain.proposals import weaknesses
from tunnels.domain.spd import Rule
from tunnels.models import (
    Ccn,
    CustomerGateway,
    Event,
    Mapping,
    Region,
    Tunnel,
    Vpc,
    VpnGateway,
)
from tunnels.services.policy import conflicts_of
from tunnels.services.specs import stored_rules

pytestmark = pytest.mark.django_db
COUNTED: list[Any] = [Region, Vpc, Ccn, VpnGateway, CustomerGateway, Tunnel, Mapping, Event]


def run() -> str:
    out = StringIO()
    call_command("load_example", stdout=out)
    return out.getvalue()


def counts() -> list[int]:
    return [model.objects.count() for model in COUNTED]


def test_it_makes_the_example_and_says_what() -> None:
    said = run()
    assert counts()[:6] == [2, 3, 1, 3, 5, 4]
    assert {region.code for region in Region.objects.all()} == {"eu-central", "ap-southeast"}
    for tunnel in Tunnel.objects.all():
        assert str(tunnel) in said
        assert tunnel.psk.reveal() not in said
    assert "Now try" in said


def test_it_holds_the_reference_example() -> None:
    run()
    tunnel = Tunnel.objects.get(name="idc-shanghai")
    assert [str(mapping) for mapping in Mapping.objects.filter(tunnel=tunnel)] == [
        "10.0.0.0/24 ↔ 192.168.0.0/24",
        "10.0.0.0/24 ↔ 192.168.1.0/24",
        "10.0.1.0/24 ↔ 192.168.2.0/24",
        "10.0.2.0/24 ↔ 192.168.2.0/24",
        "169.254.128.2/32 ↔ 169.254.128.3/32",
    ]


def test_what_it_says_to_try_is_true() -> None:
    run()
    gateway = VpnGateway.objects.get(name="frankfurt-1")

    def clashes(text: str) -> list[str]:
        found = conflicts_of(make.rules(text), vpn_gateway=gateway)
        return [conflict.existing.tunnel_name for conflict in found]

    assert clashes("10.0.0.0/24 192.168.1.0/24") == ["idc-shanghai"]
    assert clashes("10.0.1.0/24 192.168.1.0/24") == []


def test_it_shows_every_kind_of_tunnel() -> None:
    run()
    tunnels = {tunnel.name: tunnel for tunnel in Tunnel.objects.select_related("ike", "ipsec")}
    assert weaknesses(tunnels["hamburg-old-router"].ike.settings)
    assert not weaknesses(tunnels["idc-shanghai"].ike.settings)
    [rule] = stored_rules(tunnels["osaka-ipv6"])
    assert isinstance(rule, Rule)
    assert rule.local.version == 6
    assert tunnels["lisbon-via-backbone"].vpn_gateway.ccn is not None
    assert tunnels["lisbon-via-backbone"].health_enabled


def test_it_changes_nothing_the_second_time() -> None:
    run()
    before, keys = counts(), [tunnel.psk for tunnel in Tunnel.objects.order_by("pk")]
    assert run() == "The example is there already; nothing was changed.\n"
    assert counts() == before
    assert [tunnel.psk for tunnel in Tunnel.objects.order_by("pk")] == keys


def test_it_generates_another_key_for_each_tunnel() -> None:
    run()
    keys = {tunnel.psk.reveal() for tunnel in Tunnel.objects.all()}
    assert len(keys) == 4
    assert min(map(len, keys)) == 32


def test_it_loads_all_or_nothing() -> None:
    region = make.a_region("elsewhere", "Elsewhere")
    vpc = make.a_vpc(region=region)
    make.a_vpn_gateway(vpc=vpc, name="mine")
    VpnGateway.objects.update(public_ip="198.51.100.20")
    before = counts()
    with pytest.raises(CommandError, match=r"198\.51\.100\.20 belongs to the VPN gateway mine"):
        run()
    assert counts() == before


def test_it_leaves_a_customer_free_for_the_first_tunnel() -> None:
    run()
    free = CustomerGateway.objects.filter(tunnels=None)
    assert [gateway.name for gateway in free] == ["branch-office"]
