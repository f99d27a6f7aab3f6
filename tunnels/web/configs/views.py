"""Show and download the configuration of the customer's device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from tunnels.devices.base import Rendering, render
from tunnels.devices.registry import vendors
from tunnels.domain.findings import Finding, RuleError
from tunnels.models import Tunnel
from tunnels.services import actions
from tunnels.services.specs import spec_of
from tunnels.web.access import reads
from tunnels.web.configs.choice import Choice, exact, suggest
from tunnels.web.configs.highlight import highlight
from tunnels.web.detail.views import load
from tunnels.web.http import HtmxHttpRequest, respond


@require_GET
@reads()
def config(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the choice of devices and a preview without the key."""
    tunnel = load(public_id, with_key=True)
    choice = suggest(_texts(request.GET), remembered=tunnel.customer_gateway.platform)
    return _page(request, tunnel, choice)


@require_POST
@reads()
def config_download(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the file; `key=with` puts the key into it, for those who may see it. It leaves an event.

    A device that cannot do what the tunnel needs: the page, with the reasons (422).
    """
    tunnel = load(public_id, with_key=True)
    asked = _texts(request.POST)
    redacted = asked.get("key") != "with"
    try:
        choice = exact(asked)
        with transaction.atomic():
            actions.record_download(
                actor=request.user,
                tunnel=tunnel,
                platform=choice.platform.id,
                label=choice.label,
                redacted=redacted,
            )
            file = _write(tunnel, choice, redacted=redacted)
    except RuleError as error:
        shown = suggest(asked, remembered=tunnel.customer_gateway.platform)
        return _page(request, tunnel, shown, findings=error.findings)
    saved = file.download()
    response = HttpResponse(saved.content, content_type=saved.media_type)
    response["Content-Disposition"] = f'attachment; filename="{saved.filename}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _page(
    request: HtmxHttpRequest,
    tunnel: Tunnel,
    choice: Choice,
    *,
    findings: tuple[Finding, ...] = (),
) -> HttpResponse:
    context: dict[str, Any] = {
        "tunnel": tunnel,
        "choice": choice,
        "vendors": list(vendors()),
        # The list that brought this answer keeps the focus.
        "changed": request.htmx.trigger_name,
        "refusals": [finding.message for finding in findings],
    }
    try:
        file = _write(tunnel, choice, redacted=True)
        context |= {"file": file, "preview": highlight(file.text)}
    except RuleError as error:
        refusals = [finding.message for finding in error.findings]
        context["refusals"] = [*dict.fromkeys([*context["refusals"], *refusals])]
    status = 422 if findings else 200
    return respond(request, "tunnels/config.html", context, partial="dialog", status=status)


def _write(tunnel: Tunnel, choice: Choice, *, redacted: bool) -> Rendering:
    return render(
        choice.platform,
        spec_of(tunnel),
        version=choice.version,
        redacted=redacted,
        now=timezone.now(),
        console_version=settings.CONSOLE_VERSION,
    )


def _texts(params: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(params[name])
        for name in ("vendor", "platform", "version", "key")
        if name in params
    }
