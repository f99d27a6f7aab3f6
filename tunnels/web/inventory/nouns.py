"""The five nouns: what they are called, how they are listed and searched, and who deletes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Count,
    F,
    Func,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce
from netfields import CidrAddressField

from tunnels.models import Ccn, CustomerGateway, Region, Tunnel, Vpc, VpnGateway
from tunnels.models.searching import searched_network
from tunnels.services import gateways, networks
from tunnels.web.inventory.forms import (
    CcnForm,
    CustomerGatewayForm,
    InventoryForm,
    RegionForm,
    VpcForm,
    VpnGatewayForm,
)


class OverlapsAny(Func):
    """PostgreSQL's `block && ANY(blocks)`."""

    template = "%(expressions)s)"
    arg_joiner = " && ANY("
    output_field = BooleanField()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """One kind of thing. `slug` is the model's name, in permissions, URL names and template names."""

    model: type[Model]
    slug: str
    one: str
    many: str
    path: str
    icon: str
    about: str
    hint: str
    form: type[InventoryForm]
    delete: Callable[..., None]
    delete_as: str
    rows: Callable[[], QuerySet[Any]]
    by_address: Callable[[str], Q | None]
    key: str = "public_id"

    def find(self, text: str) -> QuerySet[Any]:
        """The rows whose name, id or address a person means by `text`; all of them for no text."""
        rows = self.rows()
        if not text:
            return rows
        named = Q(name__icontains=text) | Q(**{f"{self.key}__istartswith": text})
        placed = self.by_address(text)
        return rows.filter(named if placed is None else named | placed)

    def can(self, user: Any, verb: str) -> bool:
        """Whether the user may add, change, delete or view these."""
        return bool(user.has_perm(f"tunnels.{verb}_{self.slug}"))


def _count(model: type[Model], through: str) -> Coalesce:
    """How many rows refer to this one by the path `through`: worked out for the page's rows only."""
    counted = model._default_manager.order_by().filter(**{through: OuterRef("pk")}).values(through)
    return Coalesce(Subquery(counted.annotate(number=Count("pk")).values("number")), 0)


def _no_address(text: str) -> Q | None:
    return None


def _by_public_ip(text: str) -> Q | None:
    network = searched_network(text)
    return None if network is None else Q(public_ip__net_contained_or_equal=str(network))


def _by_block(text: str) -> Q | None:
    network = searched_network(text)
    if network is None:
        return None
    return Q(OverlapsAny(Cast(Value(str(network)), CidrAddressField()), F("cidrs")))


REGION: Final = Noun(
    model=Region,
    slug="region",
    one="region",
    many="Regions",
    path="regions",
    icon="map-pin",
    about="A region is a place where gateways run. VPCs and VPN gateways are in a region.",
    hint="Name or code",
    form=RegionForm,
    delete=networks.delete_region,
    delete_as="region",
    rows=lambda: Region.objects.annotate(
        vpc_count=_count(Vpc, "region"), gateway_count=_count(VpnGateway, "region")
    ),
    by_address=_no_address,
    key="code",
)
VPC: Final = Noun(
    model=Vpc,
    slug="vpc",
    one="VPC",
    many="VPCs",
    path="vpcs",
    icon="cloud",
    about="A VPC is a private network with address blocks. Local ranges of its tunnels lie inside them.",
    hint="Name, id, address or block",
    form=VpcForm,
    delete=networks.delete_vpc,
    delete_as="vpc",
    rows=lambda: Vpc.objects.select_related("region").annotate(
        gateway_count=_count(VpnGateway, "vpc"), tunnel_count=_count(Tunnel, "vpn_gateway__vpc")
    ),
    by_address=_by_block,
)
CCN: Final = Noun(
    model=Ccn,
    slug="ccn",
    one="CCN",
    many="CCNs",
    path="ccns",
    icon="affiliate",
    about="A cloud connect network joins VPCs of several regions. Local ranges of its tunnels are free.",
    hint="Name or id",
    form=CcnForm,
    delete=networks.delete_ccn,
    delete_as="ccn",
    rows=lambda: Ccn.objects.annotate(
        gateway_count=_count(VpnGateway, "ccn"), tunnel_count=_count(Tunnel, "vpn_gateway__ccn")
    ),
    by_address=_no_address,
)
VPN_GATEWAY: Final = Noun(
    model=VpnGateway,
    slug="vpngateway",
    one="VPN gateway",
    many="VPN gateways",
    path="vpn-gateways",
    icon="server-2",
    about="A VPN gateway is your end of tunnels: a machine with a public address, attached to a VPC or a CCN.",
    hint="Name, id or address",
    form=VpnGatewayForm,
    delete=gateways.delete_vpn_gateway,
    delete_as="vpn_gateway",
    rows=lambda: VpnGateway.objects.select_related("region", "vpc", "ccn").annotate(
        tunnel_count=_count(Tunnel, "vpn_gateway")
    ),
    by_address=_by_public_ip,
)
CUSTOMER_GATEWAY: Final = Noun(
    model=CustomerGateway,
    slug="customergateway",
    one="customer gateway",
    many="Customer gateways",
    path="customer-gateways",
    icon="building",
    about="A customer gateway is the other end of tunnels: the customer's device with its public address.",
    hint="Name, id or address",
    form=CustomerGatewayForm,
    delete=gateways.delete_customer_gateway,
    delete_as="customer_gateway",
    rows=lambda: CustomerGateway.objects.annotate(tunnel_count=_count(Tunnel, "customer_gateway")),
    by_address=_by_public_ip,
)
NOUNS: Final = (REGION, VPC, CCN, VPN_GATEWAY, CUSTOMER_GATEWAY)
