"""The logbook of a tunnel: what people and the console did to it, and what charon wrote about it.

Events and log lines are two tables; here they are one sequence of entries. It is read in two orders: by the
time at which things happened, and, for following, by the time at which they were stored, because lines of a
gateway that was cut off arrive late.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from tunnels.models.agent import LogLine
from tunnels.models.telemetry import Event

_Row = TypeVar("_Row", bound=Model)

# From the mildest to the gravest: a level asked for lets the graver ones through too.
DEBUG = "debug"
LEVELS: tuple[str, ...] = (DEBUG, *Event.Level.values)
_CHUNK = 500
_STAMP = "%Y%m%dT%H%M%S.%f"
# As many digits as a number of the database surely holds.
_DIGITS = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place between two entries: right behind the one of this time and number."""

    at: datetime
    number: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC):{_STAMP}}-{self.number}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """The cursor that was written as `text`, or None when it is none."""
        stamp, _, number = text.partition("-")
        if not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
            return None
        try:
            at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(at=at, number=int(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line.

    `cursor` is its place in the order of time, `arrival` in the order of storing; `actor` is a name ("" when nobody
    did it), `before` and `after` hold what changed, without secrets.
    """

    cursor: Cursor
    arrival: Cursor
    at: datetime
    level: str
    subsystem: str
    action: str
    actor: str
    message: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which entries: `since` included, `until` left out; empty fields let everything through.

    `arrived_until` leaves out what was stored later. `level` is the mildest one wanted; `text` is looked for in
    messages and names, letter case aside.
    """

    target: str
    since: datetime | None = None
    until: datetime | None = None
    arrived_until: datetime | None = None
    level: str = ""
    subsystem: str = ""
    text: str = ""


def newest(query: Query, *, limit: int, older_than: Cursor | None = None) -> list[Entry]:
    """At most `limit` entries, the newest first, from the cursor backwards in time."""
    events, lines = _events(query), _lines(query)
    if older_than:
        events = _before(events, "at", older_than, _EVENT)
        lines = _before(lines, "at", older_than, _LINE)
    found = [
        *map(_event_entry, events.order_by("-at", "-id")[:limit]),
        *map(_line_entry, lines.order_by("-at", "-id")[:limit]),
    ]
    found.sort(key=_place, reverse=True)
    return found[:limit]


def following(query: Query, *, limit: int, newer_than: Cursor) -> list[Entry]:
    """At most `limit` entries that were stored behind the cursor, in the order in which they were stored.

    The cursor is an `arrival`.
    """
    events = _behind(_events(query), "at", newer_than, _EVENT)
    lines = _behind(_lines(query), "stored_at", newer_than, _LINE)
    found = [
        *map(_event_entry, events.order_by("at", "id")[:limit]),
        *map(_line_entry, lines.order_by("stored_at", "id")[:limit]),
    ]
    found.sort(key=lambda entry: (entry.arrival.at, entry.arrival.number))
    return found[:limit]


def everything(query: Query) -> Iterator[Entry]:
    """All entries, the oldest first, fetched piece by piece while they are read."""
    events = _events(query).order_by("at", "id").iterator(chunk_size=_CHUNK)
    lines = _lines(query).order_by("at", "id").iterator(chunk_size=_CHUNK)
    return heapq.merge(map(_event_entry, events), map(_line_entry, lines), key=_place)


def subsystems(target: str) -> list[str]:
    """The parts of the system that have written about this target, by name (one query)."""
    events = Event.objects.filter(target_id=target).order_by().values_list("subsystem").distinct()
    lines = LogLine.objects.filter(tunnel_ref=target).order_by().values_list("group").distinct()
    return sorted(name for (name,) in events.union(lines))


# Two tables number their rows alike; the last bit says which, so that no two entries share a place.
_EVENT, _LINE = 0, 1


def _place(entry: Entry) -> tuple[datetime, int]:
    return entry.cursor.at, entry.cursor.number


def _before(rows: QuerySet[_Row], column: str, cursor: Cursor, kind: int) -> QuerySet[_Row]:
    number = (cursor.number + 1 - kind) // 2
    same = Q(**{column: cursor.at, "id__lt": number})
    return rows.filter(Q(**{f"{column}__lt": cursor.at}) | same, **{f"{column}__lte": cursor.at})


def _behind(rows: QuerySet[_Row], column: str, cursor: Cursor, kind: int) -> QuerySet[_Row]:
    number = (cursor.number - kind) // 2
    same = Q(**{column: cursor.at, "id__gt": number})
    return rows.filter(Q(**{f"{column}__gt": cursor.at}) | same, **{f"{column}__gte": cursor.at})


def _events(query: Query) -> QuerySet[Event]:
    rows = _narrow(Event.objects.filter(target_id=query.target), query, level="level")
    if query.arrived_until:
        rows = rows.filter(at__lt=query.arrived_until)
    if query.subsystem:
        rows = rows.filter(subsystem=query.subsystem)
    if query.text:
        rows = rows.filter(Q(message__icontains=query.text) | Q(actor_name__icontains=query.text))
    return rows


def _lines(query: Query) -> QuerySet[LogLine]:
    rows = _narrow(LogLine.objects.filter(tunnel_ref=query.target), query, level="severity")
    if query.arrived_until:
        rows = rows.filter(stored_at__lt=query.arrived_until)
    if query.subsystem:
        rows = rows.filter(group=query.subsystem)
    if query.text:
        rows = rows.filter(text__icontains=query.text)
    return rows


def _narrow(rows: QuerySet[_Row], query: Query, *, level: str) -> QuerySet[_Row]:
    if query.since:
        rows = rows.filter(at__gte=query.since)
    if query.until:
        rows = rows.filter(at__lt=query.until)
    if query.level in LEVELS:
        rows = rows.filter(**{f"{level}__in": LEVELS[LEVELS.index(query.level) :]})
    return rows


def _event_entry(event: Event) -> Entry:
    place = Cursor(at=event.at, number=2 * event.pk + _EVENT)
    return Entry(
        cursor=place,
        arrival=place,
        at=event.at,
        level=event.level,
        subsystem=event.subsystem,
        action=event.action,
        actor=event.actor_name,
        message=event.message,
        before=event.before,
        after=event.after,
    )


def _line_entry(line: LogLine) -> Entry:
    return Entry(
        cursor=Cursor(at=line.at, number=2 * line.pk + _LINE),
        arrival=Cursor(at=line.stored_at, number=2 * line.pk + _LINE),
        at=line.at,
        level=line.severity,
        subsystem=line.group,
        action="",
        actor="",
        message=line.text,
    )
