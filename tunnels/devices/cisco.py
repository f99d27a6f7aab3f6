"""What Cisco's prompts have in common: commands, modes that a command opens, and no quoting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tunnels.devices.abilities import PskGrammar
from tunnels.devices.questions import Answers, number

# A key is the last word of its line; there is no escape.
PSK: Final = PskGrammar(
    refused='?"',
    why="at its prompt ? asks for help and a quotation mark may begin a string",
)


LOAD: Final = (
    "configure terminal",
    "(paste the lines below; those that begin with an exclamation mark are comments)",
    "end",
)
SEQUENCE: Final = number(
    "sequence", "Sequence number", 100, (1, 65_535), explained="A free one in that crypto map."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some lines of configuration below one comment."""

    title: str
    lines: tuple[str, ...]


def mode(opening: str, *lines: str) -> tuple[str, ...]:
    """A command that opens a mode of configuration, the commands inside it, and the way out."""
    return (opening, *(f" {line}" for line in lines), " exit")


def one_map(answers: Answers) -> str:
    """What to know of crypto maps before the file is loaded."""
    crypto_map, outside = answers["crypto_map"], answers["outside"]
    return (
        f"An interface has only one crypto map: {crypto_map} replaces any other map on {outside}, and the tunnels of "
        "that one end. Use the name of the map that is there, and a sequence number that is free in it."
    )
