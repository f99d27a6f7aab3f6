"""Which connections of a file lead to the VPN gateway."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tunnels.compare.identities import accepts
from tunnels.compare.ranges import network_of
from tunnels.compare.reading import Naming, Peer
from tunnels.compare.text import HIDDEN, Quoter
from tunnels.devices.viewpoint import Side

SHOWN_MAX: Final = 10

# How well a peer fits: its very address; a block or the name that stand for it; its identity alone.
_EXACT: Final = 3
_STANDS_FOR: Final = 2
_BY_IDENTITY: Final = 1
_NOT: Final = 0


def leading_to(peers: Iterable[Peer], gateway: Side) -> list[Peer]:
    """The peers that are the gateway, all equally well, in the order of the file; those that can be compared first."""
    ranked = [(_rank(peer, gateway), peer) for peer in peers]
    best = max((rank for rank, _ in ranked), default=_NOT)
    if best == _NOT:
        return []
    found = [peer for rank, peer in ranked if rank == best]
    return sorted(found, key=_is_refused)


def others(peers: Iterable[Peer], quote: Quoter) -> str:
    """The peers that a file has, for the answer that ours is not among them; "" when none can be shown."""
    lines: dict[str, int] = {}
    for peer in peers:
        if not peer.mirrored:
            lines.setdefault(", ".join(peer.addresses[:3]), peer.line)
    tried = [(quote(text), lines[text]) for text in [*lines][:SHOWN_MAX]]
    shown = ", ".join(f"{text} (line {line:,})" for text, line in tried if text != HIDDEN)
    more = len(lines) - SHOWN_MAX
    return f"{shown} and {more:,} more" if shown and more > 0 else shown


def _rank(peer: Peer, gateway: Side) -> int:
    best = max((_address_rank(text, gateway) for text in peer.addresses), default=_NOT)
    if peer.mirrored:
        return best if best == _EXACT else _NOT
    known = any(
        ident.naming is not Naming.ANY and accepts(ident, gateway.identity)
        for ident in peer.identities
    )
    return max(best, _BY_IDENTITY if known and _may_be_anybody(peer) else _NOT)


def _address_rank(text: str, gateway: Side) -> int:
    block = network_of(text)
    if block is None:
        named = not gateway.identity.is_address and text.lower() == gateway.identity.text.lower()
        return _STANDS_FOR if named else _NOT
    if gateway.address not in block or not block.prefixlen:
        return _NOT
    return _EXACT if block.num_addresses == 1 else _STANDS_FOR


def _may_be_anybody(peer: Peer) -> bool:
    """Whether an address of the peer is open: any, or a host name."""
    return any(network_of(text) is None for text in peer.addresses)


def _is_refused(peer: Peer) -> bool:
    return bool(peer.refusal)
