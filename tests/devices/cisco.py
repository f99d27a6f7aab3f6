"""Reads commands as Cisco's prompts take them: lines, and modes that a line opens and `exit` leaves.

"Using the Command-Line Interface" of both manuals: one command a line, of at most 254 characters; `!` in the first
column begins a comment; `?` asks for help wherever it is typed, so it can be nowhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.devices.understood import BadFileError

LONGEST = 254
_TYPEABLE = re.compile(r"[ ->@-~]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Command:
    """One command and those of the mode that it opens; `inner` is None when it opens none."""

    text: str
    inner: tuple[Command, ...] | None = None


def commands(text: str) -> tuple[Command, ...]:
    """The commands of a file. Raises BadFileError for what cannot be typed, and for modes that are not left."""
    if not text.endswith("\n"):
        raise BadFileError("the last line has no end")
    lines = text[:-1].split("\n")
    for line in lines:
        if not _TYPEABLE.fullmatch(line) or line != line.rstrip() or not line:
            raise BadFileError(f"not a line for the prompt: {line!r}")
        if len(line) > LONGEST:
            raise BadFileError(f"longer than the prompt takes: {line!r}")
    found, rest = _mode([line for line in lines if not line.startswith("!")], depth=0)
    if rest:
        raise BadFileError(f"left over: {rest[0]!r}")
    return found


def _mode(lines: list[str], *, depth: int) -> tuple[tuple[Command, ...], list[str]]:
    """The commands of one mode, and the lines after it."""
    found: list[Command] = []
    while lines:
        line, *lines = lines
        if _depth(line) != depth:
            raise BadFileError(f"in the wrong column: {line!r}")
        word = line.strip()
        if word == "exit":
            if not depth:
                raise BadFileError("an exit out of nothing")
            return tuple(found), lines
        if lines and _depth(lines[0]) > depth:
            inner, lines = _mode(lines, depth=depth + 1)
            found.append(Command(word, inner))
        else:
            found.append(Command(word))
    if depth:
        raise BadFileError("a mode is not left")
    return tuple(found), lines


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


class Taken:
    """The lines of one mode, taken one after the other; whatever nobody takes is an error."""

    def __init__(self, command: Command) -> None:
        if not command.inner:
            raise BadFileError(f"an empty mode: {command.text!r}")
        if any(inner.inner is not None for inner in command.inner):
            raise BadFileError(f"a mode inside {command.text!r}")
        self.title = command.text
        self.lines = [inner.text for inner in command.inner]

    def every(self, pattern: str) -> list[re.Match[str]]:
        """All lines that the pattern takes."""
        matches = [re.fullmatch(pattern, line, re.ASCII) for line in self.lines]
        self.lines = [line for line, match in zip(self.lines, matches, strict=True) if not match]
        return [match for match in matches if match]

    def maybe(self, pattern: str) -> re.Match[str] | None:
        """The line that the pattern takes, if there is one. Two are an error."""
        found = self.every(pattern)
        if len(found) > 1:
            raise BadFileError(f"said twice in {self.title!r}: {pattern}")
        return found[0] if found else None

    def one(self, pattern: str) -> re.Match[str]:
        """The line that the pattern takes; there must be one."""
        found = self.maybe(pattern)
        if not found:
            raise BadFileError(f"missing in {self.title!r}: {pattern}")
        return found

    def done(self) -> None:
        """No line may be left."""
        if self.lines:
            raise BadFileError(f"unknown in {self.title!r}: {self.lines[0]!r}")


def number(text: str, low: int, high: int) -> int:
    """A number as these prompts take it."""
    if not re.fullmatch("0|[1-9][0-9]{0,9}", text, re.ASCII) or not low <= int(text) <= high:
        raise BadFileError(f"not a number from {low} to {high}: {text!r}")
    return int(text)


def address(text: str) -> str:
    """An address in its canonical form."""
    try:
        found = str(ipaddress.ip_address(text))
    except ValueError:
        raise BadFileError(f"no address: {text!r}") from None
    if found != text:
        raise BadFileError(f"not written as usual: {text!r}")
    return found


def network(first: str, mask: str, *, wildcard: bool) -> str:
    """An IPv4 range in CIDR notation; `wildcard` tells which kind of mask it is."""
    try:
        found = ipaddress.IPv4Network(f"{first}/{mask}")
    except ValueError:
        raise BadFileError(f"no range: {first} {mask}") from None
    if mask != str(found.hostmask if wildcard else found.netmask):
        raise BadFileError(f"the wrong kind of mask: {mask}")
    return str(found)


def alone(values: Iterable[str], what: str) -> str:
    """The one value that all of them are."""
    found = set(values)
    if len(found) != 1:
        raise BadFileError(f"not one {what}: {len(found)}")
    return found.pop()


def word(table: dict[str, str], text: str) -> str:
    """Our id of a word of the device."""
    if text not in table:
        raise BadFileError(f"no such word: {text!r}")
    return table[text]
