from __future__ import annotations

from ipaddress import ip_address

import pytest
from django.core.exceptions import PermissionDenied

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.domain.status import Provisioning
from tunnels.models import CustomerGateway, Event, VpnGateway
from tunnels.services import gateways

pytestmark = pytest.mark.django_db


def sentences(refused: pytest.ExceptionInfo[RuleError]) -> list[tuple[str, str]]:
    return [(finding.field, finding.message) for finding in refused.value.findings]


def test_it_creates_a_customer_gateway_and_tells_of_it() -> None:
    operator = make.a_user("olga", "operator")
    gateway = gateways.create_customer_gateway(
        actor=operator, name="  idc-shanghai ", public_ip=" 198.51.100.7"
    )
    assert (gateway.name, gateway.public_ip) == ("idc-shanghai", ip_address("198.51.100.7"))
    event = Event.objects.get()
    assert (event.action, event.actor_name, event.target_id) == (
        "customer-gateway-created",
        "olga",
        gateway.public_id,
    )
    assert event.after == {"name": "idc-shanghai", "public_ip": "198.51.100.7"}


def test_it_tells_every_mistake_of_a_customer_gateway_at_its_field() -> None:
    with pytest.raises(RuleError) as refused:
        gateways.create_customer_gateway(actor=make.SYSTEM, name=" ", public_ip="224.0.0.1")
    assert [field for field, _ in sentences(refused)] == ["name", "public_ip"]
    assert not CustomerGateway.objects.exists()
    assert not Event.objects.exists()


def test_it_gives_no_address_to_two_gateways_of_either_kind() -> None:
    ours = make.a_vpn_gateway()
    theirs = make.a_customer_gateway()
    for taken, sentence in (
        (ours.public_ip, f"{ours.public_ip} belongs to the VPN gateway {ours}; "),
        (theirs.public_ip, f"{theirs.public_ip} belongs to the customer gateway {theirs}; "),
    ):
        with pytest.raises(RuleError) as refused:
            gateways.create_customer_gateway(actor=make.SYSTEM, name="again", public_ip=str(taken))
        assert sentences(refused) == [
            ("public_ip", sentence + "a gateway needs an address of its own.")
        ]
        with pytest.raises(RuleError) as refused:
            gateways.create_vpn_gateway(
                actor=make.SYSTEM,
                name="again",
                region=ours.region,
                type_="VPC",
                vpc=ours.vpc,
                ccn=None,
                public_ip=str(taken),
            )
        assert sentences(refused)[0][0] == "public_ip"
    assert (VpnGateway.objects.count(), CustomerGateway.objects.count()) == (1, 1)


def test_it_makes_tunnels_wait_for_their_gateway_when_a_customer_moves() -> None:
    tunnel = make.connect(make.a_tunnel())
    other = make.connect(make.a_tunnel(name="elsewhere"))
    revision = VpnGateway.objects.get(pk=tunnel.vpn_gateway_id).revision
    moved = gateways.update_customer_gateway(
        actor=make.SYSTEM,
        customer_gateway=tunnel.customer_gateway,
        name=tunnel.customer_gateway.name,
        public_ip="198.51.100.200",
    )
    assert moved == [tunnel]
    tunnel.refresh_from_db()
    other.refresh_from_db()
    assert (tunnel.revision, other.revision) == (2, 1)
    assert tunnel.state.provisioning == Provisioning.PENDING
    assert other.state.provisioning == Provisioning.APPLIED
    assert VpnGateway.objects.get(pk=tunnel.vpn_gateway_id).revision == revision + 1
    assert set(Event.objects.filter(action__endswith="ed").values_list("action", "target_id")) >= {
        ("tunnel-readdressed", tunnel.public_id),
        ("customer-gateway-edited", tunnel.customer_gateway.public_id),
    }


def test_it_leaves_tunnels_alone_when_a_gateway_is_only_renamed() -> None:
    tunnel = make.a_tunnel()
    gateway, customer = tunnel.vpn_gateway, tunnel.customer_gateway
    assert (
        gateways.update_customer_gateway(
            actor=make.SYSTEM,
            customer_gateway=customer,
            name="renamed",
            public_ip=str(customer.public_ip),
        )
        == []
    )
    assert (
        gateways.update_vpn_gateway(
            actor=make.SYSTEM,
            vpn_gateway=gateway,
            name="renamed too",
            region=gateway.region,
            type_=gateway.type,
            vpc=gateway.vpc,
            ccn=None,
            public_ip=str(gateway.public_ip),
        )
        == []
    )
    tunnel.refresh_from_db()
    assert tunnel.revision == 1
    event = Event.objects.get(action="vpn-gateway-edited")
    assert (event.before, event.after) == ({"name": "frankfurt-1"}, {"name": "renamed too"})


def test_it_leaves_no_event_when_nothing_changed() -> None:
    customer = make.a_customer_gateway()
    gateways.update_customer_gateway(
        actor=make.SYSTEM,
        customer_gateway=customer,
        name=customer.name,
        public_ip=str(customer.public_ip),
    )
    assert not Event.objects.exists()


def test_it_makes_all_tunnels_of_a_moved_vpn_gateway_wait() -> None:
    first = make.connect(make.a_tunnel())
    second = make.connect(
        make.a_tunnel("10.0.9.0/24 192.168.9.0/24", name="b", vpn_gateway=first.vpn_gateway)
    )
    gateway = first.vpn_gateway
    moved = gateways.update_vpn_gateway(
        actor=make.SYSTEM,
        vpn_gateway=gateway,
        name=gateway.name,
        region=gateway.region,
        type_=gateway.type,
        vpc=gateway.vpc,
        ccn=None,
        public_ip="203.0.113.253",
    )
    assert moved == [first, second]
    for tunnel in (first, second):
        tunnel.refresh_from_db()
        assert tunnel.revision == 2
        assert tunnel.state.provisioning == Provisioning.PENDING
    gateway.refresh_from_db()
    assert gateway.revision == 4


def test_it_keeps_the_network_of_a_gateway_with_tunnels() -> None:
    tunnel = make.a_tunnel(name="idc-shanghai")
    gateway = tunnel.vpn_gateway
    ccn = make.a_ccn()
    with pytest.raises(RuleError) as refused:
        gateways.update_vpn_gateway(
            actor=make.SYSTEM,
            vpn_gateway=gateway,
            name=gateway.name,
            region=gateway.region,
            type_="CCN",
            vpc=None,
            ccn=ccn,
            public_ip=str(gateway.public_ip),
        )
    assert sentences(refused) == [
        (
            "type",
            (
                f"frankfurt-1 is used by 1 tunnel: {tunnel}. Its region, type and network are fixed while it has "
                "tunnels; delete them first, or make another gateway."
            ),
        )
    ]
    tunnel.delete()
    gateways.update_vpn_gateway(
        actor=make.SYSTEM,
        vpn_gateway=gateway,
        name=gateway.name,
        region=gateway.region,
        type_="CCN",
        vpc=gateway.vpc,
        ccn=ccn,
        public_ip=str(gateway.public_ip),
    )
    gateway.refresh_from_db()
    assert (gateway.vpc, gateway.ccn) == (None, ccn)


def test_it_asks_for_the_network_that_goes_with_the_type() -> None:
    region = make.a_region()
    for type_, field in (("VPC", "vpc"), ("CCN", "ccn")):
        with pytest.raises(RuleError) as refused:
            gateways.create_vpn_gateway(
                actor=make.SYSTEM,
                name="no-network",
                region=region,
                type_=type_,
                vpc=None,
                ccn=None,
                public_ip="203.0.113.9",
            )
        assert sentences(refused) == [
            (field, f"Choose the {type_} that the gateway is attached to.")
        ]


def test_it_wants_gateway_and_vpc_in_one_region() -> None:
    vpc = make.a_vpc()
    with pytest.raises(RuleError) as refused:
        gateways.create_vpn_gateway(
            actor=make.SYSTEM,
            name="far",
            region=make.a_region("ap-southeast", "Singapore"),
            type_="VPC",
            vpc=vpc,
            ccn=None,
            public_ip="203.0.113.9",
        )
    assert sentences(refused) == [
        ("vpc", "production is in Frankfurt; choose a VPC of Singapore, or that region.")
    ]


def test_it_names_the_tunnels_that_keep_a_gateway() -> None:
    gateway = make.a_vpn_gateway()
    tunnels = [
        make.a_tunnel(f"10.0.{n}.0/24 192.168.{n}.0/24", name=f"t{n}", vpn_gateway=gateway)
        for n in range(7)
    ]
    with pytest.raises(RuleError) as refused:
        gateways.delete_vpn_gateway(actor=make.SYSTEM, vpn_gateway=gateway)
    named = ", ".join(str(tunnel) for tunnel in tunnels[:5])
    assert sentences(refused) == [
        ("", f"frankfurt-1 is used by 7 tunnels: {named} and 2 more. Delete its tunnels first.")
    ]
    with pytest.raises(RuleError) as refused:
        gateways.delete_customer_gateway(
            actor=make.SYSTEM, customer_gateway=tunnels[0].customer_gateway
        )
    assert f"is used by 1 tunnel: {tunnels[0]}." in sentences(refused)[0][1]


def test_it_deletes_unused_gateways_once() -> None:
    gateway, customer = make.a_vpn_gateway(), make.a_customer_gateway()
    gateways.delete_vpn_gateway(actor=make.SYSTEM, vpn_gateway=gateway)
    gateways.delete_customer_gateway(actor=make.SYSTEM, customer_gateway=customer)
    assert not VpnGateway.objects.exists()
    assert not CustomerGateway.objects.exists()
    deleted = Event.objects.filter(action__endswith="-deleted").order_by("pk")
    assert [event.target_name for event in deleted] == [gateway.name, customer.name]
    assert deleted[0].before["public_ip"] == str(gateway.public_ip)


def test_it_says_so_when_a_gateway_is_gone_already() -> None:
    customer = make.a_customer_gateway()
    CustomerGateway.objects.filter(pk=customer.pk).delete()
    with pytest.raises(RuleError) as refused:
        gateways.delete_customer_gateway(actor=make.SYSTEM, customer_gateway=customer)
    assert sentences(refused) == [
        (
            "",
            f"The customer gateway {customer.name} has been deleted meanwhile; go back to the list.",
        )
    ]


@pytest.mark.parametrize("role", ["", "viewer"])
def test_it_lets_only_those_write_who_may(role: str) -> None:
    user = make.a_user("somebody", role)
    gateway, customer = make.a_vpn_gateway(), make.a_customer_gateway()
    with pytest.raises(PermissionDenied):
        gateways.create_customer_gateway(actor=user, name="x", public_ip="198.51.100.1")
    with pytest.raises(PermissionDenied):
        gateways.update_customer_gateway(
            actor=user, customer_gateway=customer, name="x", public_ip="198.51.100.1"
        )
    with pytest.raises(PermissionDenied):
        gateways.delete_customer_gateway(actor=user, customer_gateway=customer)
    with pytest.raises(PermissionDenied):
        gateways.delete_vpn_gateway(actor=user, vpn_gateway=gateway)


def test_it_lets_operators_add_customer_gateways_but_not_delete_them() -> None:
    operator = make.a_user("olga", "operator")
    customer = gateways.create_customer_gateway(actor=operator, name="x", public_ip="198.51.100.1")
    with pytest.raises(PermissionDenied, match="role admin"):
        gateways.delete_customer_gateway(actor=operator, customer_gateway=customer)


def test_it_remembers_the_kind_of_device() -> None:
    gateway = gateways.create_customer_gateway(
        actor=make.SYSTEM, name="x", public_ip="198.51.100.7", platform="strongswan-swanctl"
    )
    assert gateway.platform == "strongswan-swanctl"
    assert Event.objects.get().after["device"] == "strongswan-swanctl"
    CustomerGateway.objects.update(platform_version="6.x")
    for platform, left in (
        (None, ("strongswan-swanctl", "6.x")),
        ("strongswan-swanctl", ("strongswan-swanctl", "6.x")),
        ("", ("", "")),
    ):
        gateways.update_customer_gateway(
            actor=make.SYSTEM,
            customer_gateway=gateway,
            name="x",
            public_ip="198.51.100.7",
            platform=platform,
        )
        gateway.refresh_from_db()
        assert (gateway.platform, gateway.platform_version) == left
    event = Event.objects.get(action="customer-gateway-edited")
    assert (event.before, event.after) == ({"device": "strongswan-swanctl"}, {})


def test_it_refuses_a_kind_of_device_that_is_not_offered() -> None:
    customer = make.a_customer_gateway()
    with pytest.raises(RuleError) as refused:
        gateways.create_customer_gateway(
            actor=make.SYSTEM, name="x", public_ip="junk", platform="toaster"
        )
    assert [field for field, _ in sentences(refused)] == ["platform", "public_ip"]
    with pytest.raises(RuleError) as refused:
        gateways.update_customer_gateway(
            actor=make.SYSTEM,
            customer_gateway=customer,
            name="x",
            public_ip=str(customer.public_ip),
            platform="toaster",
        )
    assert [field for field, _ in sentences(refused)] == ["platform"]
