"""The page of one tunnel, its live parts, and its key."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from tunnels.models import Tunnel, logbook
from tunnels.models.logbook import Query
from tunnels.services import actions
from tunnels.web.access import reads, writes
from tunnels.web.detail import present
from tunnels.web.devices import remembered
from tunnels.web.http import HtmxHttpRequest, respond

RECENT: Final = 10


@require_GET
@reads()
def detail(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the page of the tunnel."""
    tunnel = load(public_id)
    context = {
        **_live(tunnel),
        "ike_facts": present.ike_facts(tunnel),
        "ipsec_facts": present.ipsec_facts(tunnel),
        "warnings": present.warnings_of(tunnel),
        "entries": _recent(request, public_id),
        "device": remembered(tunnel.customer_gateway),
    }
    return respond(request, "tunnels/detail.html", context, partial="detail")


@require_GET
@reads()
def detail_live(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the parts that change by themselves; 204 when they still have the version `v`."""
    tunnel = load(public_id)
    if request.GET.get("v") == present.version_of(tunnel):
        return HttpResponse(status=204)
    return respond(request, "tunnels/detail_live.html", {**_live(tunnel), "oob": True})


@require_POST
@writes("tunnels.reveal_psk")
def reveal_psk(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the pre-shared key, once, and leave an event."""
    tunnel = load(public_id, with_key=True)
    secret = actions.reveal_psk(actor=request.user, tunnel=tunnel)
    context = {"tunnel": tunnel, "key": secret.reveal()}
    response = respond(request, "tunnels/detail_psk.html", context, partial="shown")
    response["Cache-Control"] = "private, no-store"
    return response


def load(public_id: str, *, with_key: bool = False) -> Tunnel:
    """The tunnel with all that its page shows, in one query; without its key unless asked. Raises Http404."""
    rows = Tunnel.objects.select_related(
        "vpn_gateway__region",
        "vpn_gateway__vpc",
        "vpn_gateway__ccn",
        "customer_gateway",
        "ike",
        "ipsec",
        "state",
        "created_by",
    )
    tunnel = (
        (rows if with_key else rows.defer("psk", "previous_psk"))
        .filter(public_id=public_id)
        .first()
    )
    if tunnel is None:
        raise Http404
    return tunnel


def _live(tunnel: Tunnel) -> dict[str, Any]:
    return {
        "tunnel": tunnel,
        "status": present.status_of(tunnel),
        "cause": present.cause_of(tunnel),
        "version": present.version_of(tunnel),
        "observed": present.observed(tunnel),
        "rules": present.rule_rows(tunnel),
        **present.rotation_of(tunnel),
        "phase1": present.phase1_text(tunnel),
        "last_reset": present.reset_text(tunnel),
    }


def _recent(request: HtmxHttpRequest, public_id: str) -> list[logbook.Entry]:
    if not request.user.has_perm("tunnels.view_event"):
        return []
    return logbook.newest(Query(target=public_id, subsystem="console"), limit=RECENT)
