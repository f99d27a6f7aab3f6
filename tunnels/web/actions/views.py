"""Reset, take down, bring up, delete: each asked as a dialog or a page, then done by a POST."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from tunnels.domain.findings import RuleError
from tunnels.domain.status import Intent
from tunnels.models import Tunnel
from tunnels.services import actions
from tunnels.web.access import writes
from tunnels.web.back import way_back
from tunnels.web.http import HtmxHttpRequest, done, respond

# Lists and pages that show tunnels fetch themselves again when they hear it.
CHANGED = "tunnels-changed"


def tunnel_for(public_id: str) -> Tunnel:
    """The tunnel with its gateways and state, without its key. Raises Http404."""
    tunnels = Tunnel.objects.select_related("vpn_gateway", "customer_gateway", "state")
    return get_object_or_404(tunnels.defer("psk", "previous_psk"), public_id=public_id)


@require_GET
@writes("tunnels.reset_tunnel")
def reset_confirm(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Ask before a reset."""
    return _ask(request, "reset", tunnel_for(public_id))


@require_POST
@writes("tunnels.reset_tunnel")
def reset(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Reset the tunnel."""
    tunnel = tunnel_for(public_id)
    try:
        changed = actions.reset_tunnel(actor=request.user, tunnel=tunnel)
    except RuleError as error:
        return _ask(request, "reset", tunnel, problem=str(error))
    if changed:
        messages.success(request, f"Reset of {tunnel.name} requested.")
    else:
        messages.info(request, f"A reset of {tunnel.name} is already waiting for its gateway.")
    return done(request, way_back(request), event=CHANGED)


@require_GET
@writes("tunnels.switch_tunnel")
def take_down_confirm(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Ask before taking the tunnel down."""
    return _ask(request, "take_down", tunnel_for(public_id))


@require_POST
@writes("tunnels.switch_tunnel")
def take_down(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Take the tunnel down."""
    tunnel = tunnel_for(public_id)
    try:
        changed = actions.take_down(actor=request.user, tunnel=tunnel)
    except RuleError as error:
        return _ask(request, "take_down", tunnel, problem=str(error))
    if changed:
        messages.success(request, f"{tunnel.name} is being taken down.")
    else:
        messages.info(request, f"{tunnel.name} is already taken down.")
    return done(request, way_back(request), event=CHANGED)


@require_POST
@writes("tunnels.switch_tunnel")
def bring_up(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Bring the tunnel up; that interrupts nothing, so nothing is asked."""
    tunnel = tunnel_for(public_id)
    try:
        changed = actions.bring_up(actor=request.user, tunnel=tunnel)
    except RuleError as error:
        messages.error(request, str(error))
    else:
        if changed:
            messages.success(request, f"{tunnel.name} is being brought up.")
        else:
            messages.info(request, f"{tunnel.name} is already meant to be up.")
    return done(request, way_back(request), event=CHANGED)


@require_GET
@writes("tunnels.delete_tunnel")
def delete_confirm(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Ask for the name before a deletion, or say what stands in its way."""
    return _ask(request, "delete", tunnel_for(public_id))


@require_POST
@writes("tunnels.delete_tunnel")
def delete(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Delete the tunnel when its name was typed and nothing stands in the way."""
    tunnel = Tunnel.objects.filter(public_id=public_id).defer("psk", "previous_psk").first()
    if tunnel is None:
        return _already_gone(request, public_id)
    tunnel = tunnel_for(public_id)
    if not _name_typed(request, tunnel):
        return _ask(request, "delete", tunnel, error=f"Type {tunnel.name} exactly as shown.")
    try:
        changed = actions.delete_tunnel(actor=request.user, tunnel=tunnel)
    except RuleError as error:
        return _ask(request, "delete", tunnel, problem=str(error))
    if not changed:
        messages.info(request, f"{tunnel.name} is already being deleted.")
    elif Tunnel.objects.filter(pk=tunnel.pk).exists():
        messages.success(request, f"{tunnel.name} is being deleted; its gateway lets go first.")
    else:
        messages.success(request, f"{tunnel.name} was deleted.")
    return _back_from(request, public_id)


@require_POST
@writes("tunnels.delete_tunnel")
def force_delete(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Delete the tunnel without the word of its silent gateway."""
    tunnel = Tunnel.objects.filter(public_id=public_id).defer("psk", "previous_psk").first()
    if tunnel is None:
        return _already_gone(request, public_id)
    tunnel = tunnel_for(public_id)
    if not _name_typed(request, tunnel):
        return _ask(request, "delete", tunnel, error=f"Type {tunnel.name} exactly as shown.")
    try:
        actions.force_delete(actor=request.user, tunnel=tunnel)
    except RuleError as error:
        return _ask(request, "delete", tunnel, problem=str(error))
    messages.success(request, f"{tunnel.name} was deleted without its gateway.")
    return _back_from(request, public_id)


def _ask(
    request: HtmxHttpRequest, action: str, tunnel: Tunnel, *, problem: str = "", error: str = ""
) -> HttpResponse:
    silent = actions.is_silent(tunnel.vpn_gateway)
    context = {
        "tunnel": tunnel,
        "back": way_back(request),
        "problem": problem,
        "error": error,
        "silent": silent,
        "deleting": tunnel.intent == Intent.DELETING,
        "connected": tunnel.state.connected and not silent,
        "may_switch": request.user.has_perm("tunnels.switch_tunnel"),
    }
    status = 422 if problem or error else 200
    return respond(
        request, f"tunnels/actions/{action}.html", context, partial="dialog", status=status
    )


def _name_typed(request: HtmxHttpRequest, tunnel: Tunnel) -> bool:
    return request.POST.get("confirm", "").strip() == tunnel.name


def _already_gone(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Deleting what is deleted is no mistake: a second click lands here."""
    messages.info(request, f"There is no tunnel {public_id} any more.")
    return _back_from(request, public_id)


def _back_from(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Back to where the user was, unless that was a page of the tunnel that goes."""
    page = reverse("tunnels:list") + f"{public_id}/"
    back = way_back(request, gone=page)
    open_page = request.htmx.current_url_abs_path or ""
    return done(request, back, event=None if open_page.startswith(page) else CHANGED)
