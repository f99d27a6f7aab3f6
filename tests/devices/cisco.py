"""Reads commands as Cisco's prompts take them: lines, and modes that a line opens and `exit` leaves.

"Using the Command-Line Interface" of both manuals: one command a line, of at most 254 characters; `!` in the first
column begins a comment; `?` asks for help wherever it is typed, so it can be nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from tests.devices.prompt import Command, lines_of, nested
from tests.devices.understood import BadFileError

LONGEST = 254
_TYPEABLE = re.compile(r"[ ->@-~]*", re.ASCII)


def commands(text: str) -> tuple[Command, ...]:
    """The commands of a file. Raises BadFileError for what cannot be typed, and for modes that are not left."""
    lines = lines_of(text, _TYPEABLE)
    for line in lines:
        if len(line) > LONGEST:
            raise BadFileError(f"longer than the prompt takes: {line!r}")
    return nested([line for line in lines if not line.startswith("!")], "exit")


@dataclass(slots=True)
class Device:
    """What has been configured so far; what is used must have been defined above."""

    names: set[tuple[str, str]] = field(default_factory=set)

    def define(self, kind: str, name: str) -> None:
        """A thing of this kind and name is there from now on; raises BadFileError when it is already."""
        if (kind, name) in self.names:
            raise BadFileError(f"{kind} {name} is there twice")
        self.names.add((kind, name))

    def use(self, kind: str, name: str) -> None:
        """Raises BadFileError when there is no such thing yet."""
        if (kind, name) not in self.names:
            raise BadFileError(f"{kind} {name} is used before it is there")


D = TypeVar("D", bound=Device)
# The pattern of a command, what it does to the device, and whether it opens a mode.
Known = tuple[str, Callable[[D, re.Match[str], Command], None], bool]


def obey(device: D, command: Command, known: Iterable[Known[D]]) -> None:
    """Takes one command. Raises BadFileError when the device would not, or when we would not write it."""
    for pattern, take, has_mode in known:
        match = re.fullmatch(pattern, command.text, re.ASCII)
        if match:
            if has_mode != (command.inner is not None):
                raise BadFileError(f"with or without a mode: {command.text!r}")
            take(device, match, command)
            return
    raise BadFileError(f"unknown command: {command.text!r}")


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
