from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest
from django.core.exceptions import PermissionDenied

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.models import Ccn, Event, Region, Vpc
from tunnels.services import networks
from tunnels.services.policy import HealthRequest

pytestmark = pytest.mark.django_db


def sentences(refused: pytest.ExceptionInfo[RuleError]) -> list[tuple[str, str]]:
    return [(finding.field, finding.message) for finding in refused.value.findings]


def test_it_keeps_regions_by_their_code() -> None:
    region = networks.create_region(actor=make.SYSTEM, code=" EU-Central ", name="Frankfurt")
    assert (region.code, region.name) == ("eu-central", "Frankfurt")
    with pytest.raises(RuleError) as refused:
        networks.create_region(actor=make.SYSTEM, code="eu-central", name="Other")
    assert sentences(refused) == [
        ("code", "The region Frankfurt already has the code eu-central; choose another.")
    ]
    networks.update_region(actor=make.SYSTEM, region=region, code="eu-central", name="Main")
    event = Event.objects.get(action="region-edited")
    assert (event.target_id, event.before, event.after) == (
        "eu-central",
        {"name": "Frankfurt"},
        {"name": "Main"},
    )


@pytest.mark.parametrize("code", ["", "eu central", "-eu", "eu--central", "é", "e" * 41])
def test_it_refuses_codes_that_no_address_can_hold(code: str) -> None:
    with pytest.raises(RuleError) as refused:
        networks.create_region(actor=make.SYSTEM, code=code, name="")
    assert [field for field, _ in sentences(refused)] == ["code", "name"]
    assert not Region.objects.exists()


def test_it_names_what_keeps_a_region() -> None:
    vpc = make.a_vpc()
    gateway = make.a_vpn_gateway(vpc=vpc)
    with pytest.raises(RuleError) as refused:
        networks.delete_region(actor=make.SYSTEM, region=vpc.region)
    assert sentences(refused) == [
        (
            "",
            f"Frankfurt is used by 1 VPC and 1 VPN gateway: {vpc}, {gateway}. Delete them first.",
        )
    ]
    gateway.delete()
    vpc.delete()
    networks.delete_region(actor=make.SYSTEM, region=vpc.region)
    assert not Region.objects.exists()


def test_it_stores_the_blocks_of_a_vpc_of_both_families() -> None:
    vpc = networks.create_vpc(
        actor=make.SYSTEM,
        name="production",
        region=make.a_region(),
        cidrs=["10.0.0.0/16", "", "2001:db8:a::/48 "],
    )
    vpc.refresh_from_db()
    assert vpc.cidrs == [ip_network("10.0.0.0/16"), ip_network("2001:db8:a::/48")]


def test_it_tells_each_bad_block_with_its_line() -> None:
    with pytest.raises(RuleError) as refused:
        networks.create_vpc(
            actor=make.SYSTEM,
            name="",
            region=make.a_region(),
            cidrs=["10.0.0.0/16", "10.0.5.1/24", "nonsense", "0.0.0.0/0"],
        )
    found = [(finding.field, finding.row, finding.rule) for finding in refused.value.findings]
    assert found == [
        ("name", None, "name-empty"),
        ("cidrs", 1, "cidr-host-bits"),
        ("cidrs", 2, "address-malformed"),
        ("cidrs", 3, "vpc-default-route"),
        ("cidrs", None, "vpc-blocks-overlap"),
    ]


def test_it_wants_a_block() -> None:
    with pytest.raises(RuleError, match="at least one CIDR block"):
        networks.create_vpc(
            actor=make.SYSTEM, name="empty", region=make.a_region(), cidrs=["", " "]
        )


def test_it_refuses_blocks_that_would_leave_a_tunnel_outside() -> None:
    tunnel = make.a_tunnel(
        "10.0.0.0/24 192.168.0.0/24",
        "10.0.7.0/24 192.168.7.0/24",
        "2001:db8:a:1::/64 2001:db8:f::/48",
    )
    vpc = tunnel.vpn_gateway.vpc
    assert vpc is not None
    with pytest.raises(RuleError) as refused:
        networks.update_vpc(
            actor=make.SYSTEM, vpc=vpc, name=vpc.name, region=vpc.region, cidrs=["10.0.0.0/22"]
        )
    assert sentences(refused) == [
        (
            "cidrs",
            (
                f"These local ranges would lie outside the VPC: 10.0.7.0/24 of {tunnel}, "
                f"2001:db8:a:1::/64 of {tunnel}. Change those tunnels first."
            ),
        )
    ]
    networks.update_vpc(
        actor=make.SYSTEM,
        vpc=vpc,
        name=vpc.name,
        region=vpc.region,
        cidrs=["10.0.0.0/21", "2001:db8:a::/56"],
    )
    vpc.refresh_from_db()
    assert vpc.cidrs == [ip_network("10.0.0.0/21"), ip_network("2001:db8:a::/56")]


@pytest.mark.parametrize(
    ("block", "address"), [("172.16.0.0/16", "172.16.0.1"), ("192.168.0.0/24", "192.168.0.9")]
)
def test_it_refuses_blocks_that_would_take_a_probe_in(block: str, address: str) -> None:
    health = HealthRequest(local=ip_address("172.16.0.1"), remote=ip_address("192.168.0.9"))
    tunnel = make.a_tunnel(health=health)
    vpc = tunnel.vpn_gateway.vpc
    assert vpc is not None
    with pytest.raises(RuleError) as refused:
        networks.update_vpc(
            actor=make.SYSTEM,
            vpc=vpc,
            name=vpc.name,
            region=vpc.region,
            cidrs=["10.0.0.0/16", block],
        )
    assert sentences(refused) == [
        (
            "cidrs",
            (
                f"These health-check addresses would lie inside the VPC: {address} of {tunnel}. "
                "Change those tunnels first."
            ),
        )
    ]


def test_it_keeps_the_region_of_a_vpc_with_gateways() -> None:
    vpc = make.a_vpc()
    gateway = make.a_vpn_gateway(vpc=vpc)
    elsewhere = make.a_region("ap-southeast", "Singapore")
    with pytest.raises(RuleError) as refused:
        networks.update_vpc(
            actor=make.SYSTEM, vpc=vpc, name="x", region=elsewhere, cidrs=["10.0.0.0/16"]
        )
    field, message = sentences(refused)[0]
    assert field == "region"
    assert message.startswith(f"production is used by 1 VPN gateway: {gateway}. ")
    gateway.delete()
    networks.update_vpc(
        actor=make.SYSTEM, vpc=vpc, name="x", region=elsewhere, cidrs=["10.0.0.0/16"]
    )
    vpc.refresh_from_db()
    assert (vpc.region, vpc.name) == (elsewhere, "x")


def test_it_leaves_no_event_when_nothing_changed() -> None:
    vpc, ccn = make.a_vpc(), make.a_ccn()
    networks.update_vpc(
        actor=make.SYSTEM,
        vpc=vpc,
        name=vpc.name,
        region=vpc.region,
        cidrs=[str(block) for block in vpc.cidrs],
    )
    networks.update_ccn(actor=make.SYSTEM, ccn=ccn, name=ccn.name)
    networks.update_region(
        actor=make.SYSTEM, region=vpc.region, code=vpc.region.code, name=vpc.region.name
    )
    assert not Event.objects.exists()


def test_it_names_the_gateways_that_keep_a_network() -> None:
    vpc, ccn = make.a_vpc(), make.a_ccn()
    on_vpc, on_ccn = make.a_vpn_gateway(vpc=vpc), make.a_vpn_gateway(ccn=ccn, name="hub")
    with pytest.raises(RuleError) as refused:
        networks.delete_vpc(actor=make.SYSTEM, vpc=vpc)
    assert sentences(refused) == [
        ("", f"production is used by 1 VPN gateway: {on_vpc}. Delete its gateways first.")
    ]
    with pytest.raises(RuleError, match=on_ccn.public_id):
        networks.delete_ccn(actor=make.SYSTEM, ccn=ccn)
    on_vpc.delete()
    on_ccn.delete()
    networks.delete_vpc(actor=make.SYSTEM, vpc=vpc)
    networks.delete_ccn(actor=make.SYSTEM, ccn=ccn)
    assert not Vpc.objects.exists()
    assert not Ccn.objects.exists()
    levels = Event.objects.order_by("pk").values_list("action", "level")
    assert list(levels) == [("vpc-deleted", "warning"), ("ccn-deleted", "warning")]


def test_it_creates_and_renames_a_ccn() -> None:
    ccn = networks.create_ccn(actor=make.SYSTEM, name="backbone")
    networks.update_ccn(actor=make.SYSTEM, ccn=ccn, name="spine")
    assert Event.objects.get(action="ccn-edited").before == {"name": "backbone"}
    with pytest.raises(RuleError) as refused:
        networks.update_ccn(actor=make.SYSTEM, ccn=ccn, name="a" * 61)
    assert sentences(refused)[0][0] == "name"


def test_it_lets_administrators_write_and_nobody_else() -> None:
    operator = make.a_user("olga", "operator")
    region, vpc, ccn = make.a_region(), make.a_vpc(), make.a_ccn()
    calls: list[Callable[[], object]] = [
        lambda: networks.create_region(actor=operator, code="x", name="x"),
        lambda: networks.update_region(actor=operator, region=region, code="x", name="x"),
        lambda: networks.delete_region(actor=operator, region=region),
        lambda: networks.create_vpc(actor=operator, name="x", region=region, cidrs=["10.9.0.0/16"]),
        lambda: networks.update_vpc(
            actor=operator, vpc=vpc, name="x", region=region, cidrs=["10.0.0.0/16"]
        ),
        lambda: networks.delete_vpc(actor=operator, vpc=vpc),
        lambda: networks.create_ccn(actor=operator, name="x"),
        lambda: networks.update_ccn(actor=operator, ccn=ccn, name="x"),
        lambda: networks.delete_ccn(actor=operator, ccn=ccn),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied, match="role admin"):
            call()
    networks.create_region(actor=make.a_user("ada", "admin"), code="x", name="x")
