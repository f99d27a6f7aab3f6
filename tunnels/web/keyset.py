"""Pages of a list by the key of their first or last row: as fast on the last page as on the first.

The address holds `after=PK` or `before=PK`. When that row is gone, the first page is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[M]):
    """The rows, and the query strings of the pages around them ("" = there is none)."""

    rows: list[M]
    previous: str
    next: str


def page_of(
    rows: QuerySet[M], query: QueryDict, *, by: str, size: int, descending: bool = False
) -> Page[M]:
    """The page that the address asks for, ordered by the column `by` and then the primary key.

    At most three queries, whatever the page.
    """
    pk = query.get("before") or query.get("after") or ""
    key = _key_of(rows, by, pk) if pk.isdecimal() and len(pk) < 19 else None
    if key is None:
        return _cut(rows, query, by=by, size=size, ascending=not descending, key=None)
    backwards = bool(query.get("before"))
    page = _cut(rows, query, by=by, size=size, ascending=descending == backwards, key=key)
    if not backwards:
        return page
    if not page.next:
        # There is no page before that one: the first page, in full.
        return _cut(rows, query, by=by, size=size, ascending=not descending, key=None)
    found = page.rows[::-1]
    return Page(
        rows=found,
        previous=_query(query, "before", found[0]),
        next=_query(query, "after", found[-1]),
    )


def _cut(
    rows: QuerySet[M],
    query: QueryDict,
    *,
    by: str,
    size: int,
    ascending: bool,
    key: tuple[object, object] | None,
) -> Page[M]:
    if key is not None:
        value, pk = key
        beyond = "gt" if ascending else "lt"
        # The first condition is what an index can begin at.
        rows = rows.filter(
            Q(**{f"{by}__{beyond}e": value})
            & (Q(**{f"{by}__{beyond}": value}) | Q(**{f"pk__{beyond}": pk}))
        )
    sign = "" if ascending else "-"
    found = list(rows.order_by(f"{sign}{by}", f"{sign}pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    return Page(
        rows=found,
        previous=_query(query, "before", found[0]) if key is not None and found else "",
        next=_query(query, "after", found[-1]) if more else "",
    )


def _key_of(rows: QuerySet[M], by: str, pk: str) -> tuple[object, object] | None:
    return rows.model._default_manager.filter(pk=int(pk)).values_list(by, "pk").first()


def _query(query: QueryDict, name: str, row: Model) -> str:
    changed = query.copy()
    for position in ("before", "after"):
        changed.pop(position, None)
    changed[name] = str(row.pk)
    return f"?{changed.urlencode()}"
