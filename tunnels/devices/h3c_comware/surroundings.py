"""What the tunnel needs around it: NAT, firewall, routes, TCP segments, the health check's address, and pings."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.h3c_comware.notation import FIREWALL, enter, host, matching, wild
from tunnels.devices.pings import ends
from tunnels.devices.questions import NONE
from tunnels.devices.routes import remotes
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.addresses import Address

_PING_MILLISECONDS: Final = 30_000


def surroundings(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """All of it but the pings, for the kind of device that was chosen."""
    asked = view.probe and view.probe[0]
    if asked and order.answers["loopback"] != NONE:
        loopback = f"interface LoopBack{int(order.answers['loopback'])}"
        yield enter(loopback, f"ip address {asked} 255.255.255.255")
    if order.answers["nat_acl"] != NONE:
        yield enter(f"acl number {order.answers['nat_acl']}", *exempt(order, view))
    if order.version == FIREWALL:
        yield _security_policy(order, view)
    leading = routes(order, view)
    if leading:
        yield leading
    yield enter(f"interface {order.answers['inside']}", f"tcp mss {SAFE_MSS}")


def exempt(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The rules for the ACL of NAT: what they deny keeps its address."""
    first = int(order.answers["nat_rule"])
    return tuple(
        f"rule {number} deny ip source {wild(pair.local)} destination {wild(pair.remote)}"
        for number, pair in enumerate(view.pairs, start=first)
    )


def routes(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """A route to each range of the VPN gateway, if a next hop is given; the default route stays as it is."""
    next_hop = order.answers["next_hop"]
    if next_hop == NONE:
        return ()
    return tuple(
        f"ip route-static {remote.network_address} {remote.prefixlen} {next_hop}"
        for remote in remotes(view)
    )


def security_rules(order: Order, view: Viewpoint) -> dict[str, tuple[str, ...]]:
    """Name → conditions of a firewall's rules: IKE and ESP between the ends, the pairs, and what the firewall itself
    answers or asks through the tunnel; its own addresses are in the zone Local.
    """
    inner, outer = order.answers["inside_zone"], order.answers["outside_zone"]
    tunnel_id, device, gateway = order.spec.id, view.device.address, view.gateway.address
    into, out_of = _zones(outer, "Local"), _zones("Local", outer)
    rules: dict[str, tuple[str, ...]] = {
        f"{tunnel_id}-in": (*into, host("source", gateway), host("destination", device)),
        f"{tunnel_id}-out": (*out_of, host("source", device), host("destination", gateway)),
    }
    for pair in view.pairs:
        here, there = pair.local, pair.remote
        rules[f"{pair.name}-in"] = (
            *_zones(outer, inner), *matching("source", there), *matching("destination", here),
        )  # fmt: skip
        rules[f"{pair.name}-out"] = (
            *_zones(inner, outer), *matching("source", here), *matching("destination", there),
        )  # fmt: skip
    if view.probe:
        asked, asking = view.probe
        rules[f"{tunnel_id}-health"] = (*into, host("source", asking), host("destination", asked))
    for number, (somebody, own) in pings(order, view).items():
        rules[f"{tunnel_id}-{number}-ping"] = (
            *out_of, host("source", own), host("destination", somebody),
        )  # fmt: skip
    return rules


def _security_policy(order: Order, view: Viewpoint) -> tuple[str, ...]:
    lines = [
        line
        for name, conditions in security_rules(order, view).items()
        for line in enter(f"rule name {name}", *conditions, "action pass")
    ]
    return enter("security-policy ip", *lines)


def _zones(source: str, destination: str) -> tuple[str, str]:
    return f"source-zone {source}", f"destination-zone {destination}"


def operation(order: Order, number: int) -> str:
    """The two names of the NQA operation for a pair."""
    return f"{order.spec.id.replace('-', '_')} {number}"


def pings(order: Order, view: Viewpoint) -> dict[int, tuple[Address, Address]]:
    """Number of a pair → who is pinged, from whom: for the pairs in which the device has an address.

    None unless the VPN gateway only waits.
    """
    if not view.starts:
        return {}
    source = order.answers["ping_source"]
    own = None if source == NONE else ipaddress.ip_address(source)
    found = {pair.number: ends(pair, view, own) for pair in view.pairs}
    return {number: both for number, both in found.items() if both}


def operations(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """The NQA operations: an IPsec policy negotiates only when there is traffic for it."""
    for number, (somebody, own) in pings(order, view).items():
        name = operation(order, number)
        yield enter(
            f"nqa entry {name}",
            "type icmp-echo",
            f" destination ip {somebody}",
            f" source ip {own}",
            f" frequency {_PING_MILLISECONDS}",
        )
        yield (f"nqa schedule {name} start-time now lifetime forever",)
