"""Rows by the ten thousand, written past the services: quotas are not the point here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import Final

from django.db import connection
from django.db.models import F, Max, Model
from django.utils import timezone

from tunnels.domain.proposals import Negotiation
from tunnels.domain.secret import Secret
from tunnels.models import (
    CustomerGateway,
    Event,
    IkeConfig,
    IpsecConfig,
    Mapping,
    Region,
    SpdRule,
    Tunnel,
    TunnelState,
    Vpc,
    VpnGateway,
)

TUNNELS_PER_GATEWAY: Final = 20
LOCALS_PER_TUNNEL: Final = 3
REMOTES_PER_LOCAL: Final = 2
MAPPINGS_PER_TUNNEL: Final = LOCALS_PER_TUNNEL * REMOTES_PER_LOCAL
VPCS: Final = 40
BATCH: Final = 2_000
CITIES: Final = ("frankfurt", "singapore", "shanghai", "virginia", "lagos")
SITES: Final = ("idc", "plant", "branch", "warehouse", "lab", "harbour", "clinic", "store")
# Status word, provisioning, phase 1, mappings up; tunnels draw in turn.
STATES: Final = (
    *[("connected", "applied", "established", MAPPINGS_PER_TUNNEL)] * 14,
    *[("partial", "applied", "established", 2)] * 2,
    *[("disconnected", "applied", "none", 0)] * 2,
    ("negotiating", "applied", "connecting", 0),
    ("failed", "failed", "none", 0),
)
# Which rows go before a new dataset, those that point at others first.
ORDER: Final = (Event, Mapping, SpdRule, TunnelState, IkeConfig, IpsecConfig, Tunnel, CustomerGateway, VpnGateway,
                Vpc, Region)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was built: `tunnels` of six mappings each, numbered from 1 without gaps."""

    tunnels: int

    @property
    def mappings(self) -> int:
        """How many mappings there are."""
        return self.tunnels * MAPPINGS_PER_TUNNEL

    @property
    def gateways(self) -> int:
        """How many VPN gateways there are."""
        return gateway_of(self.tunnels)


def clear() -> None:
    """Remove all rows, agents and logs too."""
    with connection.cursor() as cursor:
        tables = ", ".join(model._meta.db_table for model in ORDER)
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def build(tunnels: int) -> Dataset:
    """Replace all rows by this many tunnels, and let PostgreSQL look at what it has."""
    data = Dataset(tunnels)
    numbers = range(1, tunnels + 1)
    clear()
    _store(Region(pk=n, code=city, name=city.capitalize()) for n, city in enumerate(CITIES, 1))
    _store(map(_vpc, range(1, VPCS + 1)))
    _store(map(_gateway, range(1, data.gateways + 1)))
    _store(
        CustomerGateway(pk=n, name=f"{_site(n)}-edge", public_ip=IPv4Address("198.18.0.0") + n)
        for n in numbers
    )
    _store(map(_tunnel, numbers))
    _store(IkeConfig(tunnel_id=n) for n in numbers)
    _store(IpsecConfig(tunnel_id=n) for n in numbers)
    _store(map(_state, numbers))
    _store(
        SpdRule(
            pk=(n - 1) * LOCALS_PER_TUNNEL + r + 1,
            tunnel_id=n,
            position=r + 1,
            local_cidr=local_of(n, r),
        )
        for n in numbers
        for r in range(LOCALS_PER_TUNNEL)
    )
    _store(mapping for n in numbers for mapping in _mappings(n))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tunnels_tunnel SET created_at = now() - id * interval '1 minute'")
        for model in ORDER:
            cursor.execute(
                "SELECT pg_get_serial_sequence(%s, %s)",
                [model._meta.db_table, model._meta.pk.column],
            )
            sequence = cursor.fetchone()[0]
            if sequence:
                cursor.execute("SELECT setval(%s, 1000000000)", [sequence])
        cursor.execute("VACUUM ANALYZE")
    return data


def crowd(gateway: VpnGateway, tunnels: int) -> None:
    """Add tunnels of one mapping to a gateway; they wait for their peers, and no host has these addresses."""
    start = 1 + max(
        model.objects.aggregate(Max("pk"))["pk__max"] or 0 for model in (Tunnel, CustomerGateway)
    )
    numbers = range(start, start + tunnels)
    _store(
        CustomerGateway(pk=n, name=f"{_site(n)}-edge", public_ip=IPv4Address("198.18.0.0") + n)
        for n in numbers
    )
    _store(_tunnel(n, gateway=gateway.pk) for n in numbers)
    _store(IkeConfig(tunnel_id=n, negotiation=Negotiation.PASSIVE.value) for n in numbers)
    _store(IpsecConfig(tunnel_id=n) for n in numbers)
    _store(TunnelState(tunnel_id=n, mappings_total=1) for n in numbers)
    rules = [
        SpdRule(tunnel_id=n, position=1, local_cidr=IPv4Network("10.0.200.0/24")) for n in numbers
    ]
    _store(rules)
    _store(
        Mapping(
            vpn_gateway_id=gateway.pk, tunnel_id=rule.tunnel_id, rule_id=rule.pk,
            local_cidr=rule.local_cidr, remote_cidr=remote_of(rule.tunnel_id, 1),
        )
        for rule in rules
    )  # fmt: skip
    VpnGateway.objects.filter(pk=gateway.pk).update(revision=F("revision") + 1)


def gateway_of(tunnel: int) -> int:
    """The number of a tunnel's VPN gateway."""
    return (tunnel - 1) // TUNNELS_PER_GATEWAY + 1


def local_of(tunnel: int, rule: int) -> IPv4Network:
    """The local range of a tunnel's rule (from 0): no two of one gateway are equal."""
    slot = (tunnel - 1) % TUNNELS_PER_GATEWAY * LOCALS_PER_TUNNEL + rule
    return IPv4Network((int(IPv4Address("10.0.0.0")) + slot * 256, 24))


def remote_of(tunnel: int, place: int) -> IPv4Network:
    """A customer's range: each tunnel has its own, and the first is one of 256 that many customers have."""
    if place == 0:
        return IPv4Network((int(IPv4Address("192.168.0.0")) + tunnel % 256 * 256, 24))
    own = (tunnel - 1) * MAPPINGS_PER_TUNNEL + place
    return IPv4Network((int(IPv4Address("32.0.0.0")) + own * 256, 24))


def _vpc(number: int) -> Vpc:
    city = (number - 1) % len(CITIES)
    return Vpc(
        pk=number,
        name=f"{CITIES[city]}-production-{number}",
        region_id=city + 1,
        cidrs=[IPv4Network("10.0.0.0/16")],
    )


def _gateway(number: int) -> VpnGateway:
    vpc = (number - 1) % VPCS + 1
    city = (vpc - 1) % len(CITIES)
    # One in twenty is silent, one in twenty was never seen.
    ages = {0: None, 1: timedelta(hours=1)}
    age = ages.get(number % 20, timedelta(seconds=-3600))
    return VpnGateway(
        pk=number,
        name=f"{CITIES[city]}-{number}",
        region_id=city + 1,
        type="VPC",
        vpc_id=vpc,
        public_ip=IPv4Address("203.0.0.0") + number,
        last_seen=None if age is None else timezone.now() - age,
    )


def _site(number: int) -> str:
    return f"{SITES[number % len(SITES)]}-{CITIES[number % len(CITIES)]}-{number}"


def _tunnel(number: int, *, gateway: int = 0) -> Tunnel:
    return Tunnel(
        pk=number,
        name=_site(number),
        vpn_gateway_id=gateway or gateway_of(number),
        customer_gateway_id=number,
        psk=Secret("benchmark-benchmark"),
        tags={"env": ("prod", "test", "dev")[number % 3], "team": f"net-{number % 7}"},
    )


def _state(number: int) -> TunnelState:
    word, provisioning, phase1, up = STATES[number % len(STATES)]
    return TunnelState(
        tunnel_id=number,
        provisioning=provisioning,
        applied_revision=1,
        phase1=phase1,
        mappings_up=up,
        mappings_total=MAPPINGS_PER_TUNNEL,
        word=word,
        observed_at=timezone.now(),
    )


def _mappings(tunnel: int) -> Iterator[Mapping]:
    for place in range(MAPPINGS_PER_TUNNEL):
        rule = place // REMOTES_PER_LOCAL
        yield Mapping(
            vpn_gateway_id=gateway_of(tunnel),
            tunnel_id=tunnel,
            rule_id=(tunnel - 1) * LOCALS_PER_TUNNEL + rule + 1,
            local_cidr=local_of(tunnel, rule),
            remote_cidr=remote_of(tunnel, place),
        )


def _store(rows: Iterable[Model]) -> None:
    stream = iter(rows)
    while batch := list(islice(stream, BATCH)):
        type(batch[0])._default_manager.bulk_create(batch)
