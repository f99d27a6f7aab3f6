"""A row as people see it: words and sentences from facts, and its HTML.

What a row shows decides its HTML, so rows that were rendered lately are not rendered again: rendering is most of
the time that a list takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.template.loader import get_template
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from tunnels.domain.status import Health, Intent, Situation, Word, explain
from tunnels.models.listing import Row
from tunnels.web.menu import SAMPLE, Powers, links_to
from tunnels.web.moments import short_utc


@dataclass(frozen=True, slots=True)
class Cells:
    """What changes by itself: status, health, mappings."""

    public_id: str
    word: str
    detail: str
    why: str
    health: str
    rtt: str
    mappings: str
    mappings_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One row, ready for its template."""

    public_id: str
    name: str
    intent: str
    silent: bool
    gateway_name: str
    gateway_id: str
    region: str
    network_name: str
    network_id: str
    customer_name: str
    customer_id: str
    customer_ip: str
    tags: tuple[tuple[str, str], ...]
    created: str
    created_text: str
    cells: Cells


def view_of(row: Row) -> RowView:
    """The row with its words."""
    gateway = row.gateway
    return RowView(
        public_id=row.public_id,
        name=row.name,
        intent=row.intent,
        silent=row.silent,
        gateway_name=gateway.name,
        gateway_id=gateway.public_id,
        region=gateway.region,
        network_name=gateway.network_name,
        network_id=gateway.network_id,
        customer_name=row.customer_name,
        customer_id=row.customer_id,
        customer_ip=str(row.customer_ip),
        tags=tuple(sorted(row.tags.items())),
        created=row.created_at.isoformat(timespec="seconds"),
        created_text=f"{row.created_at:%d %b %Y, %H:%M} UTC",
        cells=cells_of(row),
    )


def cells_of(row: Row) -> Cells:
    """The cells that are polled. Numbers of a silent gateway are not shown: they may be wrong by now."""
    known = not row.silent
    up = str(row.up) if known else "–"
    return Cells(
        public_id=row.public_id,
        word=row.word.value,
        detail=f"{row.up}/{row.total}" if row.word is Word.PARTIAL else "",
        why=why(row),
        health=Word.UNKNOWN.value if row.silent and row.health != Health.OFF else row.health,
        rtt=_round_trip(row.rtt_ms) if known else "",
        mappings=f"{up}/{row.total}",
        mappings_label=f"{row.up if known else 'unknown'} of {row.total} up",
    )


# From here on tenths of a millisecond are noise.
_COARSE_MS: Final = 10.0


def _round_trip(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    return f"{milliseconds:.0f} ms" if milliseconds >= _COARSE_MS else f"{milliseconds:.1f} ms"


def why(row: Row) -> str:
    """The sentence below the status word; "" where the columns beside it say as much."""
    gateway, reset_waits = row.gateway, row.reset_count > row.resets_done
    plain = row.word in {Word.CONNECTED, Word.PARTIAL} and row.intent == Intent.UP
    if plain and not reset_waits and not row.cause:
        return ""
    situation = Situation(
        word=row.word,
        intent=Intent(row.intent),
        gateway=gateway.name,
        peer=str(row.customer_ip),
        seen=gateway.last_seen is not None,
        silent_since=short_utc(gateway.last_seen if row.silent else None),
        reset_waits=reset_waits,
        failure=row.failure,
        up=row.up,
        total=row.total,
        cause=row.cause or "",
    )
    return explain(situation)


_TAG: Final = '<li class="tag">{}<span class="tag-value">{}</span></li>'
# Stands for a name, and can be in none: the rules refuse private-use characters.
_NAME: Final = "\ue000"


def version_of(cells: Sequence[Cells], *, moved: bool) -> str:
    """A short text that differs when the cells do, or when rows came or went (`moved`)."""
    told = repr((moved, [astuple(each) for each in cells]))
    return hashlib.blake2s(told.encode(), digest_size=8).hexdigest()


def row_html(row: RowView, may: Powers) -> SafeString:
    """The row's HTML."""
    return (_row_html.__wrapped__ if settings.DEBUG else _row_html)(row, may)


def forget_rows() -> None:
    """Render every row anew from now on."""
    _row_html.cache_clear()
    _menu_html.cache_clear()


@lru_cache(maxsize=2_000)
def _row_html(row: RowView, may: Powers) -> SafeString:
    blank = _menu_html.__wrapped__ if settings.DEBUG else _menu_html
    menu = blank(row.intent, row.silent, may).replace(SAMPLE, row.public_id)
    context = {
        "tunnel": row,
        "detail": links_to(row.public_id).detail,
        # They stand in the row twice: below the name, and in a column of wide screens.
        "tags": format_html_join("", _TAG, row.tags),
        # The name comes last: whatever it holds is replaced no more.
        "menu": mark_safe(menu.replace(_NAME, escape(row.name))),  # noqa: S308 (escaped one word before)
        "may": may,
    }
    return mark_safe(get_template("tunnels/list_row.html").render(context))  # noqa: S308 (a template's output)


@lru_cache(maxsize=200)
def _menu_html(intent: str, silent: bool, may: Powers) -> str:
    """The menu of any tunnel in this state, with stand-ins for id and name: filling these in takes a tenth of
    rendering it for each row."""
    tunnel = {"public_id": SAMPLE, "name": _NAME, "intent": intent}
    context = {
        "tunnel": tunnel,
        "silent": silent,
        "small": True,
        "links": links_to(SAMPLE),
        "may": may,
    }
    return get_template("tunnels/menu.html").render(context)
