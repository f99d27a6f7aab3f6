"""Creating a tunnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from django.db import transaction

from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.names import check_tags, clean_name
from tunnels.domain.proposals import IkeSettings, IpsecSettings, check_ike, check_ipsec
from tunnels.domain.secret import Secret, check_psk
from tunnels.domain.spd import Rule
from tunnels.models import CustomerGateway, IkeConfig, IpsecConfig, Tunnel, TunnelState, VpnGateway
from tunnels.services import audit
from tunnels.services.access import Actor, actor_user, require
from tunnels.services.constraints import constraint_sentences
from tunnels.services.policy import (
    HealthRequest,
    check_gateway_pair,
    check_policy,
    health_word,
    lock_gateway,
    set_health,
    settle_health,
    store_rules,
    touch_gateway,
)
from tunnels.services.specs import identities


@dataclass(frozen=True, slots=True, kw_only=True)
class Basics:
    """Step 1. The region, the gateway's type and its VPC follow from `vpn_gateway`."""

    name: str
    vpn_gateway: VpnGateway
    customer_gateway: CustomerGateway
    psk: Secret
    health: HealthRequest | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def create_tunnel(
    *,
    actor: Actor,
    basics: Basics,
    rules: Sequence[Rule],
    ike: IkeSettings | None = None,
    ipsec: IpsecSettings | None = None,
    draft: UUID | None = None,
) -> Tunnel:
    """Create a tunnel that the gateway's agent will bring up; skipped steps get the modern preset.

    `draft` makes it idempotent: a second call with the same draft returns the tunnel of the first. Raises
    PermissionDenied, and RuleError with every finding of every step (fields are those of the steps' values).
    """
    require(actor, "add_tunnel")
    ike, ipsec = ike or IkeSettings(), ipsec or IpsecSettings()
    findings = [
        *check_basics(name=basics.name, psk=basics.psk, tags=basics.tags),
        *check_ike(ike),
        *check_ipsec(ipsec, version=ike.version),
    ]
    with constraint_sentences(), transaction.atomic():
        gateway = lock_gateway(basics.vpn_gateway)
        finished = Tunnel.objects.filter(draft=draft).first() if draft else None
        if finished:
            return finished
        health = settle_health(basics.health, vpn_gateway=gateway)
        tunnel = Tunnel(
            name=clean_name(basics.name) if not findings else basics.name,
            customer_gateway=basics.customer_gateway,
            vpn_gateway=gateway,
            psk=basics.psk,
            tags=dict(basics.tags),
            draft=draft,
            created_by=actor_user(actor),
        )
        set_health(tunnel, health)
        ike_config = IkeConfig(tunnel=tunnel, **asdict(ike))
        findings += check_gateway_pair(tunnel, peer=identities(tunnel, ike_config)[1])
        findings += check_policy(rules, vpn_gateway=gateway, health=health)
        if findings:
            raise RuleError(findings)
        tunnel.save()
        ike_config.tunnel = tunnel
        ike_config.save()
        IpsecConfig.objects.create(tunnel=tunnel, **asdict(ipsec))
        total = store_rules(tunnel, rules, health)
        state = TunnelState(
            tunnel=tunnel, mappings_total=total, health=health_word(health is not None)
        )
        state.refresh(intent=tunnel.intent)
        state.save()
        touch_gateway(gateway)
        audit.record(
            actor=actor,
            action="tunnel-created",
            target=tunnel,
            message=(
                f"Tunnel {tunnel.name} created with {len(rules)} SPD rule{'s'[: len(rules) != 1]} "
                f"and {total} mapping{'s'[: total != 1]}"
            ),
            after=describe(tunnel),
        )
    return tunnel


def check_basics(*, name: str, psk: Secret | None, tags: Mapping[str, str]) -> list[Finding]:
    """Findings of step 1 that need no other tunnel; a psk of None is one that stays as it is."""
    findings: list[Finding] = []
    try:
        clean_name(name)
    except RuleError as error:
        findings += [finding.at("name") for finding in error.findings]
    try:
        if psk is not None:
            check_psk(psk.reveal())
    except RuleError as error:
        findings += error.findings
    return findings + check_tags(tags.items())


def describe(tunnel: Tunnel) -> dict[str, object]:
    """Step 1 of a tunnel for an event; the key is a Secret and stays one."""
    return {
        "name": tunnel.name,
        "vpn_gateway": tunnel.vpn_gateway.public_id,
        "customer_gateway": tunnel.customer_gateway.public_id,
        "psk": tunnel.psk,
        "health_check": f"{tunnel.health_local} → {tunnel.health_remote}"
        if tunnel.health_enabled
        else "off",
        "tags": tunnel.tags,
    }
