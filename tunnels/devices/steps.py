"""A click path: for devices that are configured in a browser and take no file without losing what they have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of a form: its label as on the screen, the value, and why when that is not plain."""

    label: str
    value: str
    why: str = ""

    def __str__(self) -> str:
        line = f"{self.label:<34}{self.value}"
        return f"{line}   ({self.why})" if self.why else line


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One form: where it is found, what is entered, which button ends it."""

    number: int
    place: str
    entries: tuple[Entry, ...]
    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """All that a template prints: the heading as comment lines, then the steps."""

    heading: tuple[str, ...]
    steps: tuple[Step, ...]


def numbered(forms: Iterable[tuple[str, Iterable[Entry], str]]) -> tuple[Step, ...]:
    """(place, entries, button) of each form, in the order in which they are filled in."""
    return tuple(
        Step(number=number, place=place, entries=tuple(entries), button=button)
        for number, (place, entries, button) in enumerate(forms, start=1)
    )
