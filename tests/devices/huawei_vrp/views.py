"""Reads commands as VRP's prompt takes them: a line each, and views that a line opens and `quit` leaves.

*CLI Overview* of both manuals: a view is entered by a command, `quit` returns to the one above; `?` asks for help
wherever it is typed. A view knows the commands below it and no others, and each of ours stands once in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.devices.understood import BadFileError

_TYPEABLE = re.compile("[ -~]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class View:
    """The command that opens a view, and what is in it; `inner` is None for a command that opens none."""

    command: str
    inner: tuple[View, ...] | None = None


def views(text: str) -> tuple[View, ...]:
    """All commands of the system view. Raises BadFileError for what cannot be typed, and for views that stay open."""
    if not text.endswith("\n"):
        raise BadFileError("the last line has no end")
    lines = text[:-1].split("\n")
    for line in lines:
        if not _TYPEABLE.fullmatch(line) or line != line.rstrip() or not line:
            raise BadFileError(f"not a line for the prompt: {line!r}")
    typed = [line for line in lines if not line.startswith("#")]
    if any("?" in line for line in typed):
        raise BadFileError("a question to the prompt")
    found, rest = _inside(typed, depth=0)
    if rest:
        raise BadFileError(f"left over: {rest[0]!r}")
    return found


def _inside(lines: list[str], *, depth: int) -> tuple[tuple[View, ...], list[str]]:
    found: list[View] = []
    while lines:
        line, *lines = lines
        if _depth(line) != depth:
            raise BadFileError(f"in the wrong column: {line!r}")
        word = line.strip()
        if word == "quit":
            if not depth:
                raise BadFileError("a quit out of the system view")
            return tuple(found), lines
        if lines and _depth(lines[0]) > depth:
            inner, lines = _inside(lines, depth=depth + 1)
            found.append(View(word, inner))
        else:
            found.append(View(word))
    if depth:
        raise BadFileError("a view is not left")
    return tuple(found), lines


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


Read = dict[str, tuple[str, ...]]


def read_view(view: View, grammar: Mapping[str, str]) -> Read:
    """Name → what its pattern found in parentheses. A name that ends in `?` may be missing; nothing is there twice."""
    if view.inner is None:
        raise BadFileError(f"an empty view: {view.command!r}")
    found: Read = {}
    for line in view.inner:
        if line.inner is not None:
            raise BadFileError(f"a view where none is: {line.command!r}")
        name, groups = _command(line.command, grammar, view.command)
        if name in found:
            raise BadFileError(f"twice in {view.command!r}: {name}")
        found[name] = groups
    missing = {name for name in grammar if not name.endswith("?")} - set(found)
    if missing:
        raise BadFileError(f"missing in {view.command!r}: {sorted(missing)}")
    return found


def _command(line: str, grammar: Mapping[str, str], where: str) -> tuple[str, tuple[str, ...]]:
    for name, pattern in grammar.items():
        match = re.fullmatch(pattern, line, re.ASCII)
        if match:
            return name.rstrip("?"), match.groups()
    raise BadFileError(f"no command of {where!r}: {line!r}")
