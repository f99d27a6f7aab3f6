"""What the owner of a device must know when routes, and not only policies, lead into its tunnel."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.viewpoint import Viewpoint


def gateway_inside(view: Viewpoint) -> Iterator[str]:
    """The sentence for a range of the VPN gateway that holds its own address; nothing when none does."""
    if any(view.gateway.address in pair.remote for pair in view.pairs):
        yield (
            f"A range below holds the VPN gateway itself: first give {view.gateway.address} a route of its own to the "
            "internet, or the tunnel goes into itself."
        )
