"""The list's address: it holds the whole state, and anything may stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.core import signing
from django.http import QueryDict
from django.urls import reverse

from tunnels.domain.status import Word
from tunnels.models.listing import Criteria, Position, Sort

# Names in the address, and the criteria that they fill.
FIELDS: Final[Mapping[str, str]] = {
    "q": "text",
    "region": "region",
    "network": "network",
    "gateway": "vpn_gateway",
    "customer": "customer_gateway",
    "tag": "tag",
}
LONGEST: Final = 400
_SALT: Final = "tunnels.listing.cursor"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What was asked for, and `problems`: sentences about what could not be understood and was left out."""

    criteria: Criteria = field(default_factory=Criteria)
    sort: Sort = Sort.NEWEST
    after: Position | None = None
    before: Position | None = None
    problems: tuple[str, ...] = ()

    @property
    def narrowed(self) -> bool:
        """Whether anything hides tunnels."""
        return self.criteria != Criteria()

    @property
    def filters(self) -> int:
        """How many filters are set, the search text aside."""
        values = [getattr(self.criteria, name) for name in FIELDS.values() if name != "text"]
        return sum(1 for value in [*values, self.criteria.status] if value)

    def address(self, *, sort: Sort | None = None, **cursor: Position | None) -> str:
        """The list's address with these criteria, at the first page unless `after` or `before` is given."""
        return f"{reverse('tunnels:list')}{self.query_string(sort=sort, **cursor)}"

    def query_string(self, *, sort: Sort | None = None, **cursor: Position | None) -> str:
        """The part of `address` from the question mark on; "" when everything is as usual."""
        chosen = sort or self.sort
        params = {name: getattr(self.criteria, to) for name, to in FIELDS.items()}
        params["status"] = self.criteria.status.value if self.criteria.status else ""
        params["sort"] = "" if chosen is Sort.NEWEST else chosen.value
        params |= {name: _write(at, chosen) for name, at in cursor.items() if at is not None}
        said = urlencode({name: value for name, value in params.items() if value})
        return f"?{said}" if said else ""


def read_query(params: QueryDict) -> ListQuery:
    """The query of an address. What makes no sense is left out and told in `problems`."""
    problems: list[str] = []
    texts = {to: _clean(params.get(name, "")) for name, to in FIELDS.items()}
    status = _choice(Word, _clean(params.get("status", "")), "status", problems)
    sort = _choice(Sort, _clean(params.get("sort", "")), "order", problems) or Sort.NEWEST
    after = _read(params.get("after", ""), sort, problems)
    before = None if after else _read(params.get("before", ""), sort, problems)
    return ListQuery(
        criteria=Criteria(**texts, status=status),
        sort=sort,
        after=after,
        before=before,
        problems=tuple(problems),
    )


def _clean(text: str) -> str:
    return "".join(char for char in text[:LONGEST] if char.isprintable()).strip()


def _choice(kind: Any, value: str, what: str, problems: list[str]) -> Any:
    if not value:
        return None
    try:
        return kind(value)
    except ValueError:
        problems.append(f"There is no {what} “{value[:40]}”, so it was left out.")
        return None


def _write(position: Position, sort: Sort) -> str:
    key = position.key.isoformat() if isinstance(position.key, datetime) else position.key
    return signing.dumps([key, position.number], salt=f"{_SALT}.{sort.value}")


def _read(cursor: str, sort: Sort, problems: list[str]) -> Position | None:
    if not cursor:
        return None
    try:
        # Signed for its order, so what comes out is what was put in.
        key, number = signing.loads(cursor, salt=f"{_SALT}.{sort.value}")
    except signing.BadSignature:
        problems.append("This link to a page of the list is broken, so here is the first page.")
        return None
    in_time = sort in {Sort.NEWEST, Sort.OLDEST}
    return Position(datetime.fromisoformat(key) if in_time else key, number)
