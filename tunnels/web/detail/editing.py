"""Edit a tunnel with the wizard's own forms; what saving does to the traffic is said before it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from tunnels.domain.findings import RuleError
from tunnels.domain.impact import Impact, edit_impact
from tunnels.domain.secret import Secret
from tunnels.models import Tunnel, vault
from tunnels.services.editing import basics_mark
from tunnels.web.access import writes
from tunnels.web.detail import steps
from tunnels.web.detail.steps import FORMS, TITLES, AnyForm
from tunnels.web.detail.views import load
from tunnels.web.errors import add_findings
from tunnels.web.http import HtmxHttpRequest, done, in_dialog, respond

TEMPLATE: Final = "tunnels/detail_edit.html"
# The element around the step's fields; htmx asks for its content alone.
BODY: Final = "step-body"
SEEN: Final = "seen"
KEPT: Final = "kept"
KEPT_FOR: Final = timedelta(hours=1)
SAVE: Final = "save"


@require_http_methods(["GET", "POST"])
@writes("tunnels.change_tunnel")
def edit(request: HtmxHttpRequest, public_id: str, step: str) -> HttpResponse:
    """Show the step's form (GET); take a row more or less, say what saving does, or save (POST)."""
    tunnel = load(public_id, with_key=True)
    if request.method != "POST":
        form = steps.make_form(
            step, initial=steps.initial(step, tunnel), **steps.arguments(step, tunnel)
        )
        return _show(request, tunnel, step, form)
    if FORMS[step].asked(request.POST):
        return _operated(request, tunnel, step)
    form = _posted(request, tunnel, step)
    if not form.is_valid():
        return _show(request, tunnel, step, form, status=422)
    if SAVE in request.POST:
        return _save(request, tunnel, step, form)
    return _show(request, tunnel, step, form, impact=_impact(tunnel, form))


@require_POST
@writes("tunnels.change_tunnel")
def edit_impact_view(request: HtmxHttpRequest, public_id: str, step: str) -> HttpResponse:
    """Answer with the sentence that says what saving these fields does. Stores nothing."""
    tunnel = load(public_id, with_key=True)
    form = _posted(request, tunnel, step)
    impact = _impact(tunnel, form) if form.is_valid() else None
    context = {"tunnel": tunnel, "step": step, "impact": impact, "mistakes": not form.is_valid()}
    return respond(request, TEMPLATE, context, partial="impact")


@require_POST
@writes("tunnels.change_tunnel")
def edit_check(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the table of mappings for the rules in the form. Stores nothing."""
    tunnel = load(public_id, with_key=True)
    form, _ = FORMS["spd"].refreshed(request.POST, prefix="spd", **steps.arguments("spd", tunnel))
    steps.note_device("spd", tunnel, form)
    return respond(request, "tunnels/steps/spd.html", {"form": form}, partial="mappings")


def _posted(request: HtmxHttpRequest, tunnel: Tunnel, step: str) -> AnyForm:
    arguments = steps.arguments(step, tunnel)
    if step != "basic":
        return steps.make_form(step, data=request.POST, **arguments)
    kept = _kept(request, tunnel)
    form = steps.make_form(step, data=request.POST, kept_psk=kept, **arguments)
    if request.POST.get(KEPT) and not (kept or _typed(request)) and "psk" not in form.errors:
        # Saving without it would look as if the new key had been saved.
        form.add_error("psk", "The key that you typed is not held any more; type it again.")
    return form


def _operated(request: HtmxHttpRequest, tunnel: Tunnel, step: str) -> HttpResponse:
    kept = {"kept_psk": _typed(request) or _kept(request, tunnel)} if step == "basic" else {}
    form, focus = FORMS[step].refreshed(
        request.POST, prefix=step, **steps.arguments(step, tunnel), **kept
    )
    response = _show(request, tunnel, step, form)
    if focus:
        trigger_client_event(response, "step:focus", {"id": focus}, after="settle")
    return response


def _save(request: HtmxHttpRequest, tunnel: Tunnel, step: str, form: AnyForm) -> HttpResponse:
    revision, _, mark = request.POST.get(SEEN, "").partition(".")
    try:
        steps.save(
            form,
            actor=request.user,
            tunnel=tunnel,
            # A form without its revision has seen nothing, and so may overwrite nothing.
            seen_revision=int(revision) if revision.isdecimal() else 0,
            seen_mark=mark,
        )
    except RuleError as error:
        stale = any(finding.rule == "tunnel-changed" for finding in error.findings)
        if not stale:
            add_findings(form, error)
        return _show(request, tunnel, step, form, stale=stale, status=422)
    messages.success(request, f"{TITLES[step]} of {tunnel.name} saved.")
    event = "tunnels-changed" if in_dialog(request) else None
    return done(request, "tunnels:detail", event=event, public_id=tunnel.public_id)


def _show(
    request: HtmxHttpRequest,
    tunnel: Tunnel,
    step: str,
    form: AnyForm,
    *,
    impact: Impact | None = None,
    stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    steps.note_device(step, tunnel, form)
    context: dict[str, Any] = {
        "tunnel": tunnel,
        "step": step,
        "title": TITLES[step],
        "form": form,
        "step_template": f"tunnels/steps/{step}.html",
        "action": request.path,
        "impact": impact,
        "stale": stale,
        "seen": request.POST.get(SEEN) or f"{tunnel.revision}.{basics_mark(tunnel)}",
        "kept": _token(request, tunnel, form),
    }
    partial = "body" if request.htmx.target == BODY else "sheet"
    response = respond(request, TEMPLATE, context, partial=partial, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def _impact(tunnel: Tunnel, form: AnyForm) -> Impact | None:
    try:
        return edit_impact(*steps.candidate(tunnel, form))
    except RuleError as error:
        add_findings(form, error)
        return None


def _typed(request: HtmxHttpRequest) -> Secret | None:
    typed = request.POST.get("basic-psk")
    return Secret(typed) if typed else None


def _kept(request: HtmxHttpRequest, tunnel: Tunnel) -> Secret | None:
    """The key that was typed before the page came back; None when its token is too old or not theirs."""
    try:
        token = _signer(request, tunnel).unsign(request.POST.get(KEPT, ""), max_age=KEPT_FOR)
        return vault.decrypt(token)
    except (BadSignature, vault.VaultError):
        return None


def _token(request: HtmxHttpRequest, tunnel: Tunnel, form: AnyForm) -> str:
    """A typed key, encrypted, so that it survives a page on which no key may stand in clear."""
    if "psk" not in form.fields:
        return ""
    key = _typed(request) or _kept(request, tunnel)
    return _signer(request, tunnel).sign(vault.encrypt(key)) if key else ""


def _signer(request: HtmxHttpRequest, tunnel: Tunnel) -> TimestampSigner:
    """Signs for one user and one tunnel: a token that got about is of no use elsewhere."""
    return TimestampSigner(salt=f"tunnels.detail.kept.{request.user.pk}.{tunnel.pk}")
