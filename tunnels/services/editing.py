"""Editing a tunnel, step by step, and its tags.

Each function takes the revision that the editor saw, and step 1 also the mark of name and tags, which leave the
revision alone; when somebody saved in between, it refuses instead of overwriting. A change that the gateway
must apply raises the tunnel's revision and marks it pending.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from django.db import transaction

from tunnels.domain.findings import Finding, RuleError, refuse
from tunnels.domain.names import check_tags, clean_name, format_tags
from tunnels.domain.proposals import IkeSettings, IpsecSettings, check_ike, check_ipsec
from tunnels.domain.rotation import check_rotatable
from tunnels.domain.secret import Secret
from tunnels.domain.spd import Rule
from tunnels.domain.status import Intent, Provisioning
from tunnels.models import Tunnel
from tunnels.services import audit
from tunnels.services.access import Actor, require
from tunnels.services.constraints import constraint_sentences
from tunnels.services.creation import check_basics, describe
from tunnels.services.policy import (
    HealthRequest,
    check_peer_identity,
    check_policy,
    health_word,
    lock_gateway,
    set_health,
    settle_health,
    store_rules,
    touch_gateway,
)
from tunnels.services.specs import identities, stored_rules

_ROTATING = Finding(
    rule="rotation-under-way",
    message="The key of this tunnel is being rotated; finish or cancel the rotation on its page first.",
)


def basics_mark(tunnel: Tunnel) -> str:
    """A short text that differs whenever name or tags do."""
    seen = json.dumps([tunnel.name, tunnel.tags], sort_keys=True)
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def lock_tunnel(tunnel: Tunnel) -> Tunnel:
    """A fresh copy of the tunnel with its gateways, steps and state, its gateway's row locked.

    Raises RuleError when it has been deleted meanwhile.
    """
    gateway = lock_gateway(tunnel.vpn_gateway)
    fresh = (
        Tunnel.objects.filter(pk=tunnel.pk)
        .select_related("customer_gateway", "ike", "ipsec", "state")
        .first()
    )
    if fresh is None:
        raise refuse(
            "tunnel-gone", f"{tunnel.name} has been deleted meanwhile; go back to the list."
        )
    fresh.vpn_gateway = gateway
    return fresh


def update_basics(
    *,
    actor: Actor,
    tunnel: Tunnel,
    name: str,
    health: HealthRequest | None,
    tags: Mapping[str, str],
    psk: Secret | None = None,
    seen_revision: int | None = None,
    seen_mark: str = "",
) -> Tunnel:
    """Change step 1; `psk` None keeps the key. The gateways of a tunnel are fixed: make a new one to change them."""

    def apply(fresh: Tunnel) -> tuple[bool, list[Finding]]:
        if seen_mark and seen_mark != basics_mark(fresh):
            raise _changed_meanwhile()
        findings = check_basics(name=name, psk=psk, tags=tags)
        if fresh.rotating_since and psk is not None and psk != fresh.psk:
            findings.append(_ROTATING.at("psk"))
        settled = settle_health(health, vpn_gateway=fresh.vpn_gateway, besides=fresh)
        rules = stored_rules(fresh)
        relevant = settled != fresh.health or (psk is not None and psk != fresh.psk)
        if settled != fresh.health:
            findings += check_policy(
                rules, vpn_gateway=fresh.vpn_gateway, health=settled, besides=fresh
            )
        if findings:
            return False, findings
        fresh.name, fresh.tags, fresh.psk = clean_name(name), dict(tags), psk or fresh.psk
        if settled != fresh.health:
            set_health(fresh, settled)
            fresh.state.health = health_word(settled is not None)
            fresh.state.mappings_total = store_rules(fresh, rules, settled)
        return relevant, []

    return _edit(actor, tunnel, "basic information", seen_revision, describe, apply)


def update_policy(
    *, actor: Actor, tunnel: Tunnel, rules: Sequence[Rule], seen_revision: int | None = None
) -> Tunnel:
    """Change step 2; mappings that stay keep their rows and so their SAs."""

    def apply(fresh: Tunnel) -> tuple[bool, list[Finding]]:
        if tuple(rules) == stored_rules(fresh):
            return False, []
        findings = check_policy(
            rules, vpn_gateway=fresh.vpn_gateway, health=fresh.health, besides=fresh
        )
        if findings:
            return False, findings
        fresh.state.mappings_total = store_rules(fresh, rules, fresh.health)
        return True, []

    return _edit(actor, tunnel, "SPD policy", seen_revision, _describe_rules, apply)


def update_ike(
    *, actor: Actor, tunnel: Tunnel, ike: IkeSettings, seen_revision: int | None = None
) -> Tunnel:
    """Change step 3."""

    def apply(fresh: Tunnel) -> tuple[bool, list[Finding]]:
        findings = check_ike(ike) + [
            finding.at("version")
            for finding in check_ipsec(fresh.ipsec.settings, version=ike.version)
        ]
        if fresh.rotating_since and check_rotatable(ike.version):
            findings.append(_ROTATING.at("version"))
        relevant = ike != fresh.ike.settings
        for key, value in asdict(ike).items():
            setattr(fresh.ike, key, value)
        findings += check_peer_identity(fresh, peer=identities(fresh, fresh.ike)[1])
        if relevant and not findings:
            fresh.ike.save()
        return relevant, findings

    return _edit(
        actor,
        tunnel,
        "IKE settings",
        seen_revision,
        lambda fresh: asdict(fresh.ike.settings),
        apply,
    )


def update_ipsec(
    *, actor: Actor, tunnel: Tunnel, ipsec: IpsecSettings, seen_revision: int | None = None
) -> Tunnel:
    """Change step 4."""

    def apply(fresh: Tunnel) -> tuple[bool, list[Finding]]:
        findings = check_ipsec(ipsec, version=fresh.ike.settings.version)
        relevant = ipsec != fresh.ipsec.settings
        for key, value in asdict(ipsec).items():
            setattr(fresh.ipsec, key, value)
        if relevant and not findings:
            fresh.ipsec.save()
        return relevant, findings

    return _edit(
        actor,
        tunnel,
        "IPsec settings",
        seen_revision,
        lambda fresh: asdict(fresh.ipsec.settings),
        apply,
    )


def retag(*, actor: Actor, tunnel: Tunnel, tags: Mapping[str, str]) -> bool:
    """Replace the tags; whether anything changed. Tags never touch the data plane."""
    require(actor, "retag_tunnel")
    findings = check_tags(tags.items())
    if findings:
        raise RuleError(findings)
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        before, after = dict(fresh.tags), dict(tags)
        if before == after:
            return False
        fresh.tags = after
        fresh.save(update_fields=["tags"])
        audit.record(
            actor=actor,
            action="tunnel-retagged",
            target=fresh,
            message=f"Tags of {fresh.name} set to {format_tags(after) or 'none'}",
            before={"tags": before},
            after={"tags": after},
        )
    return True


def mark_pending(tunnel: Tunnel) -> None:
    """Save the tunnel with a new revision, its state pending, and tell the gateway."""
    tunnel.revision += 1
    tunnel.save()
    tunnel.state.provisioning = Provisioning.PENDING.value
    tunnel.state.failure, tunnel.state.cause = "", None
    tunnel.state.refresh(intent=tunnel.intent)
    tunnel.state.save()
    touch_gateway(tunnel.vpn_gateway)


def _edit(
    actor: Actor,
    tunnel: Tunnel,
    what: str,
    seen_revision: int | None,
    describe_: Callable[[Tunnel], Mapping[str, object]],
    apply: Callable[[Tunnel], tuple[bool, list[Finding]]],
) -> Tunnel:
    """The frame of every edit: permission, lock, revision check, apply, save, event.

    `apply` changes and stores the fresh tunnel and answers whether the gateway must hear of it, and findings.
    """
    require(actor, "change_tunnel")
    with constraint_sentences(), transaction.atomic():
        fresh = lock_tunnel(tunnel)
        if fresh.intent == Intent.DELETING:
            raise refuse("tunnel-deleting", f"{fresh.name} is being deleted and cannot be edited.")
        if seen_revision is not None and seen_revision != fresh.revision:
            raise _changed_meanwhile()
        before = dict(describe_(fresh))
        relevant, findings = apply(fresh)
        if findings:
            raise RuleError(findings)
        after = dict(describe_(fresh))
        if relevant:
            mark_pending(fresh)
        else:
            fresh.save()
        if before != after:
            message = f"{what[0].upper()}{what[1:]} of {fresh.name} edited"
            audit.record(
                actor=actor,
                action="tunnel-edited",
                target=fresh,
                message=message,
                before=before,
                after=after,
            )
    return fresh


def _changed_meanwhile() -> RuleError:
    return refuse(
        "tunnel-changed",
        "Somebody saved this tunnel while you were editing; reload the page to see it, then edit again.",
    )


def _describe_rules(tunnel: Tunnel) -> dict[str, object]:
    return {
        f"rule {number}": f"{rule.local} ↔ {', '.join(map(str, rule.remotes))}"
        for number, rule in enumerate(stored_rules(tunnel), start=1)
    }
