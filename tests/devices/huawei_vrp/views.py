"""Reads commands as VRP's prompt takes them: a line each, and views that a line opens and `quit` leaves.

*CLI Overview* of both manuals: a view is entered by a command, `quit` returns to the one above; `?` asks for help
wherever it is typed. A view knows the commands below it and no others, and each of ours stands once in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.devices.prompt import Command, lines_of, nested
from tests.devices.understood import BadFileError

_TYPEABLE = re.compile("[ -~]*", re.ASCII)


def views(text: str) -> tuple[Command, ...]:
    """All commands of the system view. Raises BadFileError for what cannot be typed, and for views that stay open."""
    typed = [line for line in lines_of(text, _TYPEABLE) if not line.startswith("#")]
    if any("?" in line for line in typed):
        raise BadFileError("a question to the prompt")
    return nested(typed, "quit")


Read = dict[str, tuple[str, ...]]


def read_view(view: Command, grammar: Mapping[str, str]) -> Read:
    """Name → what its pattern found in parentheses. A name that ends in `?` may be missing; nothing is there twice."""
    if view.inner is None:
        raise BadFileError(f"an empty view: {view.text!r}")
    found: Read = {}
    for line in view.inner:
        if line.inner is not None:
            raise BadFileError(f"a view where none is: {line.text!r}")
        name, groups = _command(line.text, grammar, view.text)
        if name in found:
            raise BadFileError(f"twice in {view.text!r}: {name}")
        found[name] = groups
    missing = {name for name in grammar if not name.endswith("?")} - set(found)
    if missing:
        raise BadFileError(f"missing in {view.text!r}: {sorted(missing)}")
    return found


def _command(line: str, grammar: Mapping[str, str], where: str) -> tuple[str, tuple[str, ...]]:
    for name, pattern in grammar.items():
        match = re.fullmatch(pattern, line, re.ASCII)
        if match:
            return name.rstrip("?"), match.groups()
    raise BadFileError(f"no command of {where!r}: {line!r}")
