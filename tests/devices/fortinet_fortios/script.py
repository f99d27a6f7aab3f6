"""The grammar of FortiOS scripts: `config`, `edit`, `set`, `next`, `end`, words, strings, comments.

Source: FortiOS Administration Guide, "CLI basics" (sub-commands, special characters). Only what needs no guessing is
known: a `#` begins a comment at the start of a line and nowhere else; inside double quotes `"` and the backslash must
be escaped; `?`, `$`, `'` and control characters are refused, because a terminal would act on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.devices.understood import BadFileError


@dataclass(frozen=True, slots=True)
class Text:
    """A value in double quotes, decoded."""

    text: str


Value = str | Text


@dataclass(slots=True)
class Entry:
    """One `edit`, or a `config` that has settings of its own: settings by name, and the blocks inside."""

    name: Value
    settings: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    blocks: dict[str, Entry] = field(default_factory=dict)


@dataclass(slots=True)
class Table:
    """One `config` at the top with its entries, in their order."""

    path: str
    entries: list[Entry] = field(default_factory=list)


WORD = re.compile(r"[A-Za-z0-9.:/_-]+", re.ASCII)
PATH = re.compile(r"[a-z0-9-]+( [a-z0-9-]+)*", re.ASCII)
COMMENT = re.compile(r"#( [A-Za-z0-9 ._:@/+,()=;|-]+)?", re.ASCII)


def read_script(text: str) -> list[Table]:
    """The tables of the script in their order. Raises BadFileError."""
    if not text.isascii() or not text.endswith("\n"):
        raise BadFileError("not ASCII, or the last line has no end")
    lines = list(_commands(text[:-1].split("\n")))
    tables: list[Table] = []
    at = 0
    while at < len(lines):
        table, at = _table(lines, at)
        if table.path in {known.path for known in tables}:
            raise BadFileError(f"twice: config {table.path}")
        tables.append(table)
    return tables


def _commands(lines: list[str]) -> Iterator[str]:
    """The lines behind the comment at the top. There must be one, and no other."""
    at = 0
    while at < len(lines) and lines[at].startswith("#"):
        if not COMMENT.fullmatch(lines[at]) or lines[at].endswith(" "):
            raise BadFileError(f"a comment that a terminal would act on: {lines[at]!r}")
        at += 1
    if at == 0 or lines[at : at + 1] != [""]:
        raise BadFileError("no comment at the top, or nothing between it and the commands")
    yield from lines[at + 1 :]


def _table(lines: list[str], at: int) -> tuple[Table, int]:
    table = Table(_argument(lines, at, "", "config"))
    at += 1
    while lines[at : at + 1] != ["end"]:
        names = _values(_argument(lines, at, " " * 4, "edit"))
        if len(names) != 1:
            raise BadFileError(f"no name: {names}")
        entry, at = _settings(lines, at + 1, Entry(names[0]), indent=8, end="    next")
        table.entries.append(entry)
    if not table.entries:
        raise BadFileError(f"nothing in config {table.path}")
    return table, at + 1


def _settings(
    lines: list[str], at: int, entry: Entry, *, indent: int, end: str
) -> tuple[Entry, int]:
    margin = " " * indent
    while lines[at : at + 1] != [end]:
        line = _line(lines, at)
        if line.startswith(f"{margin}config "):
            path = _argument(lines, at, margin, "config")
            if path in entry.blocks:
                raise BadFileError(f"twice: config {path}")
            inner, at = _settings(lines, at + 1, Entry(path), indent=indent + 4, end=f"{margin}end")
            entry.blocks[path] = inner
            continue
        key, *rest = _argument(lines, at, margin, "set").split(" ", 1)
        if not WORD.fullmatch(key) or not rest or key in entry.settings:
            raise BadFileError(f"no setting, or twice: {line.strip()!r}")
        entry.settings[key] = _values(rest[0])
        at += 1
    return entry, at + 1


def _line(lines: list[str], at: int) -> str:
    if at >= len(lines):
        raise BadFileError("the file ends inside a block")
    return lines[at]


def _argument(lines: list[str], at: int, margin: str, command: str) -> str:
    """What follows the command, which must stand there with this margin."""
    line = _line(lines, at)
    start = f"{margin}{command} "
    argument = line.removeprefix(start)
    if not line.startswith(start) or argument != argument.strip():
        raise BadFileError(f"not {start!r}: {line!r}")
    if command == "config" and not PATH.fullmatch(argument):
        raise BadFileError(f"no path: {argument!r}")
    return argument


def _values(text: str) -> tuple[Value, ...]:
    """Words and strings, with one blank between them."""
    values: list[Value] = []
    at = 0
    while True:
        if text[at : at + 1] == '"':
            string, at = _string(text, at + 1)
            values.append(Text(string))
        else:
            word = WORD.match(text, at)
            if not word:
                raise BadFileError(f"no value: {text[at:]!r}")
            values.append(word.group())
            at = word.end()
        if at == len(text):
            return tuple(values)
        if text[at] != " ":
            raise BadFileError(f"no blank between values: {text[at:]!r}")
        at += 1


def _string(text: str, at: int) -> tuple[str, int]:
    decoded: list[str] = []
    while at < len(text):
        char = text[at]
        if char == '"':
            return "".join(decoded), at + 1
        if char in "?$'" or not " " <= char <= "~":
            raise BadFileError(f"a terminal would act on {char!r}")
        if char == "\\":
            at += 1
            char = text[at : at + 1]
            if not char or char not in '"\\':
                raise BadFileError("an escape that is not defined")
        decoded.append(char)
        at += 1
    raise BadFileError("a string without an end")
