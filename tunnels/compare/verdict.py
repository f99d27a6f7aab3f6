"""A difference between the tunnel and a device's configuration, and how differences are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tunnels.compare.reading import Severity

LINES_MAX: Final = 5

_ORDER: Final = (Severity.BREAKS, Severity.UNKNOWN, Severity.HARMLESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: both values, the lines that say it (none: the device's default), and what it does."""

    name: str
    ours: str
    theirs: str
    severity: Severity
    sentence: str
    lines: tuple[int, ...] = ()

    @property
    def line(self) -> int | None:
        """The first line, or None."""
        return self.lines[0] if self.lines else None

    @property
    def where(self) -> str:
        """`line 12`, `lines 12, 20 and 3 more`, or `default`."""
        if not self.lines:
            return "default"
        shown = ", ".join(f"{line:,}" for line in self.lines[:LINES_MAX])
        more = len(self.lines) - LINES_MAX
        return f"line{'s' if len(self.lines) > 1 else ''} {shown}" + (
            f" and {more:,} more" if more > 0 else ""
        )


def lines(*numbers: int | None) -> tuple[int, ...]:
    """The lines that are known, each once, in order."""
    return tuple(sorted({number for number in numbers if number is not None}))


def told(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences with equal ones made one, the grave ones first."""
    merged: dict[Difference, set[int]] = {}
    for one in differences:
        merged.setdefault(replace(one, lines=()), set()).update(one.lines)
    found = (replace(one, lines=lines(*numbers)) for one, numbers in merged.items())
    return tuple(sorted(found, key=_gravity))


def _gravity(difference: Difference) -> int:
    return _ORDER.index(difference.severity)
