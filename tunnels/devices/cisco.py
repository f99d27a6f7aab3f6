"""What Cisco's prompts have in common: commands, modes that a command opens, and no quoting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tunnels.devices.abilities import PskGrammar

# A key is the last word of its line; there is no escape.
PSK: Final = PskGrammar(
    refused='?"',
    why="at its prompt ? asks for help and a quotation mark may begin a string",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some lines of configuration below one comment."""

    title: str
    lines: tuple[str, ...]


def mode(opening: str, *lines: str) -> tuple[str, ...]:
    """A command that opens a mode of configuration, the commands inside it, and the way out."""
    return (opening, *(f" {line}" for line in lines), " exit")
