"""Which objects a tunnel needs on FortiOS, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tunnels.devices.viewpoint import Pair, Viewpoint
from tunnels.domain.addresses import Network, is_default_route
from tunnels.domain.spec import TunnelSpec

# What FortiOS puts behind its words for IPv6.
SUFFIXES: Final[Mapping[int, str]] = MappingProxyType({4: "", 6: "6"})


def forwarded(spec: TunnelSpec, view: Viewpoint) -> list[Pair]:
    """The pairs between networks: without that of the health check when it is about this device alone."""
    pairs = zip(view.pairs, spec.mappings, strict=True)
    return [pair for pair, mapping in pairs if mapping.rule is not None]


def owned(spec: TunnelSpec, view: Viewpoint) -> bool:
    """Whether the tunnel interface gets the health check's address: not one that may be in use at the customer's."""
    alone = len(forwarded(spec, view)) < len(view.pairs)
    return view.probe is not None and (alone or view.probe[0].is_link_local)


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
