"""How Comware writes ranges and identities, and the kinds of device that it runs on."""

from __future__ import annotations

from typing import Final

from tunnels.devices.viewpoint import Identity
from tunnels.domain.addresses import Address, Network

ROUTER: Final = "MSR router"
FIREWALL: Final = "SecPath firewall"


def wild(network: Network) -> str:
    """The range with its wildcard mask, as in a rule of an ACL."""
    return f"{network.network_address} {network.hostmask}" if network.prefixlen else "any"


def matching(direction: str, end: Address | Network) -> tuple[str, ...]:
    """The condition of a security policy's rule; none for every address. `direction` is source or destination."""
    if isinstance(end, Address):
        return (f"{direction}-ip-host {end}",)
    if not end.prefixlen:
        return ()
    return (f"{direction}-ip-subnet {end.network_address} {end.prefixlen}",)


def kind(identity: Identity) -> str:
    """The keyword before an identity."""
    return "address" if identity.is_address else "fqdn"


def remote(identity: Identity, mask: str) -> str:
    """An identity as it is matched: an address has a mask, in the notation that the command wants."""
    return f"address {identity.text} {mask}" if identity.is_address else f"fqdn {identity.text}"
