"""RouterOS as the collection community.routeros knows it: the fields of each menu, and a parser of command lines.

The fields are those that `/export verbose` of real devices shows, by version. The parser is the collection's own and
works without Ansible. Neither knows which values a field takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from tests.vendors.ansible_collections import version_of

MODULES = "ansible_collections.community.routeros.plugins.module_utils"


@dataclass(frozen=True, slots=True)
class Command:
    """One `add`: the menu as words, and the fields with their decoded values."""

    menu: tuple[str, ...]
    fields: Mapping[str, str]


def judge() -> str:
    """The name of the collection, for the record of what was checked."""
    return f"community.routeros {version_of('community', 'routeros')}"


def parse(script: str) -> list[Command]:
    """The `add` commands as the collection parses them. Comments and conditionals are no commands.

    Raises ValueError for a line that it cannot parse, with the line's number.
    """
    commands = []
    for number, line in enumerate(script.splitlines(), start=1):
        if line and not line.startswith(("#", ":")):
            try:
                commands.append(_command(line))
            except (_quoting().ParseError, ValueError) as error:
                raise ValueError(f"line {number}: {error}") from None
    return commands


def complaints(script: str, *, version: str) -> list[str]:
    """What this version of RouterOS has no menu or no field for. Raises ValueError like `parse`."""
    found = []
    for command in parse(script):
        known = _fields(command.menu, version)
        path = "/" + " ".join(command.menu)
        if known is None:
            found.append(f"no menu {path}")
        else:
            found += [f"no {field} in {path}" for field in command.fields if field not in known]
    return found


def _command(line: str) -> Command:
    words = _quoting().split_routeros_command(line)
    menu, rest = words[: words.index("add")], words[words.index("add") + 1 :]
    fields = _quoting().convert_list_to_dictionary(rest)
    if len(fields) != len(rest) or not menu[0].startswith("/"):
        raise ValueError("a field twice, or no menu")
    return Command((menu[0][1:], *menu[1:]), fields)


def _fields(menu: tuple[str, ...], version: str) -> frozenset[str] | None:
    data = import_module(f"{MODULES}._api_data").PATHS.get(menu)
    if data is None or not data.provide_version(version)[0]:
        return None
    return frozenset(data.get_data().fields)


@cache
def _quoting() -> ModuleType:
    return import_module(f"{MODULES}.quoting")
