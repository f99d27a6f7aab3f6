"""The page of one VPN gateway, its live parts, and enrolling and revoking its agent."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from tunnels.models import GatewayAgent, VpnGateway
from tunnels.models.agent import ENROLMENT_LIFETIME
from tunnels.models.listing import Criteria, Sort, list_page
from tunnels.services.enrolment import revoke_agent, start_enrolment
from tunnels.web.access import reads, writes
from tunnels.web.gateways.present import agent_view, version_of
from tunnels.web.http import HtmxHttpRequest, done, respond
from tunnels.web.listing.rows import cells_of

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CHANGED: Final = "vpngateway-changed"


@require_GET
@reads("tunnels.view_vpngateway")
def gateway(request: HtmxHttpRequest, ident: str) -> HttpResponse:
    """Answer with the page of the gateway."""
    return respond(request, "gateways/gateway.html", _shown(_find(ident)), partial="gateway")


@require_GET
@reads("tunnels.view_vpngateway")
def gateway_live(request: HtmxHttpRequest, ident: str) -> HttpResponse:
    """Answer with the parts that change by themselves; 204 when they still have the version `v`."""
    shown = _shown(_find(ident))
    if request.GET.get("v") == shown["version"]:
        return HttpResponse(status=204)
    return respond(request, "gateways/live.html", {**shown, "oob": True})


@require_POST
@writes("tunnels.change_vpngateway")
@sensitive_variables("token")
def agent_enrol(request: HtmxHttpRequest, ident: str) -> HttpResponse:
    """Make a one-time token and show, this once, what to paste on the gateway's host."""
    vpn_gateway = _find(ident)
    token = start_enrolment(actor=request.user, vpn_gateway=vpn_gateway)
    console = request.build_absolute_uri("/").rstrip("/")
    parts = urlsplit(console)
    context = {
        "gateway": vpn_gateway,
        "token": token,
        "console": console,
        "hours": int(ENROLMENT_LIFETIME.total_seconds() // 3_600),
        "unsafe": parts.scheme != "https" and parts.hostname not in LOCAL_HOSTS,
        "local": parts.hostname in LOCAL_HOSTS,
    }
    response = respond(request, "gateways/enrol.html", context, partial="dialog")
    response["Cache-Control"] = "private, no-store"
    return response


@require_GET
@writes("tunnels.change_vpngateway")
def agent_revoke_confirm(request: HtmxHttpRequest, ident: str) -> HttpResponse:
    """Ask before an agent's token is revoked."""
    context = {"gateway": _find(ident)}
    return respond(request, "gateways/revoke.html", context, partial="dialog")


@require_POST
@writes("tunnels.change_vpngateway")
def agent_revoke(request: HtmxHttpRequest, ident: str) -> HttpResponse:
    """Revoke the agent's token."""
    vpn_gateway = _find(ident)
    if revoke_agent(actor=request.user, vpn_gateway=vpn_gateway):
        messages.success(request, f"The agent of {vpn_gateway.name} is not heard any more.")
    else:
        messages.info(request, f"{vpn_gateway.name} has no enrolled agent.")
    return done(request, "tunnels:vpngateway", event=CHANGED, ident=ident)


def _find(ident: str) -> VpnGateway:
    rows = VpnGateway.objects.select_related("region", "vpc", "ccn")
    return get_object_or_404(rows, public_id=ident)


def _shown(vpn_gateway: VpnGateway) -> dict[str, Any]:
    agent = GatewayAgent.objects.filter(vpn_gateway=vpn_gateway).first()
    view = agent_view(vpn_gateway, agent)
    page = list_page(Criteria(vpn_gateway=vpn_gateway.public_id), sort=Sort.NAME)
    rows = [(row, cells_of(row)) for row in page.rows]
    return {
        "gateway": vpn_gateway,
        "agent": view,
        "rows": rows,
        "more": page.after is not None,
        "version": version_of(view, [(row.name, cells) for row, cells in rows]),
    }
