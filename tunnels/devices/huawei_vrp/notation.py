"""How VRP writes views and ranges, and the devices that it runs on."""

from __future__ import annotations

from typing import Final

from tunnels.domain.addresses import Address, Network

USG_V600: Final = "USG V600"
USG_V500: Final = "USG V500"
ROUTER: Final = "AR V200R010 and later, V300"


def enter(view: str, *lines: str) -> tuple[str, ...]:
    """The command that opens a view, the commands in it, and the way out."""
    return (view, *(f" {line}" for line in lines), " quit")


def wild(network: Network) -> str:
    """The range with its wildcard mask, as in a rule of an ACL."""
    return f"{network.network_address} {network.hostmask}"


def masked(network: Network) -> str:
    """The range with its mask, as in a route."""
    return f"{network.network_address} {network.netmask}"


def matching(direction: str, network: Network) -> tuple[str, ...]:
    """The condition of a policy's rule; none for every address. `direction` is source or destination."""
    if not network.prefixlen:
        return ()
    return (f"{direction}-address {network.network_address} mask {network.netmask}",)


def host(direction: str, address: Address) -> str:
    """The same for one address."""
    return f"{direction}-address {address} mask 255.255.255.255"
