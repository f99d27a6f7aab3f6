"""The parts that a file of commands is put together from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some lines of configuration below one comment."""

    title: str
    lines: tuple[str, ...]


def mode(opening: str, *lines: str) -> tuple[str, ...]:
    """A command that opens a mode of configuration, the commands inside it, and the way out."""
    return (opening, *(f" {line}" for line in lines), " exit")
