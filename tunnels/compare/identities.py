"""Whether an IKE identity of a file is the one that the tunnel has."""

from __future__ import annotations

import ipaddress

from tunnels.compare.ranges import network_of
from tunnels.compare.reading import Ident, Naming
from tunnels.compare.text import Quoter
from tunnels.devices.viewpoint import Identity


def accepts(ident: Ident, identity: Identity) -> bool:
    """Whether `ident`, which may be a pattern, stands for `identity`. Names are the same in either case (RFC 4343)."""
    if ident.naming is Naming.ANY:
        return True
    if identity.is_address:
        return ident.naming is Naming.ADDRESS and _holds(ident.text, identity.text)
    return ident.naming is Naming.NAME and _named(ident.text.lower(), identity.text.lower())


def ours(identity: Identity) -> str:
    """The tunnel's identity, for people."""
    return _typed(identity.text, Naming.ADDRESS if identity.is_address else Naming.NAME)


def theirs(ident: Ident, quote: Quoter) -> str:
    """The file's identity, for people."""
    if ident.naming is Naming.ANY:
        return "any"
    if ident.naming is Naming.OWN:
        return "its own IP address"
    if ident.naming is Naming.OTHER:
        return quote(ident.text)
    return _typed(quote(ident.text), ident.naming)


def _typed(text: str, naming: Naming) -> str:
    """Two identities may look alike and be of different types."""
    looks_like_an_address = text[:1].isdigit() or ":" in text
    if (naming is Naming.ADDRESS) == looks_like_an_address:
        return text
    return f"{text} (as {'an IP address' if naming is Naming.ADDRESS else 'a domain name'})"


def _holds(pattern: str, address: str) -> bool:
    block = network_of(pattern)
    return block is not None and ipaddress.ip_address(address) in block


def _named(pattern: str, name: str) -> bool:
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    return pattern == name
