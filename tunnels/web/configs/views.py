"""Show and download the configuration of the customer's device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from tunnels.devices import registry
from tunnels.devices.base import Platform, Rendering, render
from tunnels.devices.proofs import Proof, proof_of
from tunnels.devices.questions import ANSWER_MAX, answered
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.spec import TunnelSpec
from tunnels.models import Tunnel
from tunnels.services import actions
from tunnels.services.specs import spec_of
from tunnels.web.access import reads
from tunnels.web.configs.choice import SHEET, exact, suggest
from tunnels.web.configs.highlight import highlight
from tunnels.web.configs.questions import QuestionsForm
from tunnels.web.configs.refusals import refusals
from tunnels.web.detail.views import load
from tunnels.web.devices import Device, remembered
from tunnels.web.http import HtmxHttpRequest, SeeOther, respond

TEMPLATE: Final = "tunnels/config.html"
# The element around all that depends on the choice; htmx asks for its content alone.
BODY: Final = "step-body"
SHOW: Final = "show"
LISTS: Final = ("vendor", "platform", "version")


@require_GET
@reads()
def config(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the choice of devices, the device's questions, and a preview without the key."""
    tunnel = load(public_id, with_key=True)
    return _page(request, tunnel, request.GET)


@require_POST
@reads()
def config_download(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the file; `key=with` puts the key into it, for those who may see it. It leaves an event.

    A device that cannot do what the tunnel needs, and an answer that the device does not take: the page, with the
    reasons (422). With `show`, the preview of what was chosen and typed.
    """
    tunnel = load(public_id, with_key=True)
    typed = request.POST
    if SHOW in typed:
        return SeeOther(_address(tunnel, typed))
    redacted = typed.get("key") != "with"
    spec = spec_of(tunnel)
    try:
        device = exact(typed)
        given = QuestionsForm(device.platform, spec, tunnel.customer_gateway, typed).given
        file = _write(spec, device, given, redacted=redacted)
    except RuleError as error:
        return _page(request, tunnel, typed, refused=error.findings)
    actions.record_download(
        actor=request.user,
        tunnel=tunnel,
        label=device.label,
        redacted=redacted,
        platform="" if device.generic else device.platform.id,
        version=device.version,
        answers=answered(device.platform.questions, given, spec),
    )
    saved = file.download()
    response = HttpResponse(saved.content, content_type=saved.media_type)
    response["Content-Disposition"] = f'attachment; filename="{saved.filename}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _page(
    request: HtmxHttpRequest,
    tunnel: Tunnel,
    typed: Mapping[str, str],
    *,
    refused: tuple[Finding, ...] = (),
) -> HttpResponse:
    spec = spec_of(tunnel)
    known = remembered(tunnel.customer_gateway)
    device = suggest(typed, remembered=known)
    form = QuestionsForm(device.platform, spec, tunnel.customer_gateway, typed)
    context: dict[str, Any] = {
        "tunnel": tunnel,
        "device": device,
        "vendors": registry.vendors(),
        "platforms": registry.vendors()[device.platform.vendor],
        "form": form,
        "others": _others(tunnel) if form.questions else 0,
        # Nobody has said yet what stands there.
        "unsaid": known is None and not any(name in typed for name in LISTS),
        "proof": proof_of(device.platform.id),
        "proofs": _proofs(),
        "config_url": reverse("tunnels:config", args=[tunnel.public_id]),
        "sheet": SHEET,
    }
    findings = list(refused)
    try:
        file = _write(spec, device, form.given, redacted=True)
        context |= {"file": file, "previews": _previews(file)}
    except RuleError as error:
        findings += error.findings
    form.mark(findings)
    others = [finding for finding in findings if finding.field not in form.fields]
    context["choose"] = [finding.message for finding in others if finding.field in LISTS]
    context["refusals"] = refusals(finding for finding in others if finding.field not in LISTS)
    partial = "body" if request.htmx.target == BODY else "dialog"
    return respond(request, TEMPLATE, context, partial=partial, status=422 if refused else 200)


def _write(
    spec: TunnelSpec, device: Device, given: Mapping[str, str], *, redacted: bool
) -> Rendering:
    return render(
        device.platform,
        spec,
        version=device.version,
        redacted=redacted,
        now=timezone.now(),
        console_version=settings.CONSOLE_VERSION,
        given=given,
    )


def _others(tunnel: Tunnel) -> int:
    """How many other tunnels end at the same device: they have numbers and names there already."""
    return tunnel.customer_gateway.tunnels.exclude(pk=tunnel.pk).count()


def _proofs() -> list[tuple[Platform, Proof]]:
    """How the files of each platform are proven; what people read is none."""
    platforms = registry.PLATFORMS.values()
    return [(one, proof_of(one.id)) for one in platforms if one.vendor != registry.LAST]


def _previews(file: Rendering) -> list[dict[str, Any]]:
    """Each file as text, whatever it is: nothing of it becomes part of our page."""
    return [
        {
            "id": f"config-text-{number}",
            "filename": one.filename,
            "text": highlight(one.text),
            "page": one.media_type.startswith("text/html"),
        }
        for number, one in enumerate(file.files, start=1)
    ]


def _address(tunnel: Tunnel, typed: Mapping[str, str]) -> str:
    """Where the choice is shown: the lists, and the answers that were typed for the chosen platform."""
    ours = (*LISTS, *(name for name in typed if name.startswith(f"{typed.get('platform')}-")))
    query = {name: typed[name][: ANSWER_MAX + 1] for name in ours if name in typed}
    return f"{reverse('tunnels:config', args=[tunnel.public_id])}?{urlencode(query)}"
