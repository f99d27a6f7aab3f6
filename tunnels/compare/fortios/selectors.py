"""The ranges of a FortiOS phase 2: subnets, ranges, single addresses, and names of addresses and groups.

Source: FortiOS 7.4 and 7.6 CLI Reference, config vpn ipsec phase2-interface, config firewall address and addrgrp.
"""

from __future__ import annotations

from typing import Final

from tunnels.compare.fortios.blocks import Entry, Tables
from tunnels.compare.fortios.words import subnet
from tunnels.compare.ranges import from_to
from tunnels.compare.reading import Range, Said, Selector, Trouble, not_followed

MEMBERS_MAX: Final = 200

_ADDRESSES: Final = ("firewall address", "firewall address6")
_GROUPS: Final = ("firewall addrgrp", "firewall addrgrp6")
_NOT_HERE: Final = (
    "The address or group that this line leads to is not in this text. Paste firewall address too."
)


class Names:
    """The ranges behind the names of addresses and groups; each is followed once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[str, tuple[list[Range], list[Trouble]]] = {}

    def follow(self, named: Said[str]) -> tuple[list[Range], list[Trouble]]:
        """The ranges of a name, and what of it is not there; a group brings all of its members."""
        if named.value not in self._known:
            self._known[named.value] = self._follow(named)
        return self._known[named.value]

    def _follow(self, named: Said[str]) -> tuple[list[Range], list[Trouble]]:
        ranges: list[Range] = []
        troubles: list[Trouble] = []
        waiting, seen = [named.value], set[str]()
        while waiting and len(seen) < MEMBERS_MAX:
            name = waiting.pop()
            group, address = (
                self._tables.find(name, *_GROUPS),
                self._tables.find(name, *_ADDRESSES),
            )
            members = group.words("member") if group else None
            if name in seen:
                continue
            seen.add(name)
            if members:
                waiting += reversed(members.value[:MEMBERS_MAX])
            elif address or name == "all":
                ranges.append(_address(address or Entry(name, named.line or 1)))
            else:
                troubles.append(not_followed("Address name", named.line or 1, _NOT_HERE))
        return ranges, troubles[:1]


def selector(names: Names, entry: Entry) -> tuple[Selector, list[Trouble]]:
    """The ranges of one phase 2, and what of them cannot be followed."""
    locals_, unknown = _side(names, entry, "src")
    remotes, more = _side(names, entry, "dst")
    narrowed = [said for name in ("protocol", "src-port", "dst-port") if (said := entry.word(name))]
    only = "one protocol or port" if any(said.value != "0" for said in narrowed) else ""
    found = Selector(locals=tuple(locals_), remotes=tuple(remotes), line=entry.line, only=only)
    return found, [*unknown, *more]


def _side(names: Names, entry: Entry, side: str) -> tuple[list[Range], list[Trouble]]:
    kind = entry.word(f"{side}-addr-type") or Said("subnet")
    suffix = "6" if kind.value.endswith("6") else ""
    form = kind.value.removesuffix("6")
    start, named = entry.word(f"{side}-start-ip{suffix}"), entry.word(f"{side}-name{suffix}")
    if form == "name" and named:
        return names.follow(named)
    if form in {"ip", "range"} and start:
        end = entry.word(f"{side}-end-ip{suffix}") if form == "range" else start
        return [from_to(start.value, end.value if end else "", start.line)], []
    everything: tuple[str, ...] = ("::/0" if suffix else "0.0.0.0/0",)
    said = entry.words(f"{side}-subnet{suffix}") or Said(everything, kind.line)
    return [subnet(said.value, said.line)], []


def _address(entry: Entry) -> Range:
    kind = entry.word("type") or Said("ipmask")
    block = entry.words("subnet") or entry.words("ip6")
    start, end = entry.word("start-ip"), entry.word("end-ip")
    if kind.value == "iprange" and start and end:
        return from_to(start.value, end.value, start.line)
    if kind.value in {"ipmask", "ipprefix", "interface-subnet"}:
        return subnet(block.value, block.line) if block else subnet(("0.0.0.0/0",), entry.line)
    return Range("an address that is no range (a name, a country …)", None, entry.line, known=False)
