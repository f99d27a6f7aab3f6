r"""The grammar of RouterOS scripts, as far as we need it: comments, commands with parameters, and one conditional.

Source: MikroTik's manual, "Scripting language manual" (command line, comments, line joining, constant escape sequences,
delimiters). Inside double quotes `"`, `\` and `$` must be escaped; `?` asks for help in older versions, and `\?` is no
escape in newer ones, so that only its hexadecimal form means the same everywhere. Outside of them only letters, digits
and `.,:/-` stand for themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.devices.understood import BadFileError

PATH = re.compile(r"/[a-z0-9]+( [a-z0-9-]+)*", re.ASCII)
KEY = re.compile(r"[a-z0-9-]+=", re.ASCII)
WORD = re.compile(r"[A-Za-z0-9.,:/-]+", re.ASCII)
COMMENT = re.compile(r'#( [A-Za-z0-9 ._:@/+,()=;<>"\[\]\'-]+)?', re.ASCII)
ESCAPES = {'"': '"', "\\": "\\", "$": "$"}
TO_THE_TOP = re.compile(
    r":if \(\[:len \[(?P<menu>/ip(v6)? firewall [a-z]+) find where chain=(?P<chain>[a-z]+) and dynamic=no\]\] > "
    r"(?P<count>[1-9][0-9]*)\) do=\{ (?P=menu) move \[(?P=menu) find where chain=(?P=chain) and "
    r'comment="(?P<comment>[a-z0-9-]+)"\] destination=\[:pick \[(?P=menu) find where chain=(?P=chain) and dynamic=no\] '
    r"0\] \}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Add:
    """`PATH add KEY=VALUE …`: parameters by name, decoded; each is there once."""

    path: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class ToTheTop:
    """All rules with this comment are moved before the first of their chain, when there are more than `count`."""

    menu: str
    chain: str
    count: int
    comment: str


Command = Add | ToTheTop


def read_script(text: str) -> list[Command]:
    """The commands of the script in their order. Raises BadFileError."""
    if not text.isascii() or not text.endswith("\n"):
        raise BadFileError("not ASCII, or the last line has no end")
    lines = text[:-1].split("\n")
    if not lines[0].startswith("# "):
        raise BadFileError("no comment at the top")
    return list(_commands(lines))


def _commands(lines: list[str]) -> Iterator[Command]:
    for line in lines:
        if line.startswith("#"):
            if not COMMENT.fullmatch(line) or line.endswith(" "):
                raise BadFileError(f"a comment of unknown characters: {line!r}")
        elif line.startswith(":"):
            yield _to_the_top(line)
        elif line:
            yield _add(line)


def _to_the_top(line: str) -> ToTheTop:
    found = TO_THE_TOP.fullmatch(line)
    if not found:
        raise BadFileError(f"unknown: {line!r}")
    return ToTheTop(found["menu"], found["chain"], int(found["count"]), found["comment"])


def _add(line: str) -> Add:
    path, found, rest = line.partition(" add ")
    if not found or not PATH.fullmatch(path):
        raise BadFileError(f"no command: {line!r}")
    values: dict[str, str] = {}
    at = 0
    while True:
        key = KEY.match(rest, at)
        if not key or key.group()[:-1] in values:
            raise BadFileError(f"no parameter, or twice: {rest[at:]!r}")
        value, at = _value(rest, key.end())
        values[key.group()[:-1]] = value
        if at == len(rest):
            return Add(path, values)
        if rest[at] != " ":
            raise BadFileError(f"no blank behind a value: {rest[at:]!r}")
        at += 1


def _value(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] == '"':
        return _string(text, at + 1)
    word = WORD.match(text, at)
    if not word:
        raise BadFileError(f"no value: {text[at:]!r}")
    return word.group(), word.end()


def _string(text: str, at: int) -> tuple[str, int]:
    decoded: list[str] = []
    while at < len(text):
        char = text[at]
        at += 1
        if char == '"':
            return "".join(decoded), at
        if char in "$?" or not " " <= char <= "~":
            raise BadFileError(f"{char!r} is not itself in a string")
        if char != "\\":
            decoded.append(char)
            continue
        pair = re.compile(r'["\\$]|[0-9A-F]{2}').match(text, at)
        if not pair:
            raise BadFileError("an escape that is not defined")
        decoded.append(ESCAPES.get(pair.group()) or chr(int(pair.group(), 16)))
        at = pair.end()
    raise BadFileError("a string without an end")
