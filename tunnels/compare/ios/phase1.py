"""What phase 1 of an IOS device is made of, whichever IKE version it speaks, and how its lines are read."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tunnels.compare.ios import words
from tunnels.compare.ios.blocks import Block, Line
from tunnels.compare.reading import Dpd, Ident, Key, Naming, Offered, Said, Trouble
from tunnels.domain.proposals import Mode

# Cisco IOS Security Command Reference: lifetime (IKE policy) and lifetime (IKEv2 profile).
LIFETIME: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase1:
    """What becomes part of a Connection; `local_id` is None when the device's own address is meant."""

    authentication: Said[str]
    offers: tuple[Offered, ...]
    seconds: Said[int]
    local_id: Said[Ident] | None
    remote_ids: tuple[Said[Ident], ...]
    dpd: Said[Dpd]
    keys: tuple[Key, ...]
    modes: Said[frozenset[Mode]]
    begins_mode: Mode
    troubles: tuple[Trouble, ...]


def remote_identities(profile: Block | None, *, ikev2: bool) -> tuple[Said[Ident], ...]:
    """Whom a profile is for; without one, anybody."""
    start = ("match", "identity", "remote") if ikev2 else ("match", "identity")
    lines = profile.lines(*start) if profile else iter(())
    found = tuple(Said(words.identity(line.words[len(start) :]), line.number) for line in lines)
    return found or (Said(Ident(Naming.ANY)),)


def dead_peer_detection(own: Line | None, everywhere: Iterable[Block]) -> Said[Dpd]:
    """On with a line in the profile, else with a global one."""
    line = own or next((block.head for block in everywhere), None)
    return Said(Dpd(on=line is not None), at(line))


def reach(address: tuple[str, ...], peers: tuple[str, ...]) -> int:
    """How narrowly an address, perhaps with a mask, fits one of the peers; -1: not at all."""
    mask = address[1] if len(address) > 1 and address[1][:1].isdigit() else ""
    try:
        block = ipaddress.ip_network(f"{address[0]}/{mask}" if mask else address[0], strict=False)
        held = any(ipaddress.ip_address(peer) in block for peer in peers)
    except ValueError:
        return -1
    return block.prefixlen if held else -1


def number(line: Line | None, name: str) -> Said[int] | None:
    """The number behind the name that the line begins with."""
    text = line.after(name) if line else ""
    return Said(int(text[:12]), line.number) if line and text.isdecimal() else None


def at(line: Line | None) -> int | None:
    """The number of the line."""
    return line.number if line else None


def rank(entry: tuple[int, object]) -> int:
    """The first of a pair: what `max` looks at."""
    return entry[0]
