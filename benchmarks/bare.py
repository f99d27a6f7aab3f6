"""The floor of a page: a plain view that renders prepared dictionaries with a plain template.

It knows no user, asks no database, and has no frame around its table; its rows hold what ours show.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from tunnels.models.listing import Row
from tunnels.web.listing.rows import view_of
from tunnels.web.menu import links_to

TEMPLATE: Final = """<!DOCTYPE html>
<html lang="en"><head><title>Tunnels</title></head><body><table>
{% for row in rows %}<tr>
<td><input type="checkbox" name="t" value="{{ row.id }}"></td>
<td><a href="{{ row.detail }}">{{ row.name }}</a> {{ row.id }}
{% for key, value in row.tags %}<span>{{ key }}: {{ value }}</span>{% endfor %}</td>
<td>{{ row.word }} {{ row.detail_text }} {{ row.why }}</td>
<td>{{ row.health }}</td>
<td>{{ row.gateway }} {{ row.region }}</td>
<td>{{ row.customer }} {{ row.customer_ip }}</td>
<td>{{ row.network }} {{ row.network_id }}</td>
<td>{{ row.mappings }}</td>
<td>{{ row.created|date:"j M Y, H:i" }}</td>
<td><a href="{{ row.reset }}">Reset</a> <a href="{{ row.log }}">Log</a> <a href="{{ row.config }}">Config</a>
<a href="{{ row.edit_tags }}">Edit tags</a> <a href="{{ row.take_down }}">Take down</a>
<a href="{{ row.delete }}">Delete</a></td>
</tr>{% endfor %}
</table></body></html>
"""

prepared: list[dict[str, Any]] = []


def prepare(rows: list[Row]) -> None:
    """Let the view render these rows from now on."""
    prepared[:] = [_plain(row) for row in rows]


def bare(_request: HttpRequest) -> HttpResponse:
    """Answer with the prepared rows."""
    return HttpResponse(_template.render({"rows": prepared}))


def _plain(row: Row) -> dict[str, Any]:
    view, links = view_of(row), links_to(row.public_id)
    return {
        "id": view.public_id,
        "name": view.name,
        "tags": view.tags,
        "word": view.cells.word,
        "detail_text": view.cells.detail,
        "why": view.cells.why,
        "health": view.cells.health,
        "gateway": view.gateway_name,
        "region": view.region,
        "customer": view.customer_name,
        "customer_ip": view.customer_ip,
        "network": view.network_name,
        "network_id": view.network_id,
        "mappings": view.cells.mappings,
        "created": row.created_at,
        "detail": links.detail,
        "reset": links.reset_confirm,
        "log": links.log,
        "config": links.config,
        "edit_tags": links.tags,
        "take_down": links.take_down_confirm,
        "delete": links.delete_confirm,
    }


_template = engines["django"].from_string(TEMPLATE)

urlpatterns = [path("bare/", bare), path("", include("vpnconsole.urls"))]
