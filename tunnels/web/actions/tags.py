"""Edit the tags of one tunnel; rows are added and removed by the server, with or without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_GET, require_POST

from tunnels.domain.findings import RuleError
from tunnels.domain.names import check_tags
from tunnels.models import Tunnel
from tunnels.services.editing import retag
from tunnels.web.access import writes
from tunnels.web.actions.tag_rows import (
    TagRow,
    filled,
    posted_rows,
    rearranged,
    rows_of,
    with_errors,
)
from tunnels.web.actions.views import CHANGED, tunnel_for
from tunnels.web.back import way_back
from tunnels.web.http import HtmxHttpRequest, done, respond


@require_GET
@writes("tunnels.retag_tunnel")
def tags(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Show the tags as rows to edit."""
    tunnel = tunnel_for(public_id)
    return _show(request, tunnel, rows_of(tunnel.tags))


@require_POST
@writes("tunnels.retag_tunnel")
def tags_save(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Save the tags, or answer with a row more or less."""
    tunnel = tunnel_for(public_id)
    rows = posted_rows(request.POST)
    changed_rows = rearranged(rows, request.POST)
    if changed_rows is not None:
        return _show(request, tunnel, changed_rows)
    rows = filled(rows)
    findings = check_tags((row.key, row.value) for row in rows)
    if findings:
        marked, problem = with_errors(rows, findings)
        return _show(request, tunnel, marked, problem=problem, status=422)
    try:
        changed = retag(
            actor=request.user, tunnel=tunnel, tags={row.key: row.value for row in rows}
        )
    except RuleError as error:
        return _show(request, tunnel, rows, problem=str(error), status=422)
    if changed:
        messages.success(request, f"Tags of {tunnel.name} saved.")
    else:
        messages.info(request, f"Tags of {tunnel.name} are as they were.")
    return done(request, way_back(request), event=CHANGED)


def _show(
    request: HtmxHttpRequest,
    tunnel: Tunnel,
    rows: Sequence[TagRow],
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"tunnel": tunnel, "rows": rows, "problem": problem, "back": way_back(request)}
    return respond(request, "tunnels/actions/tags.html", context, partial="dialog", status=status)
