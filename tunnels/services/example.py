"""A small believable set of data to look around in. Loading it twice changes nothing.

Its addresses are those set aside for documentation (RFC 5737, RFC 3849), so that no tunnel reaches anybody. The
demo's lab owns those of frankfurt-1, branch-office and idc-shanghai-edge; nothing ever answers at 198.51.100.x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Model

from tunnels.domain.proposals import PRESETS
from tunnels.domain.secret import generate_psk
from tunnels.domain.spd import Rule
from tunnels.models import Ccn, CustomerGateway, GatewayType, Region, Tunnel, Vpc, VpnGateway
from tunnels.services import gateways, networks
from tunnels.services.access import Actor
from tunnels.services.creation import Basics, create_tunnel
from tunnels.services.policy import HealthRequest

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """One tunnel of the example; the keys are those of the tables below, the rules local and remote ranges."""

    name: str
    gateway: str
    customer: str
    rules: tuple[tuple[str, tuple[str, ...]], ...]
    preset: str = "modern"
    probe: bool = False
    tags: dict[str, str] = field(default_factory=dict)


_REGIONS: Final = {"eu-central": "Frankfurt", "ap-southeast": "Singapore"}
_VPCS: Final = {
    "production": ("eu-central", ("10.0.0.0/16", "2001:db8:10::/48")),
    "staging": ("eu-central", ("10.8.0.0/16",)),
    "asia": ("ap-southeast", ("10.16.0.0/16", "2001:db8:16::/48")),
}
_CCN: Final = "backbone"
_GATEWAYS: Final = {
    "frankfurt-1": ("eu-central", "production", "203.0.113.10"),
    "singapore-1": ("ap-southeast", "asia", "203.0.113.11"),
    "frankfurt-hub": ("eu-central", "", "203.0.113.12"),
}
_CUSTOMERS: Final = {
    # Free for the first tunnel of whoever tries the console.
    "branch-office": "203.0.113.20",
    "idc-shanghai-edge": "203.0.113.21",
    "warehouse-hamburg": "198.51.100.20",
    "branch-osaka": "198.51.100.30",
    "partner-lisbon": "198.51.100.40",
}
_TUNNELS: Final = (
    # The example of the reference wizard: three rules that form four mappings.
    _Wanted(
        name="idc-shanghai",
        gateway="frankfurt-1",
        customer="idc-shanghai-edge",
        rules=(
            ("10.0.0.0/24", ("192.168.0.0/24", "192.168.1.0/24")),
            ("10.0.1.0/24", ("192.168.2.0/24",)),
            ("10.0.2.0/24", ("192.168.2.0/24",)),
        ),
        probe=True,
        tags={"env": "prod", "team": "network"},
    ),
    _Wanted(
        name="hamburg-old-router",
        gateway="frankfurt-1",
        customer="warehouse-hamburg",
        rules=(("10.0.8.0/24", ("172.20.0.0/16",)),),
        preset="legacy",
        tags={"env": "prod", "replace": "2027"},
    ),
    _Wanted(
        name="osaka-ipv6",
        gateway="singapore-1",
        customer="branch-osaka",
        rules=(("2001:db8:16:1::/64", ("2001:db8:beef::/48",)),),
        tags={"env": "prod"},
    ),
    _Wanted(
        name="lisbon-via-backbone",
        gateway="frankfurt-hub",
        customer="partner-lisbon",
        rules=(("10.8.0.0/16", ("192.168.40.0/24", "192.168.41.0/24")),),
        probe=True,
        tags={"env": "test", "partner": "lisbon"},
    ),
)


def load_example(*, actor: Actor) -> list[str]:
    """Make what is missing of the example, all or nothing; what was made, a phrase each (empty: all was there).

    Regions are found by their code, gateways by their address, the rest by name. Raises RuleError when something
    of yours is in the way.
    """
    maker = _Maker(actor)
    with transaction.atomic():
        regions = {code: maker.region(code, name) for code, name in _REGIONS.items()}
        vpcs = {
            name: maker.vpc(name, regions[code], blocks) for name, (code, blocks) in _VPCS.items()
        }
        ccn = maker.ccn(_CCN)
        ours = {
            name: maker.vpn_gateway(name, regions[code], vpcs.get(vpc), ccn, address)
            for name, (code, vpc, address) in _GATEWAYS.items()
        }
        theirs = {name: maker.customer(name, address) for name, address in _CUSTOMERS.items()}
        for wanted in _TUNNELS:
            maker.tunnel(wanted, ours[wanted.gateway], theirs[wanted.customer])
    return maker.made


class _Maker:
    """Finds or makes each thing, and notes what it made."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.made: list[str] = []

    def region(self, code: str, name: str) -> Region:
        found = Region.objects.filter(code=code).first()
        return found or self._note(
            "region", networks.create_region(actor=self.actor, code=code, name=name)
        )

    def vpc(self, name: str, region: Region, blocks: Sequence[str]) -> Vpc:
        found = Vpc.objects.filter(name=name, region=region).first()
        return found or self._note(
            "VPC", networks.create_vpc(actor=self.actor, name=name, region=region, cidrs=blocks)
        )

    def ccn(self, name: str) -> Ccn:
        found = Ccn.objects.filter(name=name).first()
        return found or self._note("CCN", networks.create_ccn(actor=self.actor, name=name))

    def vpn_gateway(
        self, name: str, region: Region, vpc: Vpc | None, ccn: Ccn, address: str
    ) -> VpnGateway:
        found = VpnGateway.objects.filter(public_ip=address).first()
        return found or self._note(
            "VPN gateway",
            gateways.create_vpn_gateway(
                actor=self.actor,
                name=name,
                region=region,
                type_=GatewayType.VPC if vpc else GatewayType.CCN,
                vpc=vpc,
                ccn=None if vpc else ccn,
                public_ip=address,
            ),
        )

    def customer(self, name: str, address: str) -> CustomerGateway:
        found = CustomerGateway.objects.filter(public_ip=address).first()
        return found or self._note(
            "customer gateway",
            gateways.create_customer_gateway(actor=self.actor, name=name, public_ip=address),
        )

    def tunnel(self, wanted: _Wanted, ours: VpnGateway, theirs: CustomerGateway) -> None:
        if Tunnel.objects.filter(vpn_gateway=ours, customer_gateway=theirs).exists():
            return
        preset = PRESETS[wanted.preset]
        rules = [
            Rule(local=ip_network(local), remotes=tuple(map(ip_network, remotes)))
            for local, remotes in wanted.rules
        ]
        basics = Basics(
            name=wanted.name,
            vpn_gateway=ours,
            customer_gateway=theirs,
            psk=generate_psk(),
            health=HealthRequest() if wanted.probe else None,
            tags=wanted.tags,
        )
        self._note(
            "tunnel",
            create_tunnel(
                actor=self.actor, basics=basics, rules=rules, ike=preset.ike, ipsec=preset.ipsec
            ),
        )

    def _note(self, kind: str, thing: M) -> M:
        self.made.append(f"{kind} {thing}")
        return thing
