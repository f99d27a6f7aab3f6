"""Access lists of IOS: which pairs of ranges a crypto map protects. Source: IOS access-list, extended."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tunnels.compare.ios.blocks import Config, Line
from tunnels.compare.ios.words import network
from tunnels.compare.ranges import block, cidr
from tunnels.compare.reading import Range, Selector, Trouble, not_followed

# One more than pairs are compared, so that it shows.
ENTRIES_MAX: Final = 10_001
TROUBLES_MAX: Final = 20

_ANYTHING = frozenset({"ip", "ipv6"})
# What may stand behind the ranges and does not narrow them.
_HARMLESS = frozenset({"log", "log-input"})


@dataclass(frozen=True, slots=True)
class AccessList:
    """The pairs that a list permits, and what in it cannot be followed."""

    selectors: tuple[Selector, ...]
    troubles: tuple[Trouble, ...]


class AccessLists:
    """All lists of a configuration, by name or number."""

    def __init__(self, config: Config) -> None:
        self._lines: dict[str, list[Line]] = {}
        self._read: dict[str, AccessList] = {}
        for found in config.all("access-list"):
            rest = Line(found.head.number, found.head.words[2:])
            self._lines.setdefault(found.head.after("access-list"), []).append(rest)
        for found in config.all("ip", "access-list"):
            self._lines.setdefault(found.head.after("ip", "access-list", "extended"), []).extend(
                found.body
            )
        for found in config.all("ipv6", "access-list"):
            self._lines.setdefault(found.head.after("ipv6", "access-list"), []).extend(found.body)

    def find(self, name: str) -> AccessList | None:
        """The list of that name; None when it is not there. Each is read once."""
        if name in self._lines and name not in self._read:
            self._read[name] = _read(self._lines[name])
        return self._read.get(name)


def _read(lines: list[Line]) -> AccessList:
    entries = [_entry(line) for line in lines[:ENTRIES_MAX]]
    troubles = [entry for entry in entries if isinstance(entry, Trouble)]
    return AccessList(
        tuple(entry for entry in entries if isinstance(entry, Selector)),
        tuple(troubles[:TROUBLES_MAX]),
    )


def _entry(line: Line) -> Selector | Trouble | None:
    words = [*line.words]
    while words and (words[0].isdecimal() or words[0] == "sequence"):
        words.pop(0)
    if not words or words[0] not in {"permit", "deny"}:
        return None
    action, protocol = words[0], words[1] if len(words) > 1 else ""
    if "object-group" in words:
        return not_followed(
            "Object group",
            line.number,
            "This line refers to an object group. Replace it by the ranges themselves to have them compared.",
        )
    rest = words[2:]
    ends = [*_ends(rest, line.number)]
    if len(ends) < 2:
        return not_followed("Access list", line.number, "The ranges of this line cannot be read.")
    if action == "deny":
        return None if all(_is_all(end) for end in ends) else _denied(line.number)
    narrow = protocol not in _ANYTHING or any(word not in _HARMLESS for word in rest)
    return Selector(
        locals=(ends[0],),
        remotes=(ends[1],),
        line=line.number,
        only="one protocol or port" if narrow else "",
    )


def _ends(words: list[str], line: int) -> Iterator[Range]:
    """The two ranges at the front of the words, which are taken away."""
    for _ in range(2):
        if not words:
            return
        word = words.pop(0)
        if word in {"any", "any4"}:
            yield block(ipaddress.ip_network("0.0.0.0/0"), line)
        elif word == "any6":
            yield block(ipaddress.ip_network("::/0"), line)
        elif ":" in word or "/" in word:
            yield cidr(word, line)
        elif words:
            second = words.pop(0)
            if word != "host":
                yield network(word, second, line)
            else:
                yield cidr(second, line)


def _is_all(end: Range) -> bool:
    return end.network is not None and end.network.prefixlen == 0


def _denied(line: int) -> Trouble:
    return not_followed(
        "Exception",
        line,
        "This line takes traffic out of the tunnel; what is left was not worked out.",
    )
