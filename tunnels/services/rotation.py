"""Rotating a pre-shared key without cutting traffic: both keys are good until the device has the new one.

Start, change the key on the device, finish. Each step is idempotent: done twice in a row, the second call changes
nothing, leaves no event and answers False.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.db import transaction
from django.utils import timezone

from tunnels.domain.findings import RuleError, refuse
from tunnels.domain.rotation import RotationFacts, RotationStage, check_rotatable, rotation_stage
from tunnels.domain.secret import Secret, check_psk, generate_psk
from tunnels.domain.status import Intent, Phase1
from tunnels.models import Event, Tunnel
from tunnels.services import audit
from tunnels.services.access import Actor, require
from tunnels.services.actions import is_silent
from tunnels.services.editing import lock_tunnel, mark_pending

# What forcing the end implies, stage by stage.
RISKS: Final[Mapping[RotationStage, str]] = MappingProxyType(
    {
        RotationStage.SILENT: "The VPN gateway is silent, so nobody knows which key the device has. "
        "If it is the old one, the tunnel goes down as soon as the gateway is back.",
        RotationStage.APPLYING: "The VPN gateway has not taken over both keys yet, so the device cannot have shown "
        "which one it has. If it is the old one, the tunnel goes down at its next negotiation.",
        RotationStage.OLD: "The device still uses the old key. "
        "The tunnel goes down at its next negotiation, until somebody gives the device the new key.",
        RotationStage.DOWN: "The tunnel has no connection, so the device has not shown which key it has. "
        "If it is the old one, the tunnel stays down.",
        RotationStage.UNPROVEN: "The device has not shown which key it has: the running connection was made before "
        "the gateway had the new one, or just now. If it is the old one, the tunnel goes down at its next negotiation.",
    }
)


def stage_of(tunnel: Tunnel) -> RotationStage | None:
    """How far the rotation of a tunnel has come that was loaded with its state and VPN gateway; None without one."""
    if tunnel.rotating_since is None:
        return None
    state = tunnel.state
    return rotation_stage(
        RotationFacts(
            now=timezone.now(),
            silent=is_silent(tunnel.vpn_gateway),
            connected=state.phase1 == Phase1.ESTABLISHED,
            signs_with_previous=state.signing == "previous",
            both_keys_at=state.both_keys_at,
            authenticated_at=state.authenticated_at,
        )
    )


def start_rotation(*, actor: Actor, tunnel: Tunnel, psk: Secret | None = None) -> bool:
    """Make `psk` (a fresh one unless given) the key and keep the present one as the previous key.

    False when a rotation is under way already. Raises RuleError for IKEv1, for a tunnel that is not meant to be up,
    and for a key that is refused or no other than the present one.
    """
    require(actor, "change_tunnel")
    fresh_key = check_psk(psk.reveal()) if psk is not None else generate_psk()
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        if fresh.rotating_since is not None:
            return False
        if fresh.intent != Intent.UP:
            raise refuse(
                "rotation-not-up",
                f"{fresh.name} is not meant to be up, so no traffic needs saving: edit its key instead.",
            )
        findings = check_rotatable(fresh.ike.settings.version)
        if findings:
            raise RuleError(findings)
        if fresh_key == fresh.psk:
            raise refuse(
                "rotation-same-key", "This is the key that the tunnel has already.", field="psk"
            )
        fresh.psk, fresh.previous_psk, fresh.rotating_since = fresh_key, fresh.psk, timezone.now()
        fresh.state.signing, fresh.state.both_keys_at = "current", None
        mark_pending(fresh)
        audit.record(
            actor=actor,
            action="psk-rotation-started",
            target=fresh,
            message=f"Rotation of the key of {fresh.name} started; the old key still works",
            level=Event.Level.WARNING,
        )
    return True


def finish_rotation(*, actor: Actor, tunnel: Tunnel, force: bool = False) -> bool:
    """Drop the previous key; False when there is none.

    Raises RuleError, unless forced, while the device has not been seen with the new key.
    """
    require(actor, "change_tunnel")
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        stage = stage_of(fresh)
        if stage is None:
            return False
        if stage is not RotationStage.SWITCHED and not force:
            raise refuse("rotation-not-switched", RISKS[stage])
        forced = stage is not RotationStage.SWITCHED
        fresh.previous_psk, fresh.rotating_since = None, None
        mark_pending(fresh)
        audit.record(
            actor=actor,
            action="psk-rotation-finished",
            target=fresh,
            message=f"Rotation of the key of {fresh.name} finished"
            + (" before the device was seen with the new key" if forced else ""),
            level=Event.Level.WARNING if forced else Event.Level.INFO,
        )
    return True


def cancel_rotation(*, actor: Actor, tunnel: Tunnel) -> bool:
    """Go back to the previous key and forget the new one; False when no rotation is under way."""
    require(actor, "change_tunnel")
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        if fresh.previous_psk is None:
            return False
        fresh.psk, fresh.previous_psk, fresh.rotating_since = fresh.previous_psk, None, None
        mark_pending(fresh)
        audit.record(
            actor=actor,
            action="psk-rotation-cancelled",
            target=fresh,
            message=f"Rotation of the key of {fresh.name} cancelled; the old key stays",
            level=Event.Level.WARNING,
        )
    return True
