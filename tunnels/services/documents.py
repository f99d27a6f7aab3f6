"""What a gateway's agent is told: all its tunnels as documents, keys included."""

from __future__ import annotations

from collections import defaultdict

from pydantic import SecretStr

from tunnels.contract import (
    HealthDocument,
    IkeDocument,
    IpsecDocument,
    MappingDocument,
    TunnelDocument,
)
from tunnels.domain.status import Intent
from tunnels.models import Mapping, Tunnel, VpnGateway
from tunnels.services.specs import identities


def tunnel_documents(vpn_gateway: VpnGateway) -> tuple[TunnelDocument, ...]:
    """Every tunnel of the gateway, in two queries whatever their number."""
    pairs: dict[int, list[MappingDocument]] = defaultdict(list)
    stored = Mapping.objects.filter(vpn_gateway=vpn_gateway).order_by("pk")
    for tunnel_pk, local, remote in stored.values_list("tunnel_id", "local_cidr", "remote_cidr"):
        pairs[tunnel_pk].append(MappingDocument(local=local, remote=remote))
    tunnels = Tunnel.objects.filter(vpn_gateway=vpn_gateway).select_related(
        "customer_gateway", "ike", "ipsec"
    )
    documents = []
    for tunnel in tunnels.order_by("pk"):
        tunnel.vpn_gateway = vpn_gateway
        documents.append(_document(tunnel, tuple(pairs[tunnel.pk])))
    return tuple(documents)


def _document(tunnel: Tunnel, mappings: tuple[MappingDocument, ...]) -> TunnelDocument:
    local_identity, remote_identity = identities(tunnel, tunnel.ike)
    health = tunnel.health
    return TunnelDocument(
        id=tunnel.public_id,
        revision=tunnel.revision,
        intent=Intent(tunnel.intent),
        resets=tunnel.reset_count,
        local_address=tunnel.vpn_gateway.public_ip,
        local_identity=local_identity,
        remote_address=tunnel.customer_gateway.public_ip,
        remote_identity=remote_identity,
        psk=SecretStr(tunnel.psk.reveal()),
        previous_psk=SecretStr(tunnel.previous_psk.reveal()) if tunnel.previous_psk else None,
        mappings=mappings,
        ike=IkeDocument.model_validate(tunnel.ike.settings, from_attributes=True),
        ipsec=IpsecDocument.model_validate(tunnel.ipsec.settings, from_attributes=True),
        health=HealthDocument.model_validate(health, from_attributes=True) if health else None,
    )
