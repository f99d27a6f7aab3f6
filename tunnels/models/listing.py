"""The read side of the list of tunnels: which ones, in which order, a page at a time.

A page is two queries, tunnels and then their VPN gateways, because PostgreSQL plans two joins of four
tables five times faster than one of eight. Neither touches the pre-shared keys. Pages are found by the position
of their neighbours (keyset), so that the last one costs as much as the first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from tunnels.domain.addresses import Address
from tunnels.domain.status import SILENT_AFTER_SECONDS, Word, shown_word
from tunnels.models.gateway import VpnGateway
from tunnels.models.searching import matching
from tunnels.models.tunnel import Tunnel

PAGE_SIZE: Final = 50
# What needs attention comes first.
RANKS: Final = {
    Word.FAILED: 0,
    Word.DISCONNECTED: 1,
    Word.PARTIAL: 2,
    Word.UNKNOWN: 3,
    Word.NEGOTIATING: 4,
    Word.PROVISIONING: 5,
    Word.DELETING: 6,
    Word.CONNECTED: 7,
    Word.DISABLED: 8,
}

Key: TypeAlias = datetime | str | int


class Sort(StrEnum):
    """The orders of the list; each ends with the row's number, so that no two rows are equal."""

    NEWEST = "-created"
    OLDEST = "created"
    NAME = "name"
    NAME_DOWN = "-name"
    STATUS = "status"
    STATUS_DOWN = "-status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What the list is narrowed to; "" means anything.

    `region` is a code; `network`, `vpn_gateway` and `customer_gateway` are an id or the beginning of a
    name; `tag` is `key` or `key=value`; `text` is described in `tunnels.models.searching`.
    """

    text: str = ""
    region: str = ""
    network: str = ""
    vpn_gateway: str = ""
    customer_gateway: str = ""
    status: Word | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands in an order: its sort key, and its number among equals."""

    key: Key
    number: int


@dataclass(frozen=True, slots=True)
class GatewayCell:
    """A VPN gateway as the list shows it, with the VPC or CCN that it is attached to."""

    number: int
    public_id: str
    name: str
    last_seen: datetime | None
    region: str
    network_id: str
    network_name: str


@dataclass(frozen=True, slots=True)
class Row:
    """One tunnel as the list shows it; `word` is Unknown when the gateway is silent."""

    number: int
    public_id: str
    name: str
    intent: str
    tags: dict[str, str]
    created_at: datetime
    reset_count: int
    up: int
    total: int
    health: str
    rtt_ms: float | None
    failure: str
    cause: str | None
    resets_done: int
    customer_id: str
    customer_name: str
    customer_ip: Address
    gateway: GatewayCell
    silent: bool
    word: Word

    @property
    def connected(self) -> bool:
        """Whether traffic could flow when it was last observed."""
        return self.up > 0

    def position(self, sort: Sort) -> Position:
        """Where the row stands in this order."""
        key: Key
        match sort:
            case Sort.NEWEST | Sort.OLDEST:
                key = self.created_at
            case Sort.NAME | Sort.NAME_DOWN:
                key = self.name.lower()
            case _:
                key = RANKS[self.word]
        return Position(key, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows, and the positions from which the pages before and after them are asked for."""

    rows: Sequence[Row]
    before: Position | None
    after: Position | None


def list_page(
    criteria: Criteria,
    *,
    sort: Sort = Sort.NEWEST,
    after: Position | None = None,
    before: Position | None = None,
    size: int = PAGE_SIZE,
) -> Page:
    """The page behind `after`, or the one in front of `before`, or the first."""
    now = timezone.now()
    backwards = before is not None and after is None
    position = before if backwards else after
    descending = sort.startswith("-") is not backwards
    tunnels = _keyed(_narrowed(criteria, now), sort, now)
    if position is not None:
        tunnels = _beyond(tunnels, position, descending)
    order = ("-sort_key", "-pk") if descending else ("sort_key", "pk")
    rows = _rows(tunnels.order_by(*order)[: size + 1], now)
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    first, last = (rows[0].position(sort), rows[-1].position(sort)) if rows else (None, None)
    return Page(
        rows=rows,
        before=first if (more if backwards else position is not None) else None,
        after=last if (more or backwards) else None,
    )


def list_rows(public_ids: Sequence[str]) -> list[Row]:
    """The rows of these tunnels, in no order; ids of deleted tunnels are left out."""
    return _rows(Tunnel.objects.filter(public_id__in=public_ids), timezone.now())


def silent_since(now: datetime) -> datetime:
    """A gateway that was seen before this moment and not since is silent."""
    return now - timedelta(seconds=SILENT_AFTER_SECONDS)


_STORED: Final = (
    "vpn_gateway",
    "state__word",
    "pk",
    "public_id",
    "name",
    "intent",
    "tags",
    "created_at",
    "reset_count",
    "state__mappings_up",
    "state__mappings_total",
    "state__health",
    "state__rtt_ms",
    "state__failure",
    KeyTextTransform("cause", "state__cause"),
    "state__resets_done",
    "customer_gateway__public_id",
    "customer_gateway__name",
    "customer_gateway__public_ip",
)


def _rows(tunnels: QuerySet[Tunnel], now: datetime) -> list[Row]:
    edge = silent_since(now)
    records = list(tunnels.values_list(*_STORED))
    gateways = _gateway_cells({record[0] for record in records}) if records else {}
    rows = []
    for gateway_number, stored_word, *fields in records:
        gateway = gateways[gateway_number]
        silent = gateway.last_seen is not None and gateway.last_seen < edge
        word = shown_word(Word(stored_word), silent=silent)
        rows.append(Row(*[*fields, gateway, silent, word]))
    return rows


def _gateway_cells(numbers: Collection[int]) -> dict[int, GatewayCell]:
    records = VpnGateway.objects.filter(pk__in=numbers).order_by()
    cells = (
        GatewayCell(*record)
        for record in records.values_list(
            "pk",
            "public_id",
            "name",
            "last_seen",
            "region__name",
            Coalesce("vpc__public_id", "ccn__public_id"),
            Coalesce("vpc__name", "ccn__name"),
        )
    )
    return {cell.number: cell for cell in cells}


def _keyed(tunnels: QuerySet[Tunnel], sort: Sort, now: datetime) -> QuerySet[Any]:
    key: Any
    match sort:
        case Sort.NEWEST | Sort.OLDEST:
            key = F("created_at")
        case Sort.NAME | Sort.NAME_DOWN:
            key = Lower("name")
        case _:
            unknown = When(_is_unknown(now), then=Value(RANKS[Word.UNKNOWN]))
            stored = [When(state__word=word, then=Value(rank)) for word, rank in RANKS.items()]
            key = Case(unknown, *stored, output_field=IntegerField())
    return tunnels.alias(sort_key=key)


def _beyond(tunnels: QuerySet[Any], position: Position, descending: bool) -> QuerySet[Any]:
    side = "lt" if descending else "gt"
    # The first condition alone lets the index find the place; the second settles equal keys.
    return tunnels.filter(
        Q((f"sort_key__{side}e", position.key)),
        Q((f"sort_key__{side}", position.key)) | Q((f"pk__{side}", position.number)),
    )


def _narrowed(criteria: Criteria, now: datetime) -> QuerySet[Tunnel]:
    tunnels = Tunnel.objects.all()
    if criteria.text:
        tunnels = matching(tunnels, criteria.text)
    if criteria.region:
        tunnels = tunnels.filter(vpn_gateway__region__code=criteria.region)
    if criteria.network:
        tunnels = tunnels.filter(
            _named("vpn_gateway__vpc", criteria.network)
            | _named("vpn_gateway__ccn", criteria.network)
        )
    if criteria.vpn_gateway:
        tunnels = tunnels.filter(_named("vpn_gateway", criteria.vpn_gateway))
    if criteria.customer_gateway:
        tunnels = tunnels.filter(_named("customer_gateway", criteria.customer_gateway))
    if criteria.tag:
        tunnels = tunnels.filter(_tagged(criteria.tag))
    if criteria.status:
        tunnels = tunnels.filter(_has_status(criteria.status, now))
    return tunnels


def _named(path: str, value: str) -> Q:
    if re.fullmatch(r"(vpc|ccn|vpngw|cgw)-[a-z0-9]{8}", value):
        return Q((f"{path}__public_id", value))
    return Q((f"{path}__name__istartswith", value))


def _tagged(tag: str) -> Q:
    """Keys and values may both hold "=", so every place to cut is tried."""
    cuts = [index for index, char in enumerate(tag) if char == "="]
    if not cuts:
        return Q(tags__has_key=tag)
    found = Q()
    for cut in cuts:
        found |= Q(tags__contains={tag[:cut]: tag[cut + 1 :]})
    return found


def _is_unknown(now: datetime) -> Q:
    # The same answer as `shown_word` gives for a row: only a deletion shows through silence.
    return Q(vpn_gateway__last_seen__lt=silent_since(now)) & ~Q(state__word=Word.DELETING.value)


def _has_status(word: Word, now: datetime) -> Q:
    if word is Word.UNKNOWN:
        return _is_unknown(now)
    stored = Q(state__word=word.value)
    if word is Word.DELETING:
        return stored
    heard = Q(vpn_gateway__last_seen__isnull=True) | Q(
        vpn_gateway__last_seen__gte=silent_since(now)
    )
    return stored & heard
