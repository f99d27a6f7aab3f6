"""Ranges as every reader makes them. Their texts are made from numbers and never from the file's own words."""

from __future__ import annotations

import ipaddress

from tunnels.compare.reading import Range
from tunnels.domain.addresses import Network


def network_of(text: str) -> Network | None:
    """The block or single address that is written so, host bits cut; None for anything else."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def block(network: Network, line: int | None) -> Range:
    """A plain block."""
    return Range(str(network), network, line)


def unread(line: int | None) -> Range:
    """A range that cannot be read."""
    return Range("a range that cannot be read", None, line, known=False)


def cidr(text: str, line: int | None) -> Range:
    """`10.0.0.0/24` or a single address; host bits are cut, as all of these devices do."""
    network = network_of(text)
    return block(network, line) if network else unread(line)


def from_to(first: str, last: str, line: int | None) -> Range:
    """All addresses from one to another: a block where they are one."""
    try:
        ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
        blocks = [*ipaddress.summarize_address_range(*ends)]
    except (ValueError, TypeError):
        return unread(line)
    if len(blocks) == 1:
        return block(blocks[0], line)
    return Range(f"{ends[0]}-{ends[1]}", None, line)
