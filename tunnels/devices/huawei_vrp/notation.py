"""How VRP writes ranges, and the devices that it runs on."""

from __future__ import annotations

from typing import Final

from tunnels.domain.addresses import Address, Network

USG_V600: Final = "USG V600"
USG_V500: Final = "USG V500"
ROUTER: Final = "AR V200R010 and later, V300"


def wild(network: Network) -> str:
    """The range with its wildcard mask, as in a rule of an ACL."""
    return f"{network.network_address} {network.hostmask}"


def masked(network: Network) -> str:
    """The range with its mask, as in a route."""
    return f"{network.network_address} {network.netmask}"


def matching(direction: str, end: Address | Network) -> tuple[str, ...]:
    """The condition of a policy's rule; none for every address. `direction` is source or destination."""
    if isinstance(end, Address):
        return (f"{direction}-address {end} mask 255.255.255.255",)
    if not end.prefixlen:
        return ()
    return (f"{direction}-address {end.network_address} mask {end.netmask}",)
