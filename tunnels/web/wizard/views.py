"""The wizard's addresses: a fresh draft, its steps, and the check of its rules as one types."""

from __future__ import annotations

from typing import cast
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tunnels.web.access import writes
from tunnels.web.http import HtmxHttpRequest, SeeOther, respond
from tunnels.web.wizard.draft import chosen_gateway, note_device, probe_of
from tunnels.web.wizard.forms_spd import SpdForm
from tunnels.web.wizard.storage import DraftStorage
from tunnels.web.wizard.wizard import TunnelWizard

_steps = TunnelWizard.as_view(url_name="tunnels:wizard")


@require_GET
@writes("tunnels.add_tunnel")
def create(_request: HtmxHttpRequest) -> HttpResponse:
    """Send the browser to the first step of a fresh draft; nothing is stored before something is typed."""
    return SeeOther(reverse("tunnels:wizard", kwargs={"draft": uuid4(), "step": "basic"}))


@require_http_methods(["GET", "POST"])
@writes("tunnels.add_tunnel")
def wizard(request: HtmxHttpRequest, draft: UUID, step: str) -> HttpResponse:
    """Show or take one step of a draft."""
    return cast("HttpResponse", _steps(request, draft=draft, step=step))


@require_POST
@writes("tunnels.add_tunnel")
def spd_check(request: HtmxHttpRequest, draft: UUID) -> HttpResponse:
    """Answer with the table of mappings for the rules in the form; stores nothing. 404 without a gateway."""
    storage = DraftStorage(str(draft), request)
    gateway = chosen_gateway(storage)
    if gateway is None:
        raise Http404
    form, _ = SpdForm.refreshed(
        request.POST, prefix="spd", vpn_gateway=gateway, health=probe_of(storage)
    )
    note_device(storage, "spd", form, gateway, whole=False)
    return respond(request, "tunnels/steps/spd.html", {"form": form}, partial="mappings")
