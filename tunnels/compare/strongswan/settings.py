"""strongSwan's settings grammar: sections, `key = value`, quoted strings, references, includes.

Source: settings_lexer.l and settings_parser.y of strongSwan 5.9 and 6.0. One pass, one token at a time; sections are
a stack and no recursion, so that neither length nor depth of a hostile text costs more than reading it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tunnels.compare.reading import Said
from tunnels.compare.text import unreadable

DEPTH_MAX: Final = 32
VALUE_MAX: Final = 8_192
REFERENCES_MAX: Final = 32

# No part can be read in two ways, and none gives back what it took.
_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r]++|\#[^\r\n]*+)
      |(?P<newline>\n)
      |(?P<include>include[ \t]++(?!=)[^\n\#}]*+)
      |(?P<mark>[{}=:,.])
      |(?P<quote>")
      |(?P<name>[^\#{}:.,="\r\n\t ]++)""",
    re.VERBOSE,
)
_IN_VALUE: Final = re.compile(
    r"""(?P<space>[ \t\r]++)|(?P<quote>")|(?P<name>[^\#}"\r\n\t ]++)""", re.VERBOSE
)
_STRING: Final = re.compile(r'([^\\"]++|\\.)*+"', re.DOTALL)
_REFERENCE: Final = re.compile(r"[^\#{}:,=\"\r\n\t ]++")
_ESCAPE: Final = re.compile(r"\\(\r?\n|.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "\n": "", "\r\n": ""}


@dataclass(slots=True)
class Section:
    """One section; a section that is opened twice goes on. `references` are what it inherits from."""

    line: int
    values: dict[str, Said[str]] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Settings:
    """A whole file: its root, and the lines that include others."""

    root: Section
    includes: list[int]


@dataclass(frozen=True, slots=True)
class View:
    """A section as strongSwan sees it: its own values, then those of what it refers to."""

    layers: tuple[Section, ...]

    @property
    def line(self) -> int:
        """Where the section itself begins."""
        return self.layers[0].line

    def get(self, key: str) -> Said[str] | None:
        """The value of the key, or None."""
        found = (layer.values[key] for layer in self.layers if key in layer.values)
        return next(found, None)

    def items(self) -> Iterator[tuple[str, Said[str]]]:
        """All keys with their values, each once."""
        seen: dict[str, Said[str]] = {}
        for layer in self.layers:
            seen = {**layer.values, **seen}
        yield from seen.items()


class Tree:
    """The file with its references resolved; what refers to nothing that is here is noted in `missing`."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.root
        self.missing: set[int] = set()

    @property
    def root(self) -> View:
        """The root."""
        return View((self._root,))

    def section(self, of: View, name: str) -> View | None:
        """The section of that name in `of`, with all that it inherits; None when there is none."""
        own = [layer.sections[name] for layer in of.layers if name in layer.sections]
        return self._resolved(own) if own else None

    def sections(self, of: View) -> Iterator[tuple[str, View]]:
        """All sections in `of`, in the order of the file, inherited ones after its own."""
        names = dict.fromkeys(name for layer in of.layers for name in layer.sections)
        for name in names:
            found = self.section(of, name)
            if found:
                yield name, found

    def _resolved(self, own: list[Section]) -> View:
        layers: dict[int, Section] = {}
        waiting = list(reversed(own))
        while waiting and len(layers) < REFERENCES_MAX:
            section = waiting.pop()
            if id(section) not in layers:
                layers[id(section)] = section
                waiting += reversed([*self._referred(section)])
        return View(tuple(layers.values()))

    def _referred(self, section: Section) -> Iterator[Section]:
        for reference in section.references:
            found: Section | None = self._root
            for name in reference.split("."):
                found = found.sections.get(name) if found else None
            if found:
                yield found
            else:
                self.missing.add(section.line)


def read_settings(text: str) -> Settings:
    """The sections of the file. Raises RuleError at the first thing that strongSwan would not read."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._open = [Section(line=1)]
        self._includes: list[int] = []

    def read(self) -> Settings:
        while self._at < len(self._text):
            kind, text = self._next()
            if kind == "newline":
                self._line += 1
            elif kind == "include":
                self._includes.append(self._line)
            elif kind == "name":
                self._statement(text)
            elif text == "}" and len(self._open) > 1:
                self._open.pop()
            elif kind != "space":
                raise unreadable(self._line, "a name with “=” or “{” behind it was expected.")
        if len(self._open) > 1:
            raise unreadable(self._open[-1].line, "the section that begins here has no end.")
        return Settings(self._open[0], self._includes)

    def _next(self) -> tuple[str, str]:
        found = _TOKEN.match(self._text, self._at)
        if not found:
            raise unreadable(self._line, "a name was expected.")
        self._at = found.end()
        return str(found.lastgroup), found[0]

    def _statement(self, name: str) -> None:
        line = self._line
        kind, mark = self._past_newlines()
        if mark == "=":
            self._open[-1].values[name] = Said(self._value(), line)
            return
        references = self._references() if mark == ":" else []
        if references:
            kind, mark = self._past_newlines()
        if mark != "{" or kind != "mark":
            raise unreadable(line, "“=” or “{” was expected behind a name.")
        if len(self._open) > DEPTH_MAX:
            raise unreadable(line, f"sections are nested more than {DEPTH_MAX} deep.")
        section = self._open[-1].sections.setdefault(name, Section(line=line))
        section.references += references
        self._open.append(section)

    def _past_newlines(self) -> tuple[str, str]:
        while self._at < len(self._text):
            kind, text = self._next()
            if kind == "newline":
                self._line += 1
            elif kind != "space":
                return kind, text
        return "end", ""

    def _references(self) -> list[str]:
        names: list[str] = []
        while True:
            self._spaces()
            found = _REFERENCE.match(self._text, self._at)
            if not found or len(names) >= REFERENCES_MAX:
                raise unreadable(self._line, "the name of another section was expected.")
            names.append(found[0])
            self._at = found.end()
            self._spaces()
            if self._text[self._at : self._at + 1] != ",":
                return names
            self._at += 1

    def _spaces(self) -> None:
        while self._text[self._at : self._at + 1] in {" ", "\t", "\r", "\n"}:
            self._line += self._text[self._at] == "\n"
            self._at += 1

    def _value(self) -> str:
        parts: list[str] = []
        while found := _IN_VALUE.match(self._text, self._at):
            self._at = found.end()
            if found.lastgroup == "name":
                parts.append(found[0])
            elif found.lastgroup == "quote":
                parts.append(self._string())
        value = " ".join(parts)
        if len(value) > VALUE_MAX:
            raise unreadable(self._line, f"a value has more than {VALUE_MAX:,} characters.")
        return value

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if not found:
            raise unreadable(self._line, "the string that begins here has no end.")
        raw = found[0][:-1]
        self._at = found.end()
        self._line += raw.count("\n")
        return _ESCAPE.sub(_unescaped, raw.replace("\r", ""))


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[1])
