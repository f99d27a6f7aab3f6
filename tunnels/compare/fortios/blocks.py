"""The text of a FortiOS configuration: config, edit, set, unset, next, end, and quoted strings over several lines.

Source: FortiOS Administration Guide, CLI basics (subcommands, quotation marks and escapes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tunnels.compare.reading import Said
from tunnels.compare.text import unreadable

DEPTH_MAX: Final = 64
WORDS_MAX: Final = 5_000

_WORD: Final = re.compile(
    r"""[ \t\r\n]++|"((?:[^"\\]++|\\.)*+)"|'([^']*+)'|([^ \t\r\n"']++)""", re.DOTALL
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_PROMPT: Final = re.compile(r"[^ \t]{1,63}+(?: \([^()]{1,63}+\))?+ [#$] ")
_SECRET_PARTS: Final = frozenset({
    "psksecret", "password", "passwd", "passphrase", "secret", "key", "community",
})  # fmt: skip
# Shorter words are ordinary ones much more often than keys of something else.
_SHORTEST: Final = 4


@dataclass(slots=True)
class Entry:
    """One `edit`; each setting has its words and its line."""

    name: str
    line: int
    settings: dict[str, Said[tuple[str, ...]]] = field(default_factory=dict)

    def word(self, name: str) -> Said[str] | None:
        """The first word of a setting."""
        said = self.settings.get(name)
        return Said(said.value[0], said.line) if said and said.value else None

    def words(self, name: str) -> Said[tuple[str, ...]] | None:
        """All words of a setting."""
        said = self.settings.get(name)
        return said if said and said.value else None


@dataclass(slots=True)
class Tables:
    """All entries by the table that they are in, such as `vpn ipsec phase1-interface`."""

    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    puzzling: int | None = None  # the first line that is no command
    unfinished: int | None = None  # where a block begins that does not end

    def table(self, *names: str) -> Iterator[Entry]:
        """The entries of these tables."""
        for name in names:
            yield from self.entries.get(name, {}).values()

    def find(self, name: str, *tables: str) -> Entry | None:
        """The entry of that name in the first of these tables that has it."""
        found = (self.entries.get(table, {}).get(name) for table in tables)
        return next((entry for entry in found if entry), None)


@dataclass(slots=True)
class _Open:
    """A block that is open: a table, or an entry in it."""

    table: str
    line: int
    entry: Entry | None = None


def read_tables(text: str) -> Tables:
    """The entries of all tables. Raises RuleError for a string without an end and for senseless nesting."""
    tables = Tables()
    stack: list[_Open] = []
    for number, words in _commands(text):
        verb, rest = words[0].lower(), words[1:]
        if verb == "config" and rest:
            _config(stack, " ".join(rest), number)
        elif verb == "end" and stack:
            stack.pop()
        elif verb == "next" and stack:
            stack[-1].entry = None
        elif verb == "edit" and rest and stack:
            entries = tables.entries.setdefault(stack[-1].table, {})
            stack[-1].entry = entries.setdefault(rest[0], Entry(rest[0], number))
        elif verb in {"set", "unset"} and rest:
            tables.secrets |= _secrets_in(rest)
            _set(stack[-1].entry if stack else None, verb, rest, number)
        elif tables.puzzling is None:
            tables.puzzling = number
    tables.unfinished = stack[0].line if stack else None
    return tables


def _set(entry: Entry | None, verb: str, rest: list[str], number: int) -> None:
    if entry is None:
        return
    if verb == "set":
        entry.settings[rest[0]] = Said(tuple(rest[1:]), number)
    else:
        entry.settings.pop(rest[0], None)


def _config(stack: list[_Open], table: str, number: int) -> None:
    if len(stack) >= DEPTH_MAX:
        raise unreadable(number, f"blocks are nested more than {DEPTH_MAX} deep.")
    stack.append(_Open(table, number))


def _commands(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, words) of each command; a quoted string may go on over several lines."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        begin, command = at, lines[at]
        at += 1
        if command.lstrip().startswith("#"):
            continue
        if '"' in command:
            at = _closing(lines, begin)
            command = "\n".join(lines[begin:at])
        words = _words(_PROMPT.sub("", command, count=1))
        if words:
            yield begin + 1, words


def _closing(lines: list[str], begin: int) -> int:
    """The index behind the last line of the command that begins here."""
    quotes = 0
    for at in range(begin, len(lines)):
        # A backslash takes the meaning from the quote behind it.
        quotes += _ESCAPE.sub("", lines[at]).count('"')
        if quotes % 2 == 0:
            return at + 1
    raise unreadable(begin + 1, "the string that begins here has no end.")


def _words(command: str) -> list[str]:
    words: list[str] = []
    at = 0
    while at < len(command) and len(words) < WORDS_MAX:
        found = _WORD.match(command, at)
        if not found:  # a quote of the other kind, alone
            words.append(command[at])
            at += 1
            continue
        at = found.end()
        if found[1] is not None:
            words.append(_ESCAPE.sub(r"\1", found[1]))
        elif found[2] is not None or found[3]:
            words.append(found[2] if found[2] is not None else found[3])
    return words


def _secrets_in(words: list[str]) -> set[str]:
    if not _SECRET_PARTS & set(words[0].split("-")):
        return set()
    return {word for word in words[1:] if len(word) >= _SHORTEST}
