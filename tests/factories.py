"""Rows for tests. Tunnels go through the services, so that what a test starts from could really exist."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from tunnels.domain.proposals import IkeSettings, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spd import Rule
from tunnels.domain.status import Health, Phase1, Provisioning
from tunnels.models import Ccn, CustomerGateway, Mapping, Region, Tunnel, Vpc, VpnGateway
from tunnels.services.access import SystemActor
from tunnels.services.creation import Basics, create_tunnel
from tunnels.services.policy import HealthRequest

_numbers = itertools.count(1)
SYSTEM = SystemActor(name="tests")
# The one key of all tests; at the end of a run it is searched for wherever no key may be.
CANARY_PSK = "CanaryPsk-7f3a9e51c0d24b68"
PASSWORD = "correct-horse-battery-staple"


def a_user(name: str, role: str = "") -> User:
    """A user with a role ("" = a stranger) and the password PASSWORD."""
    user = User.objects.create_user(username=name, password=PASSWORD)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def a_region(code: str = "eu-central", name: str = "Frankfurt") -> Region:
    """The region of that code, made when missing."""
    return Region.objects.get_or_create(code=code, defaults={"name": name})[0]


def a_vpc(*cidrs: str, region: Region | None = None, name: str = "production") -> Vpc:
    """A VPC; 10.0.0.0/16 and 2001:db8:a::/48 unless told."""
    blocks = [ip_network(cidr) for cidr in cidrs or ("10.0.0.0/16", "2001:db8:a::/48")]
    return Vpc.objects.create(name=name, region=region or a_region(), cidrs=blocks)


def a_ccn(name: str = "backbone") -> Ccn:
    """A CCN."""
    return Ccn.objects.create(name=name)


def a_vpn_gateway(
    *, vpc: Vpc | None = None, ccn: Ccn | None = None, name: str = "frankfurt-1"
) -> VpnGateway:
    """A VPN gateway with an address of its own; VPC type unless a CCN is given."""
    network = None if ccn else vpc or a_vpc()
    return VpnGateway.objects.create(
        name=name,
        region=network.region if network else a_region(),
        type="CCN" if ccn else "VPC",
        vpc=network,
        ccn=ccn,
        public_ip=ip_address("203.0.113.1") + next(_numbers) % 200,
    )


def a_customer_gateway(name: str = "idc-shanghai-edge") -> CustomerGateway:
    """A customer gateway with an address of its own."""
    number = next(_numbers)
    return CustomerGateway.objects.create(
        name=name, public_ip=ip_address(f"198.18.{number // 200}.{number % 200 + 1}")
    )


def rules(*texts: str) -> list[Rule]:
    """Rules from texts such as `10.0.0.0/24 192.168.0.0/24 192.168.1.0/24`: the local range, then the remotes."""
    parsed = []
    for text in texts:
        local, *remotes = (ip_network(part) for part in text.split())
        parsed.append(Rule(local=local, remotes=tuple(remotes)))
    return parsed


def a_tunnel(
    *texts: str,
    name: str = "idc-shanghai",
    vpn_gateway: VpnGateway | None = None,
    customer_gateway: CustomerGateway | None = None,
    psk: str = CANARY_PSK,
    tags: dict[str, str] | None = None,
    health: HealthRequest | None = None,
    ike: IkeSettings | None = None,
    ipsec: IpsecSettings | None = None,
    actor: Any = SYSTEM,
) -> Tunnel:
    """A tunnel made by the service; its rules are the `texts` (see `rules`)."""
    return create_tunnel(
        actor=actor,
        basics=Basics(
            name=name,
            vpn_gateway=vpn_gateway or a_vpn_gateway(),
            customer_gateway=customer_gateway or a_customer_gateway(),
            psk=Secret(psk),
            tags=tags or {},
            health=health,
        ),
        rules=rules(*(texts or ("10.0.0.0/24 192.168.0.0/24",))),
        ike=ike,
        ipsec=ipsec,
    )


SEED_RULES: Sequence[str] = (
    "10.0.0.0/24 192.168.0.0/24 192.168.1.0/24",
    "10.0.1.0/24 192.168.2.0/24",
    "10.0.2.0/24 192.168.2.0/24",
)


def connect(tunnel: Tunnel, *, up: int | None = None) -> Tunnel:
    """Make it look as a gateway that just reported would: `up` mappings installed (all unless told)."""
    VpnGateway.objects.filter(pk=tunnel.vpn_gateway_id).update(last_seen=timezone.now())
    state = tunnel.state
    state.provisioning = Provisioning.APPLIED.value
    state.applied_revision = tunnel.revision
    state.phase1 = Phase1.ESTABLISHED.value
    state.mappings_up = state.mappings_total if up is None else up
    state.pairs = [
        {
            "local": str(mapping.local_cidr),
            "remote": str(mapping.remote_cidr),
            "up": index < state.mappings_up,
            "state": "INSTALLED" if index < state.mappings_up else "",
            "bytes_in": 0,
            "bytes_out": 0,
        }
        for index, mapping in enumerate(Mapping.objects.filter(tunnel=tunnel).order_by("pk"))
    ]
    state.health = Health.HEALTHY.value if tunnel.health_enabled else Health.OFF.value
    state.observed_at = timezone.now()
    state.refresh(intent=tunnel.intent)
    state.save()
    tunnel.refresh_from_db()
    return tunnel
