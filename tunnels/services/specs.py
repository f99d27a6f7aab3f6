"""From rows to domain values: the specification of a tunnel, ready for device files and agents."""

from __future__ import annotations

from django.conf import settings

from tunnels.domain.spd import Quotas, Rule
from tunnels.domain.spec import Endpoint, TunnelSpec
from tunnels.domain.status import Intent
from tunnels.models import Tunnel
from tunnels.models.tunnel import IkeConfig


def quotas() -> Quotas:
    """The limits in force, from the settings."""
    console = settings.VPNCONSOLE
    return Quotas(
        rules_per_tunnel=console.max_rules_per_tunnel,
        remotes_per_rule=console.max_remotes_per_rule,
        mappings_per_gateway=console.max_mappings_per_gateway,
        tunnels_per_gateway=console.max_tunnels_per_gateway,
    )


def stored_rules(tunnel: Tunnel) -> tuple[Rule, ...]:
    """The SPD rules of a tunnel in order, with their remotes in the order they were entered (two queries)."""
    return tuple(
        Rule(
            local=rule.local_cidr,
            remotes=tuple(mapping.remote_cidr for mapping in rule.mappings.all()),
        )
        for rule in tunnel.rules.prefetch_related("mappings")
    )


def identities(tunnel: Tunnel, ike: IkeConfig) -> tuple[str, str]:
    """What the two ends call themselves in IKE: their FQDN, else their public address."""
    return (
        ike.local_fqdn or str(tunnel.vpn_gateway.public_ip),
        ike.remote_fqdn or str(tunnel.customer_gateway.public_ip),
    )


def spec_of(tunnel: Tunnel) -> TunnelSpec:
    """The whole tunnel as a frozen value, key included; load it with gateways, ike and ipsec selected."""
    local_identity, remote_identity = identities(tunnel, tunnel.ike)
    return TunnelSpec(
        id=tunnel.public_id,
        name=tunnel.name,
        revision=tunnel.revision,
        intent=Intent(tunnel.intent),
        local=Endpoint(
            name=tunnel.vpn_gateway.name,
            address=tunnel.vpn_gateway.public_ip,
            identity=local_identity,
        ),
        remote=Endpoint(
            name=tunnel.customer_gateway.name,
            address=tunnel.customer_gateway.public_ip,
            identity=remote_identity,
        ),
        psk=tunnel.psk,
        rules=stored_rules(tunnel),
        ike=tunnel.ike.settings,
        ipsec=tunnel.ipsec.settings,
        health=tunnel.health,
        tags=dict(tunnel.tags),
    )
