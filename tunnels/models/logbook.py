"""The logbook of a tunnel: what happened to it, in order, page by page.

Today it has the console's own events; lines of the gateways are to be merged in here, behind the same `Entry`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from tunnels.models.telemetry import Event

# From the mildest to the gravest: a level asked for lets the graver ones through too.
LEVELS: tuple[str, ...] = tuple(Event.Level.values)
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
    """One line: `actor` is a name ("" when nobody did it), `before` and `after` hold what changed, without secrets."""

    cursor: Cursor
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

    `level` is the mildest one wanted; `text` is looked for in messages and names, letter case aside.
    """

    target: str
    since: datetime | None = None
    until: datetime | None = None
    level: str = ""
    subsystem: str = ""
    text: str = ""


def newest(query: Query, *, limit: int, older_than: Cursor | None = None) -> list[Entry]:
    """At most `limit` entries, the newest first, from the cursor backwards in time."""
    rows = _events(query).order_by("-at", "-id")
    if older_than:
        rows = rows.filter(
            Q(at__lt=older_than.at) | Q(at=older_than.at, id__lt=older_than.number),
            at__lte=older_than.at,
        )
    return [_entry(event) for event in rows[:limit]]


def following(query: Query, *, limit: int, newer_than: Cursor) -> list[Entry]:
    """At most `limit` entries behind the cursor, the oldest first."""
    rows = (
        _events(query)
        .order_by("at", "id")
        .filter(
            Q(at__gt=newer_than.at) | Q(at=newer_than.at, id__gt=newer_than.number),
            at__gte=newer_than.at,
        )
    )
    return [_entry(event) for event in rows[:limit]]


def everything(query: Query) -> Iterator[Entry]:
    """All entries, the oldest first, fetched piece by piece while they are read."""
    rows = _events(query).order_by("at", "id")
    return (_entry(event) for event in rows.iterator(chunk_size=_CHUNK))


def subsystems(target: str) -> list[str]:
    """The parts of the system that have written about this target, by name."""
    rows = Event.objects.filter(target_id=target).order_by("subsystem")
    return list(rows.values_list("subsystem", flat=True).distinct())


def _events(query: Query) -> QuerySet[Event]:
    rows = Event.objects.filter(target_id=query.target)
    if query.since:
        rows = rows.filter(at__gte=query.since)
    if query.until:
        rows = rows.filter(at__lt=query.until)
    if query.level in LEVELS:
        rows = rows.filter(level__in=LEVELS[LEVELS.index(query.level) :])
    if query.subsystem:
        rows = rows.filter(subsystem=query.subsystem)
    if query.text:
        rows = rows.filter(Q(message__icontains=query.text) | Q(actor_name__icontains=query.text))
    return rows


def _entry(event: Event) -> Entry:
    return Entry(
        cursor=Cursor(at=event.at, number=event.pk),
        at=event.at,
        level=event.level,
        subsystem=event.subsystem,
        action=event.action,
        actor=event.actor_name,
        message=event.message,
        before=event.before,
        after=event.after,
    )
