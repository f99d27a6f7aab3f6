"""What was found, in the order in which somebody would go through it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tunnels.compare.reading import Severity
from tunnels.compare.verdict import Difference

_TITLES: Final = {
    Severity.BREAKS: ("To be resolved", "With these the tunnel does not come up, or does not carry what it should."),
    Severity.UNKNOWN: ("Not compared", "Look at these yourself."),
    Severity.HARMLESS: ("Different, and harmless", "The tunnel works with these as they are."),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Differences that weigh alike."""

    id: str
    title: str
    text: str
    differences: tuple[Difference, ...]


def groups(differences: Iterable[Difference]) -> list[Group]:
    """The groups that have any, the grave ones first."""
    found = tuple(differences)
    return [
        Group(id=severity.value, title=title, text=text, differences=members)
        for severity, (title, text) in _TITLES.items()
        if (members := tuple(one for one in found if one.severity is severity))
    ]
