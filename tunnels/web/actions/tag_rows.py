"""Rows of key and value, as they come from a form and go back into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.http import QueryDict

from tunnels.domain.findings import Finding


@dataclass(frozen=True, slots=True)
class TagRow:
    """One row; `error` stands below it, `fresh` takes the focus."""

    key: str = ""
    value: str = ""
    error: str = ""
    fresh: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was typed into it."""
        return not (self.key or self.value)


def rows_of(tags: Mapping[str, str]) -> list[TagRow]:
    """A row for each tag, sorted by key, or one empty row."""
    return [TagRow(key, value) for key, value in sorted(tags.items())] or [TagRow(fresh=True)]


def posted_rows(posted: QueryDict) -> list[TagRow]:
    """The rows of a form, empty ones included."""
    pairs = zip(posted.getlist("key"), posted.getlist("value"), strict=False)
    return [TagRow(key.replace("\0", ""), value.replace("\0", "")) for key, value in pairs]


def filled(rows: Iterable[TagRow]) -> list[TagRow]:
    """The rows in which something was typed."""
    return [row for row in rows if not row.empty]


def rearranged(rows: list[TagRow], posted: QueryDict) -> list[TagRow] | None:
    """The rows after the button "add" or "remove" was pressed; None when it was neither."""
    if "add" in posted:
        return [*rows, TagRow(fresh=True)]
    place = posted.get("remove", "")
    if not place:
        return None
    kept = [row for number, row in enumerate(rows) if str(number) != place]
    return kept or [TagRow(fresh=True)]


def with_errors(rows: list[TagRow], findings: Iterable[Finding]) -> tuple[list[TagRow], str]:
    """The rows with their findings, and the sentences that belong to no row."""
    marked, rest = list(rows), []
    for finding in findings:
        if finding.row is None:
            rest.append(finding.message)
        else:
            marked[finding.row] = replace(marked[finding.row], error=finding.message)
    return marked, " ".join(rest)
