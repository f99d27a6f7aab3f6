"""One action on the selected rows: a question that lists them, then the deed, then who was left alone and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.views.decorators.http import require_GET, require_POST

from tunnels.domain.names import check_tags
from tunnels.models import Tunnel
from tunnels.services.access import require
from tunnels.services.actions import is_silent
from tunnels.services.bulk import BULK_MAX, BulkResult, bulk_delete, bulk_reset, bulk_retag
from tunnels.web.access import writes
from tunnels.web.actions.tag_rows import TagRow, filled, posted_rows, rearranged, with_errors
from tunnels.web.actions.views import CHANGED
from tunnels.web.back import way_back
from tunnels.web.http import HtmxHttpRequest, done, redirect, respond


@dataclass(frozen=True, slots=True)
class Action:
    """A permission, and how the outcome is told, for one tunnel and for many."""

    permission: str
    did: tuple[str, str]
    nothing: tuple[str, str]


ACTIONS: Final = {
    "reset": Action(
        "reset_tunnel",
        ("1 tunnel will be reset.", "{} tunnels will be reset."),
        ("1 tunnel already waits for a reset.", "{} tunnels already wait for a reset."),
    ),
    "tags": Action(
        "retag_tunnel",
        ("Tags of 1 tunnel saved.", "Tags of {} tunnels saved."),
        ("The tags of 1 tunnel are as they were.", "The tags of {} tunnels are as they were."),
    ),
    "delete": Action(
        "delete_tunnel",
        ("1 tunnel is deleted or being deleted.", "{} tunnels are deleted or being deleted."),
        ("1 tunnel is already being deleted.", "{} tunnels are already being deleted."),
    ),
}


@require_GET
@writes()
def bulk_confirm(request: HtmxHttpRequest, action: str) -> HttpResponse:
    """Ask, listing the selected tunnels `t`."""
    _allowed(request, action)
    tunnels, problem = _selected(request.GET)
    if problem:
        return _refuse(request, problem)
    return _ask(request, action, tunnels, [TagRow(fresh=True)])


@require_POST
@writes()
def bulk(request: HtmxHttpRequest, action: str) -> HttpResponse:
    """Do it to the selected tunnels `t`; ids that are gone by now are passed over."""
    _allowed(request, action)
    tunnels, problem = _selected(request.POST)
    if problem:
        return _refuse(request, problem)
    if action == "tags":
        return _retag(request, tunnels)
    if action == "delete":
        if request.POST.get("confirm", "").strip() != _phrase(tunnels):
            error = f"Type {_phrase(tunnels)} exactly as shown."
            return _ask(request, action, tunnels, [], error=error)
        return _tell(request, action, bulk_delete(actor=request.user, tunnels=tunnels))
    return _tell(request, action, bulk_reset(actor=request.user, tunnels=tunnels))


def _retag(request: HtmxHttpRequest, tunnels: Sequence[Tunnel]) -> HttpResponse:
    rows = posted_rows(request.POST)
    changed_rows = rearranged(rows, request.POST)
    if changed_rows is not None:
        return _ask(request, "tags", tunnels, changed_rows, status=200)
    rows, remove = filled(rows), request.POST.getlist("drop")
    marked, problem = with_errors(rows, check_tags((row.key, row.value) for row in rows))
    if not problem and not rows and not remove:
        problem = "Add a tag, or choose one to remove."
    if problem or any(row.error for row in marked):
        return _ask(request, "tags", tunnels, marked or [TagRow(fresh=True)], error=problem)
    put = {row.key: row.value for row in rows}
    result = bulk_retag(actor=request.user, tunnels=tunnels, put=put, remove=remove)
    return _tell(request, "tags", result)


def _allowed(request: HtmxHttpRequest, action: str) -> None:
    if action not in ACTIONS:
        raise Http404
    require(request.user, ACTIONS[action].permission)


def _selected(params: QueryDict) -> tuple[list[Tunnel], str]:
    """The tunnels, or the sentence that says why there is nothing to do."""
    ids = {text for text in params.getlist("t") if "\0" not in text}
    if len(ids) > BULK_MAX:
        return [], f"{len(ids)} tunnels are too many at once; choose at most {BULK_MAX}."
    tunnels = (
        Tunnel.objects.filter(public_id__in=ids).defer("psk", "previous_psk").order_by("name", "pk")
    )
    found = list(tunnels.select_related("vpn_gateway", "state"))
    return found, "" if found else "Select at least one tunnel first."


def _ask(
    request: HtmxHttpRequest,
    action: str,
    tunnels: Sequence[Tunnel],
    rows: Sequence[TagRow],
    *,
    error: str = "",
    status: int | None = None,
) -> HttpResponse:
    used = Counter(key for tunnel in tunnels for key in tunnel.tags)
    blocked = [
        tunnel for tunnel in tunnels if tunnel.state.connected and not is_silent(tunnel.vpn_gateway)
    ]
    context: dict[str, Any] = {
        "action": action,
        "tunnels": tunnels,
        "phrase": _phrase(tunnels),
        "blocked": blocked if action == "delete" else [],
        "rows": rows,
        "used": sorted(used.items()),
        "drop": request.POST.getlist("drop"),
        "error": error,
        "back": way_back(request),
    }
    wrong = bool(error) or any(row.error for row in rows)
    return respond(
        request,
        f"tunnels/actions/bulk_{action}.html",
        context,
        partial="dialog",
        status=status or (422 if wrong else 200),
    )


def _phrase(tunnels: Sequence[Tunnel]) -> str:
    return f"delete {_count(len(tunnels))}"


def _count(number: int) -> str:
    return "1 tunnel" if number == 1 else f"{number} tunnels"


def _told(words: tuple[str, str], number: int) -> str:
    one, many = words
    return one if number == 1 else many.format(number)


def _refuse(request: HtmxHttpRequest, problem: str) -> HttpResponse:
    messages.warning(request, problem)
    if request.htmx:
        return done(request, "tunnels:list", event="bulk-refused")
    return redirect(request, way_back(request))


def _tell(request: HtmxHttpRequest, action: str, result: BulkResult) -> HttpResponse:
    words = ACTIONS[action]
    if result.done:
        messages.success(request, _told(words.did, len(result.done)))
    if result.unchanged:
        messages.info(request, _told(words.nothing, len(result.unchanged)))
    if result.refused:
        lines = [f"{_count(len(result.refused))} left as before:"]
        lines += [each.sentence for each in result.refused]
        messages.error(request, "\n".join(lines))
    return done(request, way_back(request), event=CHANGED)
