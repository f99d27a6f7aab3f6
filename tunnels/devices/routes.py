"""Routes into a tunnel: where they lead, and what their owner must know when not only policies do."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.addresses import Network


def remotes(view: Viewpoint) -> tuple[Network, ...]:
    """The ranges of the VPN gateway, each once; without 0.0.0.0/0 and ::/0, for the default routes stay as they are."""
    return tuple(dict.fromkeys(pair.remote for pair in view.pairs if pair.remote.prefixlen))


def gateway_inside(view: Viewpoint) -> Iterator[str]:
    """The sentence for a range of the VPN gateway that holds its own address; nothing when none does."""
    if any(view.gateway.address in pair.remote for pair in view.pairs):
        yield (
            f"A range below holds the VPN gateway itself: first give {view.gateway.address} a route of its own to the "
            "internet, or the tunnel goes into itself."
        )
