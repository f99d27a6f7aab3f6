"""The pages of a tunnel's log. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from tunnels.models import Tunnel, logbook
from tunnels.models.logbook import Cursor, Entry, Query
from tunnels.web.access import reads
from tunnels.web.http import HtmxHttpRequest, respond
from tunnels.web.logs.changes import Change, changes
from tunnels.web.logs.files import FORMATS, filename, lines
from tunnels.web.logs.forms import FOLLOW, NEWEST, LogFilter

PAGE: Final = 100
# An event carries the time at which it was made and is seen when its transaction ends. Following waits
# this long, so that none slips in before the cursor.
SETTLED: Final = timedelta(seconds=1)
_BEGINNING: Final = Cursor(at=datetime(1970, 1, 1, tzinfo=UTC), number=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry and what it changed, ready to be shown."""

    entry: Entry
    changes: list[Change]


@require_GET
@reads("tunnels.view_event")
def log(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with a page of the log, or with the lines behind a cursor (204 when there are none)."""
    tunnel = get_object_or_404(Tunnel.objects.only("public_id", "name"), public_id=public_id)
    form = LogFilter(request.GET, subsystems=logbook.subsystems(public_id))
    valid = form.is_valid()
    now = timezone.now()
    query = form.query(public_id, now=now)
    context: dict[str, Any] = {"tunnel": tunnel, "form": form, "follow": form.follows}
    if form.follows:
        return _follow(request, query, context, now=now)
    entries = logbook.newest(query, limit=PAGE + 1, older_than=_cursor(request, "before"))
    shown = entries[:PAGE]
    context |= {
        "lines": _lines(shown),
        "newest_url": _address(request) if "before" in request.GET else "",
        "older_url": _address(request, before=shown[-1].cursor) if len(entries) > PAGE else "",
        **_links(request, public_id),
    }
    return respond(
        request, "tunnels/log.html", context, partial="log", status=200 if valid else 422
    )


@require_GET
@reads("tunnels.view_event")
def log_download(request: HtmxHttpRequest, public_id: str) -> StreamingHttpResponse:
    """Answer with everything that passes the filters, oldest first, as a file.

    Raises Http404 for an unknown format or a filter with a mistake: no page of ours links to one.
    """
    tunnel = get_object_or_404(Tunnel.objects.only("public_id"), public_id=public_id)
    kind = FORMATS.get(request.GET.get("format", "text"))
    form = LogFilter(request.GET, subsystems=logbook.subsystems(public_id))
    if kind is None or not form.is_valid():
        raise Http404
    now = timezone.now()
    entries = logbook.everything(form.query(public_id, now=now))
    response = StreamingHttpResponse(lines(entries, kind), content_type=kind.media_type)
    name = filename(tunnel.public_id, kind, now=now)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _follow(
    request: HtmxHttpRequest, query: Query, context: dict[str, Any], *, now: datetime
) -> HttpResponse:
    settled = now - SETTLED
    query = replace(query, arrived_until=settled)
    after = _cursor(request, "after")
    if after:
        entries = logbook.following(query, limit=PAGE, newer_than=after)
        if not entries and request.htmx:
            return HttpResponse(status=204)
    else:
        entries = logbook.newest(query, limit=PAGE)[::-1]
    # What is shown first is in the order of time; what follows, in the order of arrival.
    arrivals = [entry.arrival for entry in entries]
    cursor = max([after or _BEGINNING, *arrivals], key=lambda place: (place.at, place.number))
    context |= {
        "lines": _lines(entries),
        "more_url": _address(request, after=cursor),
        **_links(request, query.target),
    }
    return respond(request, "tunnels/log.html", context, partial="more" if after else "log")


def _lines(entries: list[Entry]) -> list[Line]:
    return [Line(entry=entry, changes=changes(entry.before, entry.after)) for entry in entries]


def _cursor(request: HtmxHttpRequest, name: str) -> Cursor | None:
    return Cursor.parse(request.GET.get(name, ""))


def _links(request: HtmxHttpRequest, public_id: str) -> dict[str, str]:
    """The other ways to see the same entries."""
    download = reverse("tunnels:log-download", args=[public_id])
    return {
        "newest_first_url": _address(request, view=NEWEST),
        "follow_url": _address(request, view=FOLLOW),
        "text_url": _address(request, download, format="text"),
        "json_url": _address(request, download, format="jsonl"),
    }


def _address(request: HtmxHttpRequest, path: str = "", **changed: object) -> str:
    """This page's address with its filters and without its place, then what is `changed`."""
    params = request.GET.copy()
    for name in ("before", "after", "format"):
        params.pop(name, None)
    for name in [name for name, value in params.items() if not value]:
        del params[name]
    for name, value in changed.items():
        params[name] = str(value)
    return f"{path or request.path}?{params.urlencode()}"
