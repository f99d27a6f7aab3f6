"""The actions of the list: reset, take down, bring up, delete, reveal the key, download a file.

Each is idempotent: done twice in a row, the second call changes nothing, leaves no event and answers False.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from tunnels.domain.findings import refuse
from tunnels.domain.secret import Secret
from tunnels.domain.status import SILENT_AFTER_SECONDS, Intent
from tunnels.models import Event, Tunnel, VpnGateway
from tunnels.services import audit
from tunnels.services.access import Actor, require
from tunnels.services.editing import lock_tunnel, mark_pending
from tunnels.services.inventory import locked
from tunnels.services.policy import touch_gateway


def reset_tunnel(*, actor: Actor, tunnel: Tunnel) -> bool:
    """Ask the gateway to terminate, reload and initiate the tunnel; False when a reset is already waiting.

    Raises RuleError when the tunnel is taken down or being deleted.
    """
    require(actor, "reset_tunnel")
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        if fresh.intent != Intent.UP:
            message = f"{fresh.name} is taken down; bring it up instead of resetting it."
            if fresh.intent == Intent.DELETING:
                message = f"{fresh.name} is being deleted and cannot be reset."
            raise refuse("reset-not-up", message)
        if fresh.reset_count > fresh.state.resets_done:
            return False
        fresh.reset_count += 1
        fresh.save(update_fields=["reset_count"])
        touch_gateway(fresh.vpn_gateway)
        audit.record(
            actor=actor,
            action="tunnel-reset",
            target=fresh,
            message=f"Reset of {fresh.name} requested",
            level=Event.Level.WARNING,
        )
    return True


def take_down(*, actor: Actor, tunnel: Tunnel) -> bool:
    """Want the tunnel down and keep its configuration; whether anything changed."""
    return _switch(actor, tunnel, Intent.DOWN, "tunnel-taken-down", "taken down")


def bring_up(*, actor: Actor, tunnel: Tunnel) -> bool:
    """Want the tunnel up; whether anything changed."""
    return _switch(actor, tunnel, Intent.UP, "tunnel-brought-up", "brought up")


def delete_tunnel(*, actor: Actor, tunnel: Tunnel) -> bool:
    """Delete an unconnected tunnel; False when that is already under way.

    A gateway that has an agent must first confirm that charon has let go: until then the tunnel shows as
    Deleting and keeps its mappings. A gateway that was never seen holds nothing, so the tunnel goes at once.
    Raises RuleError when the tunnel is connected; what a silent gateway said last does not count.
    """
    require(actor, "delete_tunnel")
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        if fresh.intent == Intent.DELETING:
            return False
        if fresh.state.connected and not is_silent(fresh.vpn_gateway):
            raise refuse(
                "tunnel-connected",
                f"{fresh.name} is connected and carries traffic. Take it down first, then delete it.",
            )
        if fresh.vpn_gateway.last_seen is None:
            _remove(actor, fresh, f"Tunnel {fresh.name} deleted")
            return True
        fresh.intent = Intent.DELETING.value
        fresh.deleting_since = timezone.now()
        mark_pending(fresh)
        audit.record(
            actor=actor,
            action="tunnel-delete-requested",
            target=fresh,
            message=f"Deletion of {fresh.name} requested; waiting for the gateway to let go",
            level=Event.Level.WARNING,
        )
    return True


def force_delete(*, actor: Actor, tunnel: Tunnel) -> None:
    """Remove a tunnel whose gateway is silent, without its confirmation.

    If that gateway ever comes back, it may still run the tunnel until its agent syncs again. Raises RuleError
    while the gateway reports, or when the tunnel was not asked to be deleted first.
    """
    require(actor, "delete_tunnel")
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        if fresh.intent != Intent.DELETING:
            raise refuse(
                "force-not-deleting",
                "Delete the tunnel first; forcing is for a deletion that hangs.",
            )
        if not is_silent(fresh.vpn_gateway):
            raise refuse(
                "force-gateway-alive",
                f"{fresh.vpn_gateway.name} is reporting; wait until it confirms the deletion.",
            )
        _remove(actor, fresh, f"Tunnel {fresh.name} deleted by force: its gateway is silent")


def reveal_psk(*, actor: Actor, tunnel: Tunnel) -> Secret:
    """The pre-shared key, for somebody who may see it; leaves an event."""
    require(actor, "reveal_psk")
    audit.record(
        actor=actor,
        action="psk-revealed",
        target=tunnel,
        message=f"Pre-shared key of {tunnel.name} revealed",
        level=Event.Level.WARNING,
    )
    return tunnel.psk


def record_download(
    *,
    actor: Actor,
    tunnel: Tunnel,
    label: str,
    redacted: bool,
    platform: str = "",
    version: str = "",
    answers: Mapping[str, str] | None = None,
) -> None:
    """Note that a configuration file was downloaded, and remember on the customer gateway what it was written for.

    That is the platform, its version, and the answers (checked ones) to its questions; answers to questions that
    were not asked this time, and those for other platforms, are kept. A file that suits any device has no `platform`,
    and changes nothing of what is remembered. Raises PermissionDenied when the file holds the key and the actor may not
    see it.
    """
    require(actor, "view_tunnel")
    if not redacted:
        require(actor, "reveal_psk")
    with transaction.atomic():
        if platform:
            gateway = locked(tunnel.customer_gateway)
            gateway.platform, gateway.platform_version = platform, version
            known = gateway.device_answers
            known[platform] = {**known.get(platform, {}), **(answers or {})}
            gateway.save(update_fields=["platform", "platform_version", "device_answers"])
        audit.record(
            actor=actor,
            action="config-downloaded",
            target=tunnel,
            message=f"Configuration of {tunnel.name} for {label} downloaded, "
            f"{'without' if redacted else 'with'} the key",
            level=Event.Level.INFO if redacted else Event.Level.WARNING,
        )


def is_silent(gateway: VpnGateway) -> bool:
    """Whether the gateway's agent, once seen, has not reported lately: what it said last is not live."""
    if gateway.last_seen is None:
        return False
    return timezone.now() - gateway.last_seen > timedelta(seconds=SILENT_AFTER_SECONDS)


def _switch(actor: Actor, tunnel: Tunnel, intent: Intent, action: str, done: str) -> bool:
    require(actor, "switch_tunnel")
    with transaction.atomic():
        fresh = lock_tunnel(tunnel)
        if fresh.intent == Intent.DELETING:
            raise refuse("tunnel-deleting", f"{fresh.name} is being deleted; it cannot be {done}.")
        if fresh.intent == intent:
            return False
        fresh.intent = intent.value
        mark_pending(fresh)
        audit.record(
            actor=actor, action=action, target=fresh, message=f"Tunnel {fresh.name} {done}"
        )
    return True


def _remove(actor: Actor, tunnel: Tunnel, message: str) -> None:
    audit.record(
        actor=actor,
        action="tunnel-deleted",
        target=tunnel,
        message=message,
        level=Event.Level.WARNING,
    )
    touch_gateway(tunnel.vpn_gateway)
    tunnel.delete()
