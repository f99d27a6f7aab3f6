"""Pings that keep a tunnel up: a policy that is bound to an interface negotiates only when there is traffic for it."""

from __future__ import annotations

from tunnels.devices.viewpoint import Pair, Viewpoint
from tunnels.domain.addresses import Address


def probe_through(pair: Pair, view: Viewpoint) -> tuple[Address, Address] | None:
    """(Who is pinged, from whom) when the pair is the one that carries the health check: both are known then."""
    if view.probe:
        asked, asking = view.probe
        if asked in pair.local and asking in pair.remote:
            return asking, asked
    return None


def ends(pair: Pair, view: Viewpoint, own: Address | None) -> tuple[Address, Address] | None:
    """(Who is pinged, from whom): `own` is an address of the device. None when it lies outside of the pair."""
    known = probe_through(pair, view)
    if known or own is None or own not in pair.local:
        return known
    return somebody(pair, view), own


def somebody(pair: Pair, view: Viewpoint) -> Address:
    """An address that is reached through the pair; nobody has to answer."""
    if not pair.remote.prefixlen:
        return view.gateway.address
    first = pair.remote.network_address
    return first + 1 if pair.remote.num_addresses > 2 else first
