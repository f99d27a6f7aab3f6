"""IP addresses and CIDR blocks: parsing, and which of them a VPN may use.

IPv4 and IPv6 get the same treatment. The lists of unusable addresses follow the reference console's limits
(all-zero, all-one, multicast, loopback, link-local, classful network and broadcast addresses), carried
over to IPv6 with its own counterparts (RFC 4291).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from tunnels.domain.findings import refuse

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LINK_LOCAL = ipaddress.IPv4Network("169.254.0.0/16")
BROADCAST = ipaddress.IPv4Address("255.255.255.255")
THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")


def parse_network(text: str) -> Network:
    """The CIDR block written in `text`, e.g. `10.0.0.0/24` or `2001:db8::/48`.

    Raises RuleError when it is no CIDR block, has no prefix length, has host bits set (the corrected block
    is suggested) or can never carry tunnel traffic (loopback, multicast, unspecified, broadcast).
    """
    text = text.strip()
    if not text:
        raise refuse("cidr-missing", "Enter a range, such as 10.0.0.0/24 or 2001:db8::/48.")
    if "/" not in text:
        address = parse_address(text)
        raise refuse(
            "cidr-prefix-missing",
            f"{text} has no prefix length; write {address}/{address.max_prefixlen} for one host.",
        )
    if "%" in text:
        raise refuse(
            "cidr-malformed",
            f"“{_shorten(text)}” names an interface zone; write the block without it.",
        )
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise refuse(
            "cidr-malformed",
            f"“{_shorten(text)}” is not a CIDR block; write it like 10.0.0.0/24 or 2001:db8::/48.",
        ) from None
    host = ipaddress.ip_interface(text).ip
    if host != network.network_address:
        raise refuse(
            "cidr-host-bits", f"{_shorten(text)} has host bits set; did you mean {network}?"
        )
    if _never_carries_traffic(network):
        raise refuse(
            "cidr-unusable",
            f"{network} is loopback, multicast, unspecified or broadcast space; use a unicast range.",
        )
    return network


def parse_address(text: str) -> Address:
    """The IP address written in `text`. Raises RuleError when it is none."""
    text = text.strip()
    if not text:
        raise refuse(
            "address-missing", "Enter an IP address, such as 203.0.113.10 or 2001:db8::10."
        )
    try:
        if "%" in text:
            raise ValueError(text)
        return ipaddress.ip_address(text)
    except ValueError:
        raise refuse(
            "address-malformed",
            f"“{_shorten(text)}” is not an IP address; write it like 203.0.113.10 or 2001:db8::10.",
        ) from None


def parse_gateway_address(text: str) -> Address:
    """The public address of a VPN or customer gateway: usable unicast, else RuleError.

    Refused: unspecified, loopback, link-local, multicast, reserved and broadcast addresses, IPv4 addresses
    inside IPv6, and the classful network and broadcast addresses (such as 203.0.113.0 and 203.0.113.255).
    """
    address = parse_address(text)
    reason = _unusable_gateway(address)
    if reason:
        raise refuse(
            "gateway-address-unusable",
            f"{address} is {reason}; use the gateway's static unicast address.",
        )
    return address


def contains(outer: Iterable[Network], inner: Network) -> bool:
    """Whether `inner` lies wholly inside one of the `outer` blocks."""
    return any(within(inner, block) for block in outer)


def within(inner: Network, outer: Network) -> bool:
    """Whether `inner` equals `outer` or is a part of it; never across families."""
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


def overlap(one: Network, other: Network) -> bool:
    """Whether the two blocks share an address; never across families."""
    return within(one, other) or within(other, one)


def is_default_route(network: Network) -> bool:
    """Whether the block is 0.0.0.0/0 or ::/0, which stands for "everything else"."""
    return network.prefixlen == 0


def host_network(address: Address) -> Network:
    """The /32 or /128 that holds just this address."""
    return ipaddress.ip_network(address)


def _never_carries_traffic(network: Network) -> bool:
    if is_default_route(network):
        return False
    if network.is_loopback or network.is_multicast:
        return True
    if isinstance(network, ipaddress.IPv4Network):
        return network.subnet_of(THIS_NETWORK) or network == ipaddress.ip_network(BROADCAST)
    return network == ipaddress.ip_network("::/128")


def _unusable_gateway(address: Address) -> str:
    plain = (
        ("unspecified", address.is_unspecified),
        ("a loopback address", address.is_loopback),
        ("a link-local address", address.is_link_local),
        ("a multicast address", address.is_multicast),
    )
    for reason, hit in plain:
        if hit:
            return reason
    if isinstance(address, ipaddress.IPv6Address):
        return "an IPv4 address written as IPv6" if address.ipv4_mapped else ""
    if address in THIS_NETWORK:
        return "in the unusable range 0.0.0.0/8"
    if address.is_reserved:
        return "a reserved or broadcast address"
    host = int(address) & _classful_host_mask(address)
    if host == 0:
        return "a network address"
    if host == _classful_host_mask(address):
        return "a broadcast address"
    return ""


def _classful_host_mask(address: ipaddress.IPv4Address) -> int:
    """Host bits of the address's class: A is /8, B is /16, C is /24 (RFC 791 §3.2)."""
    first = int(address) >> 24
    if first < 128:
        return 0xFFFFFF
    return 0xFFFF if first < 192 else 0xFF


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
