"""Letting an agent speak for a gateway: a one-time token, exchanged once for the agent's own."""

from __future__ import annotations

import hashlib
import secrets

from django.db import transaction
from django.utils import timezone

from tunnels.domain.findings import refuse
from tunnels.models import Event, VpnGateway
from tunnels.models.agent import ENROLMENT_LIFETIME, GatewayAgent
from tunnels.services import audit
from tunnels.services.access import Actor, SystemActor, require


def start_enrolment(*, actor: Actor, vpn_gateway: VpnGateway) -> str:
    """A one-time token for the gateway, good for a day; it replaces an unused one. Shown once, kept as a digest."""
    require(actor, "change_vpngateway")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        agent, _ = GatewayAgent.objects.select_for_update().get_or_create(vpn_gateway=vpn_gateway)
        agent.enrol_hash = digest(token)
        agent.enrol_expires = timezone.now() + ENROLMENT_LIFETIME
        agent.save(update_fields=["enrol_hash", "enrol_expires"])
        audit.record(
            actor=actor,
            action="agent-enrolment-started",
            target=vpn_gateway,
            message=f"One-time token made for the agent of {vpn_gateway.name}",
            level=Event.Level.WARNING,
        )
    return token


def enrol(*, token: str) -> tuple[VpnGateway, str]:
    """Exchange a one-time token for the agent's own token; an agent enrolled before loses its token.

    Raises RuleError when the token is unknown, used or too old.
    """
    with transaction.atomic():
        agent = (
            GatewayAgent.objects.select_for_update(of=("self",))
            .select_related("vpn_gateway")
            .filter(enrol_hash=digest(token), enrol_expires__gt=timezone.now())
            .first()
        )
        if agent is None:
            raise refuse(
                "enrolment-token",
                "This one-time token is unknown, used or too old; make a new one on the gateway's page.",
            )
        own = secrets.token_urlsafe(32)
        agent.token_hash, agent.enrol_hash, agent.enrol_expires = digest(own), None, None
        agent.enrolled_at = timezone.now()
        agent.boot_id = ""
        agent.save()
        gateway = agent.vpn_gateway
        audit.record(
            actor=SystemActor(name="agent"),
            action="agent-enrolled",
            target=gateway,
            message=f"Agent of {gateway.name} enrolled",
        )
    return gateway, own


def revoke_agent(*, actor: Actor, vpn_gateway: VpnGateway) -> bool:
    """Take the agent's token away; it keeps its tunnels up but is no longer heard. False when there was none."""
    require(actor, "change_vpngateway")
    with transaction.atomic():
        changed = (
            GatewayAgent.objects.filter(vpn_gateway=vpn_gateway, token_hash__isnull=False).update(
                token_hash=None, enrol_hash=None
            )
            > 0
        )
        if changed:
            audit.record(
                actor=actor,
                action="agent-revoked",
                target=vpn_gateway,
                message=f"Token of the agent of {vpn_gateway.name} revoked",
                level=Event.Level.WARNING,
            )
    return changed


def digest(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
