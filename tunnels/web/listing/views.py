"""The list of tunnels and its live cells."""

from __future__ import annotations

import re
from typing import Any, Final

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from tunnels.domain.status import Word
from tunnels.models import Tunnel
from tunnels.models.listing import PAGE_SIZE, Sort, list_page, list_rows
from tunnels.web.access import reads
from tunnels.web.http import HtmxHttpRequest, respond
from tunnels.web.listing.choices import choices
from tunnels.web.listing.query import ListQuery, read_query
from tunnels.web.listing.rows import cells_of, row_html, version_of, view_of
from tunnels.web.menu import powers_of

SORTS: Final = (
    (Sort.NEWEST, "Newest first"),
    (Sort.OLDEST, "Oldest first"),
    (Sort.NAME, "Name, A to Z"),
    (Sort.NAME_DOWN, "Name, Z to A"),
    (Sort.STATUS, "Status, trouble first"),
    (Sort.STATUS_DOWN, "Status, trouble last"),
)
# A column's heading, and the two orders between which its link switches.
HEADINGS: Final = {
    "name": (Sort.NAME, Sort.NAME_DOWN),
    "status": (Sort.STATUS, Sort.STATUS_DOWN),
    "created": (Sort.NEWEST, Sort.OLDEST),
}
# The id of the form with the search and the filters.
FINDER: Final = "finder"
_ID: Final = re.compile(r"vpnx-[a-z0-9]{8}")


@require_GET
@reads()
def tunnel_list(request: HtmxHttpRequest) -> HttpResponse:
    """Answer with the page of the list that the address asks for, or with its results alone."""
    query = read_query(request.GET)
    response = respond(request, "tunnels/list.html", _context(request, query), partial="results")
    if request.htmx.trigger == FINDER:
        # The address without the empty fields that the form sends along. Whatever else asks stays where it is.
        response["HX-Push-Url"] = query.address(after=query.after, before=query.before)
    return response


@require_GET
@reads()
def list_live(request: HtmxHttpRequest) -> HttpResponse:
    """Answer with the cells of the rows on the open page (`ids`); 204 while they still are version `v`."""
    query = read_query(request.GET)
    shown = _ID.findall(request.GET.get("ids", ""))[:PAGE_SIZE]
    page = list_page(query.criteria, sort=query.sort, after=query.after, before=query.before)
    rows = {row.public_id: row for row in page.rows}
    moved = rows.keys() != set(shown)
    left = [public_id for public_id in shown if public_id not in rows]
    if left:
        rows |= {row.public_id: row for row in list_rows(left)}
    cells = [cells_of(rows[public_id]) for public_id in shown if public_id in rows]
    version = version_of(cells, moved=moved)
    if version == request.GET.get("v"):
        return HttpResponse(status=204)
    context = {
        "cells": cells,
        "moved": moved,
        "ids": ",".join(shown),
        "version": version,
        "query": query,
        **_addresses(query),
    }
    return respond(request, "tunnels/list_live.html", context)


def _context(request: HtmxHttpRequest, query: ListQuery) -> dict[str, Any]:
    page = list_page(query.criteria, sort=query.sort, after=query.after, before=query.before)
    views, may = [view_of(row) for row in page.rows], powers_of(request.user)
    placed = query.after is not None or query.before is not None
    return {
        "query": query,
        "may": may,
        "rows": [row_html(view, may) for view in views],
        "ids": ",".join(view.public_id for view in views),
        "version": version_of([view.cells for view in views], moved=False),
        "newer": query.address(before=page.before) if page.before else "",
        "older": query.address(after=page.after) if page.after else "",
        "placed": placed,
        # Whether there is anything to narrow: asked only when nothing is shown.
        "empty": not views and not placed and not Tunnel.objects.exists(),
        "statuses": [(word.value, word.value.capitalize()) for word in Word],
        "sorts": [(sort.value, label) for sort, label in SORTS],
        "headings": _headings(query),
        # The form stays on the page when its results are swapped, so only a whole page needs it.
        "choices": None if request.htmx and not request.htmx.boosted else choices(),
        **_addresses(query),
    }


def _addresses(query: ListQuery) -> dict[str, str]:
    return {
        "here": query.address(after=query.after, before=query.before),
        "here_query": query.query_string(after=query.after, before=query.before),
        "start": query.address(),
    }


def _headings(query: ListQuery) -> dict[str, dict[str, str]]:
    """For each column that sorts: where its link leads, and what aria-sort says now."""
    headings = {}
    for name, (usual, other) in HEADINGS.items():
        now = {usual: usual, other: other}.get(query.sort)
        rising = {False: "descending", True: "ascending"}
        headings[name] = {
            "address": query.address(sort=other if now is usual else usual),
            "aria": rising[not now.startswith("-")] if now else "",
        }
    return headings
