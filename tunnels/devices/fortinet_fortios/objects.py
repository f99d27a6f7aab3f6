"""Which objects a tunnel needs on FortiOS, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tunnels.devices.viewpoint import Pair, Viewpoint
from tunnels.domain.addresses import Network, is_default_route

# What FortiOS puts behind its words for IPv6.
SUFFIXES: Final[Mapping[int, str]] = MappingProxyType({4: "", 6: "6"})


def addresses(pairs: list[Pair]) -> Iterator[tuple[str, Network]]:
    """(name, range) of each address object."""
    for pair in pairs:
        yield f"{pair.name}-local", pair.local
        yield f"{pair.name}-remote", pair.remote


def swallows(view: Viewpoint, remote: Network) -> bool:
    """Whether a route to the range would take the way to the VPN gateway into the tunnel too."""
    return is_default_route(remote) or view.gateway.address in remote


def routed(view: Viewpoint) -> list[Network]:
    """Each range of the VPN gateway that gets a route, once."""
    remotes = dict.fromkeys(pair.remote for pair in view.pairs)
    return [remote for remote in remotes if not swallows(view, remote)]
