"""Crypto maps: which peers a device has, and what phase 2 is towards one of them.

Source: Cisco IOS Security Command Reference: crypto map, crypto dynamic-map, set pfs (group1 unless said), set
security-association lifetime and crypto ipsec security-association lifetime (3600 s, 4608000 KB), mode (tunnel).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tunnels.compare.ios import words
from tunnels.compare.ios.access_lists import AccessLists
from tunnels.compare.ios.blocks import Block, Config, Line
from tunnels.compare.ios.phase1 import at, number
from tunnels.compare.reading import (
    Child,
    Offered,
    Said,
    Severity,
    Trouble,
    Volume,
    not_followed,
)
from tunnels.domain.proposals import IkeVersion

SECONDS: Final = 3_600
KILOBYTES: Final = 4_608_000
# An entry has at most six, and our one is among them.
TRANSFORMS_MAX: Final = 6
_DAY: Final = 86_400


@dataclass(slots=True)
class Entries:
    """The entries of one crypto map that have the same peers and profiles: one IKE SA."""

    name: str
    peers: tuple[Said[str], ...]
    isakmp_profile: str
    ikev2_profile: str
    blocks: list[Block]

    @property
    def version(self) -> IkeVersion:
        """IKEv2 needs a profile of its own."""
        return IkeVersion.V2 if self.ikev2_profile else IkeVersion.V1

    @property
    def profile(self) -> tuple[str, str]:
        """(`ikev2` or `isakmp`, the name of its profile); the name is "" when none is named."""
        if self.ikev2_profile:
            return "ikev2", self.ikev2_profile
        return "isakmp", self.isakmp_profile

    @property
    def line(self) -> int:
        """Where the profile is named, else where the first entry begins."""
        first = self.blocks[0]
        named = first.line("set", "ikev2-profile") or first.line("set", "isakmp-profile")
        return named.number if named else first.head.number


def entries_of(config: Config) -> list[Entries]:
    """All entries that negotiate keys, grouped by where they lead; a dynamic map leads to anybody."""
    groups: dict[tuple[object, ...], Entries] = {}
    profiles = _map_profiles(config)
    for block in config.all("crypto", "map"):
        name, kind = block.head.after("crypto", "map"), block.head.words[4:5]
        if kind != ("ipsec-isakmp",):
            continue
        for body in _bodies(config, block):
            entry = Entries(
                name=name,
                peers=_peers(body),
                isakmp_profile=_setting(body, "isakmp-profile") or profiles.get(name, ""),
                ikev2_profile=_setting(body, "ikev2-profile"),
                blocks=[],
            )
            addresses = tuple(peer.value for peer in entry.peers)
            key = (name, addresses, entry.isakmp_profile, entry.ikev2_profile)
            groups.setdefault(key, entry).blocks.append(body)
    return [*groups.values()]


def own_address(config: Config, name: str) -> Said[str] | None:
    """The address of the interface with this crypto map, or of the one that it names as its source."""
    local = config.named("crypto", "map", name, "local-address")
    for block in config.all("interface"):
        applied = any(line.words == ("crypto", "map", name) for line in block.body)
        source = local and block.head.words[1:2] == local.head.words[4:5]
        lines = [line for line in block.lines("ip", "address") if line.words[-1] != "secondary"]
        if (source or (applied and not local)) and lines and lines[0].words[2:3] != ("dhcp",):
            return Said(lines[0].after("ip", "address"), lines[0].number)
    return None


def child(
    config: Config, lists: AccessLists, block: Block
) -> tuple[Child | None, tuple[Trouble, ...]]:
    """Phase 2 of one entry, and what of it cannot be followed."""
    troubles: list[Trouble] = []
    offers, mode = _offers(config, block, troubles)
    matched = block.line("match", "address")
    found = lists.find(matched.words[-1]) if matched else None
    if matched is None:
        troubles.append(_unmatched(block))
        return None, tuple(troubles)
    if found is None:
        sentence = "The access list that this line names is not in this text."
        troubles.append(not_followed("Access list", matched.number, sentence))
        return None, tuple(troubles)
    return (
        Child(
            offers=tuple(offers),
            seconds=_seconds(config, block),
            volume=_volume(config, block),
            selectors=found.selectors,
            mode=mode,
        ),
        (*troubles, *found.troubles),
    )


def tunnel_interfaces(config: Config) -> Iterator[tuple[str, int]]:
    """(destination, line) of the route-based tunnels."""
    for block in config.all("interface"):
        destination = block.line("tunnel", "destination")
        if destination and block.line("tunnel", "protection", "ipsec"):
            yield destination.words[-1], block.head.number


def _bodies(config: Config, block: Block) -> Iterator[Block]:
    dynamic = block.head.words[5:6] == ("dynamic",)
    if not dynamic:
        yield block
        return
    name = block.head.words[6:7]
    for candidate in config.all("crypto", "dynamic-map"):
        if candidate.head.words[2:3] == name:
            yield candidate


def _map_profiles(config: Config) -> dict[str, str]:
    """crypto map → isakmp profile, of the lines that name one for all entries."""
    return {
        block.head.after("crypto", "map"): block.head.words[4]
        for block in config.all("crypto", "map")
        if block.head.words[3:4] == ("isakmp-profile",) and len(block.head.words) > 4
    }


def _peers(block: Block) -> tuple[Said[str], ...]:
    found = tuple(
        Said(line.words[2], line.number) for line in block.lines("set", "peer") if line.words[2:]
    )
    return found or (Said("%any", block.head.number),)


def _setting(block: Block, name: str) -> str:
    line = block.line("set", name)
    return line.after("set", name) if line else ""


def _offers(
    config: Config, block: Block, troubles: list[Trouble]
) -> tuple[list[Offered], Said[str]]:
    """The transform sets with the PFS group of the entry, and the mode of the first one."""
    group = _pfs(block)
    mode: Said[str] = Said("tunnel")
    offers: list[Offered] = []
    line = block.line("set", "transform-set")
    for name in line.words[2 : 2 + TRANSFORMS_MAX] if line else ():
        transform = config.named("crypto", "ipsec", "transform-set", name)
        if transform is None:
            sentence = "This line names a transform set that is not in this text."
            troubles.append(not_followed("IPsec proposal", at(line) or 1, sentence))
            continue
        said = transform.line("mode")
        if said and not offers:
            mode = Said(said.after("mode"), said.number)
        offers.append(_transform(transform.head, group))
    if line is None:
        sentence = "This entry names no transform set. What IOS offers then depends on its release."
        troubles.append(not_followed("IPsec proposal", block.head.number, sentence))
    return offers, mode


def _transform(head: Line, group: Said[tuple[str, ...]]) -> Offered:
    encryption, integrity, other = words.transforms(head.words[4:])
    return Offered(
        encryption=Said((encryption,) if encryption else (), head.number),
        integrity=Said(integrity, head.number),
        group=group,
        other=other,
    )


def _pfs(block: Block) -> Said[tuple[str, ...]]:
    line = block.line("set", "pfs")
    if line is None:
        return Said(())
    return Said(words.groups(line.words[2:3]) or ("dh1",), line.number)


def _lifetime(config: Config, block: Block, unit: str) -> Line | None:
    """The line of the entry, else the global one, without what comes before the unit."""
    start = ("set", "security-association", "lifetime")
    line = block.line(*start, unit)
    if line:
        return Line(line.number, line.words[3:])
    for other in config.all("crypto", "ipsec", "security-association"):
        if other.head.words[3:5] == ("lifetime", unit):
            return Line(other.head.number, other.head.words[4:])
    return None


def _seconds(config: Config, block: Block) -> Said[int]:
    days = number(_lifetime(config, block, "days"), "days")
    if days:
        return Said(days.value * _DAY, days.line)
    return number(_lifetime(config, block, "seconds"), "seconds") or Said(SECONDS)


def _volume(config: Config, block: Block) -> Said[Volume | None]:
    line = _lifetime(config, block, "kilobytes")
    if line and line.after("kilobytes") == "disable":
        return Said(None, line.number)
    kilobytes = number(line, "kilobytes") or Said(KILOBYTES)
    return Said(Volume(f"{kilobytes.value:,} KB", frozenset({kilobytes.value})), kilobytes.line)


def _unmatched(block: Block) -> Trouble:
    return Trouble(
        name="Mapping",
        ours="an access list",
        theirs="none",
        line=block.head.number,
        sentence="This entry has no match address, so it protects nothing.",
        severity=Severity.BREAKS,
    )
