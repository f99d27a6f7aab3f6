"""VPN gateways and customer gateways: create, update, delete.

The wizard makes a customer gateway in place with `create_customer_gateway(*, actor, name, public_ip)`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from tunnels.devices.registry import find_platform
from tunnels.domain.addresses import Address, parse_gateway_address
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.names import clean_name
from tunnels.models import (
    Ccn,
    CustomerGateway,
    Event,
    GatewayType,
    Region,
    Tunnel,
    Vpc,
    VpnGateway,
)
from tunnels.services import audit
from tunnels.services.access import Actor, require
from tunnels.services.constraints import constraint_sentences
from tunnels.services.editing import mark_pending
from tunnels.services.inventory import attempt, locked, refuse_while_used
from tunnels.services.policy import check_outer_family, check_peer_identity
from tunnels.services.specs import identities

# Serialises whoever gives a gateway an address: the rule "no address twice" spans two tables.
_ADDRESSES_LOCK = 0x76706E67


def create_customer_gateway(
    *, actor: Actor, name: str, public_ip: str, platform: str = ""
) -> CustomerGateway:
    """A new customer gateway; `platform` is the kind of device, where it is known.

    Raises PermissionDenied, and RuleError at the fields name, public_ip and platform.
    """
    require(actor, "add_customergateway")
    cleaned, address = _read(name, public_ip, _check_platform(platform))
    with constraint_sentences(), transaction.atomic():
        _check_address_free(address)
        gateway = CustomerGateway.objects.create(name=cleaned, public_ip=address, platform=platform)
        audit.record(
            actor=actor,
            action="customer-gateway-created",
            target=gateway,
            message=f"Customer gateway {gateway.name} created at {address}",
            after=_describe_customer(gateway),
        )
    return gateway


def update_customer_gateway(
    *,
    actor: Actor,
    customer_gateway: CustomerGateway,
    name: str,
    public_ip: str,
    platform: str | None = None,
) -> list[Tunnel]:
    """Rename or move a customer gateway; returns the tunnels that wait to be applied again.

    A new address changes every file and every peer, so each of its tunnels gets a new revision. `platform` is the kind
    of device ("" = not known); None leaves it as it is. Raises RuleError at name, public_ip and platform.
    """
    require(actor, "change_customergateway")
    cleaned, address = _read(name, public_ip, _check_platform(platform or ""))
    with constraint_sentences(), transaction.atomic():
        # Gateways before customer gateways: the order in which every writer of tunnels locks.
        _lock_gateways_of(customer_gateway)
        gateway = locked(customer_gateway)
        before = _describe_customer(gateway)
        moved = gateway.public_ip != address
        if moved:
            _check_address_free(address, besides=gateway)
        gateway.name, gateway.public_ip = cleaned, address
        if platform is not None and platform != gateway.platform:
            gateway.platform, gateway.platform_version = platform, ""
        gateway.save(update_fields=["name", "public_ip", "platform", "platform_version"])
        tunnels = _tunnels_of(gateway) if moved else []
        _readdress(actor, tunnels, f"{gateway.name} is now at {address}")
        _record_edit(actor, gateway, "customer-gateway", before, _describe_customer(gateway))
    return tunnels


def delete_customer_gateway(*, actor: Actor, customer_gateway: CustomerGateway) -> None:
    """Delete a customer gateway without tunnels. Raises RuleError that names its tunnels."""
    require(actor, "delete_customergateway")
    with transaction.atomic():
        gateway = locked(customer_gateway)
        refuse_while_used(
            gateway.name, ("tunnel", gateway.tunnels.all()), advice="Delete its tunnels first."
        )
        _record_deletion(actor, gateway, "customer-gateway", _describe_customer(gateway))
        gateway.delete()


def create_vpn_gateway(
    *,
    actor: Actor,
    name: str,
    region: Region,
    type_: str,
    vpc: Vpc | None,
    ccn: Ccn | None,
    public_ip: str,
) -> VpnGateway:
    """A new VPN gateway; `vpc` goes with type VPC, `ccn` with type CCN, the other one is ignored.

    Raises PermissionDenied, and RuleError at name, public_ip, vpc and ccn.
    """
    require(actor, "add_vpngateway")
    with constraint_sentences(), transaction.atomic():
        vpc, ccn, findings = _check_network(region, type_, vpc, ccn)
        cleaned, address = _read(name, public_ip, findings)
        _check_address_free(address)
        gateway = VpnGateway.objects.create(
            name=cleaned, region=region, type=type_, vpc=vpc, ccn=ccn, public_ip=address
        )
        audit.record(
            actor=actor,
            action="vpn-gateway-created",
            target=gateway,
            message=f"VPN gateway {gateway.name} created at {address}",
            after=_describe_vpn(gateway),
        )
    return gateway


def update_vpn_gateway(
    *,
    actor: Actor,
    vpn_gateway: VpnGateway,
    name: str,
    region: Region,
    type_: str,
    vpc: Vpc | None,
    ccn: Ccn | None,
    public_ip: str,
) -> list[Tunnel]:
    """Change a VPN gateway; returns the tunnels that wait to be applied again because its address changed.

    Where it is attached is fixed once it has tunnels: their local ranges were checked against that network.
    Raises RuleError at name, public_ip, vpc, ccn, region and type.
    """
    require(actor, "change_vpngateway")
    with constraint_sentences(), transaction.atomic():
        vpc, ccn, findings = _check_network(region, type_, vpc, ccn)
        cleaned, address = _read(name, public_ip, findings)
        gateway = locked(vpn_gateway)
        before = _describe_vpn(gateway)
        if (gateway.region, gateway.type, gateway.vpc, gateway.ccn) != (region, type_, vpc, ccn):
            refuse_while_used(
                gateway.name,
                ("tunnel", gateway.tunnels.all()),
                advice="Its region, type and network are fixed while it has tunnels; delete them first, "
                "or make another gateway.",
                rule="gateway-attached",
                field="type",
            )
        moved = gateway.public_ip != address
        if moved:
            _check_address_free(address, besides=gateway)
        gateway.name, gateway.region, gateway.type = cleaned, region, type_
        gateway.vpc, gateway.ccn, gateway.public_ip = vpc, ccn, address
        gateway.save(update_fields=["name", "region", "type", "vpc", "ccn", "public_ip"])
        tunnels = _tunnels_of(gateway) if moved else []
        _readdress(actor, tunnels, f"{gateway.name} is now at {address}")
        _record_edit(actor, gateway, "vpn-gateway", before, _describe_vpn(gateway))
    return tunnels


def delete_vpn_gateway(*, actor: Actor, vpn_gateway: VpnGateway) -> None:
    """Delete a VPN gateway without tunnels. Raises RuleError that names its tunnels."""
    require(actor, "delete_vpngateway")
    with transaction.atomic():
        gateway = locked(vpn_gateway)
        refuse_while_used(
            gateway.name, ("tunnel", gateway.tunnels.all()), advice="Delete its tunnels first."
        )
        _record_deletion(actor, gateway, "vpn-gateway", _describe_vpn(gateway))
        gateway.delete()


def _read(name: str, public_ip: str, findings: Sequence[Finding] = ()) -> tuple[str, Address]:
    """Name and address of a gateway; raises RuleError with what is wrong with them and the given findings."""
    found = list(findings)
    cleaned = attempt(found, "name", clean_name, name)
    address = attempt(found, "public_ip", parse_gateway_address, public_ip)
    if cleaned is None or address is None or found:
        raise RuleError(found)
    return cleaned, address


def _check_platform(platform: str) -> list[Finding]:
    """Findings for a kind of device that is not offered; "" is none, and no mistake."""
    findings: list[Finding] = []
    if platform:
        attempt(findings, "platform", find_platform, platform)
    return findings


def _check_network(
    region: Region, type_: str, vpc: Vpc | None, ccn: Ccn | None
) -> tuple[Vpc | None, Ccn | None, list[Finding]]:
    """The network that goes with the type, locked, and findings when it is missing or in another region."""
    if type_ == GatewayType.CCN:
        if ccn is None:
            message = "Choose the CCN that the gateway is attached to."
            return None, None, [Finding(rule="gateway-no-network", message=message, field="ccn")]
        return None, locked(ccn), []
    if vpc is None:
        message = "Choose the VPC that the gateway is attached to."
        return None, None, [Finding(rule="gateway-no-network", message=message, field="vpc")]
    vpc = locked(vpc)
    if vpc.region_id != region.pk:
        message = (
            f"{vpc.name} is in {vpc.region.name}; choose a VPC of {region.name}, or that region."
        )
        return vpc, None, [Finding(rule="gateway-region", message=message, field="vpc")]
    return vpc, None, []


def _check_address_free(
    address: Address, besides: VpnGateway | CustomerGateway | None = None
) -> None:
    """Raise RuleError when another gateway, ours or a customer's, has the address.

    Holds other writers of addresses back until the transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADDRESSES_LOCK])
    for kind, model in (("VPN gateway", VpnGateway), ("customer gateway", CustomerGateway)):
        rows = model.objects.filter(public_ip=address)
        if isinstance(besides, model):
            rows = rows.exclude(pk=besides.pk)
        holder = rows.first()
        if holder:
            message = (
                f"{address} belongs to the {kind} {holder}; a gateway needs an address of its own."
            )
            raise RuleError(
                [Finding(rule="gateway-address-taken", message=message, field="public_ip")]
            )


def _lock_gateways_of(customer_gateway: CustomerGateway) -> None:
    """Lock our gateways of its tunnels, in the order of their keys so that two such calls cannot deadlock."""
    theirs = Tunnel.objects.filter(customer_gateway=customer_gateway).values("vpn_gateway")
    list(VpnGateway.objects.filter(pk__in=theirs).order_by("pk").select_for_update())


def _tunnels_of(gateway: VpnGateway | CustomerGateway) -> list[Tunnel]:
    return list(
        gateway.tunnels.select_related("vpn_gateway", "customer_gateway", "ike", "state").order_by(
            "pk"
        )
    )


def _readdress(actor: Actor, tunnels: Sequence[Tunnel], why: str) -> None:
    """Give each tunnel a new revision after one of its ends moved. Raises RuleError when identities
    collide or the families differ."""
    findings = [
        finding.at("public_ip")
        for tunnel in tunnels
        for finding in (
            *check_peer_identity(tunnel, peer=identities(tunnel, tunnel.ike)[1]),
            *check_outer_family(tunnel),
        )
    ]
    if findings:
        raise RuleError(findings)
    for tunnel in tunnels:
        mark_pending(tunnel)
        audit.record(
            actor=actor,
            action="tunnel-readdressed",
            target=tunnel,
            message=f"{why}; {tunnel.name} must be applied again, and its customer device changed",
            level=Event.Level.WARNING,
        )


def _record_edit(
    actor: Actor,
    gateway: VpnGateway | CustomerGateway,
    kind: str,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    if before == after:
        return
    audit.record(
        actor=actor,
        action=f"{kind}-edited",
        target=gateway,
        message=f"{_capital(gateway)} {gateway.name} edited",
        before=before,
        after=after,
    )


def _record_deletion(
    actor: Actor, gateway: VpnGateway | CustomerGateway, kind: str, before: dict[str, object]
) -> None:
    audit.record(
        actor=actor,
        action=f"{kind}-deleted",
        target=gateway,
        message=f"{_capital(gateway)} {gateway.name} deleted",
        before=before,
        level=Event.Level.WARNING,
    )


def _capital(gateway: VpnGateway | CustomerGateway) -> str:
    text = str(gateway._meta.verbose_name)
    return text[0].upper() + text[1:]


def _describe_customer(gateway: CustomerGateway) -> dict[str, object]:
    device = {"device": gateway.platform} if gateway.platform else {}
    return {"name": gateway.name, "public_ip": gateway.public_ip, **device}


def _describe_vpn(gateway: VpnGateway) -> dict[str, object]:
    return {
        "name": gateway.name,
        "region": gateway.region.code,
        "type": gateway.type,
        "network": gateway.network.public_id,
        "public_ip": gateway.public_ip,
    }
