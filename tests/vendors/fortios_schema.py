"""Fortinet's own schema of FortiOS, and what it has to say against a script.

The collection fortinet.fortios is generated from FortiOS: each module has the options of one `config` with the versions
that have them and, where they are enumerated, the values. The modules are parsed with `ast` and never run. They know
neither lengths nor ranges of numbers.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.vendors.ansible_collections import collection, version_of

Options = Mapping[str, Any]
# Options of two words: an IPv4 address and its mask.
MASKED = {"ip", "remote-ip", "subnet", "dst", "src-subnet", "dst-subnet"}
# A train of versions is 7.4.0 up to whatever its last one will be.
LAST_PATCH = 99


@dataclass(frozen=True, slots=True)
class Version:
    """A version of FortiOS as a pair of ends of its train: 7.4 stands for all of 7.4.x."""

    train: tuple[int, int]

    @classmethod
    def of(cls, text: str) -> Version:
        major, minor = text.split(".")
        return cls((int(major), int(minor)))

    def has(self, ranges: list[list[str]] | None) -> bool:
        """Whether the whole train lies inside the ranges; no ranges: always."""
        if ranges is None:
            return True
        return all(
            any(_number(first) <= (*self.train, patch) <= _number(last) for first, last in ranges)
            for patch in (0, LAST_PATCH)
        )


def judge() -> str:
    """The name of the schema, for the record of what was checked."""
    return f"Fortinet's schema fortinet.fortios {version_of('fortinet', 'fortios')}"


def complaints(script: str, *, version: str) -> list[str]:
    """What the schema of this version says against the script: unknown tables, options and values.

    Raises ValueError when the script is no nesting of config, edit, set, next and end.
    """
    return list(_walk(_words(script), Version.of(version)))


def settings(script: str) -> int:
    """How many `set` lines there are to be judged."""
    return sum(words[0] == "set" for _, words in _words(script))


def _words(script: str) -> list[tuple[int, list[str]]]:
    """(number, words) of each line that is no comment. FortiOS quotes like a POSIX shell."""
    return [
        (number, shlex.split(line))
        for number, line in enumerate(script.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]


def _walk(lines: list[tuple[int, list[str]]], version: Version) -> Iterator[str]:
    """The stack has the options of each block; None where the schema has no such block."""
    stack: list[tuple[str, Options | None]] = []
    for number, (command, *words) in lines:
        if command in {"next", "end"}:
            if not stack or stack.pop()[0] != {"next": "edit", "end": "config"}[command]:
                raise ValueError(f"line {number}: {command} closes nothing")
        elif command == "config":
            options = _table(words) if not stack else _inner(stack[-1][1], words)
            if options is None or not version.has(options.get("v_range")):
                yield f"line {number}: no config {' '.join(words)}"
                options = None
            stack.append(("config", options))
        elif command == "edit" and stack and len(words) == 1:
            stack.append(("edit", stack[-1][1]))
        elif command == "set" and stack and len(words) > 1:
            complaint = _setting(stack[-1][1], words[0], words[1:], version)
            if complaint:
                yield f"line {number}: {complaint}"
        else:
            raise ValueError(f"line {number}: {command}")
    if stack:
        raise ValueError("a block without an end")


def _setting(options: Options | None, name: str, values: list[str], version: Version) -> str:
    """What is wrong with one `set`; empty when nothing is."""
    if options is None:
        return ""
    option = options["children"].get(name.replace("-", "_"))
    if option is None or not version.has(option.get("v_range")):
        return f"no option {name}"
    allowed = {choice["value"]: choice.get("v_range") for choice in option.get("options", ())}
    for value in values:
        if allowed and (value not in allowed or not version.has(allowed[value])):
            return f"{name} cannot be {value}"
        if option["type"] == "integer" and not value.isdigit():
            return f"{name} is no number: {value}"
    many = option["type"] == "list" or (name in MASKED and "." in values[0])
    return "" if many or len(values) == 1 else f"{name} has {len(values)} values"


def _inner(options: Options | None, path: list[str]) -> Options | None:
    inner = options and options["children"].get("_".join(path).replace("-", "_"))
    return inner if inner and "children" in inner else None


@cache
def _module(name: str) -> Options | None:
    path = collection("fortinet", "fortios") / "plugins" / "modules" / f"fortios_{name}.py"
    if not path.is_file():
        return None
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "versioned_schema":
            found = ast.literal_eval(node.value)
            assert isinstance(found, dict)
            return found
    return None


def _table(path: list[str]) -> Options | None:
    return _module("_".join(path).replace("-", "_"))


def _number(text: str) -> tuple[int, ...]:
    """v7.4.0 as (7, 4, 0); nothing is the end of time."""
    return tuple(int(part) for part in text.removeprefix("v").split(".")) if text else (99,)
