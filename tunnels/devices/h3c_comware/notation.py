"""How Comware writes ranges and identities, and the kinds of device that it runs on."""

from __future__ import annotations

from tunnels.devices.viewpoint import Identity
from tunnels.domain.addresses import Network

ROUTER, FIREWALL = "MSR router", "SecPath firewall"


def wild(network: Network) -> str:
    """The range with its wildcard mask, as in a rule of an ACL."""
    return f"{network.network_address} {network.hostmask}"


def subnet(network: Network) -> str:
    """The range with the length of its mask, as in a rule of a security policy."""
    return f"{network.network_address} {network.prefixlen}"


def kind(identity: Identity) -> str:
    """The keyword before an identity."""
    return "address" if identity.is_address else "fqdn"


def remote(identity: Identity, mask: str) -> str:
    """An identity as it is matched: an address has a mask, in the notation that the command wants."""
    return f"address {identity.text} {mask}" if identity.is_address else f"fqdn {identity.text}"
