"""What the tunnel needs around it: NAT, firewall, routes, TCP segments, the health check's address, and pings."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.huawei_vrp.notation import ROUTER, enter, host, masked, matching, wild
from tunnels.devices.pings import ends
from tunnels.devices.questions import NONE
from tunnels.devices.routes import remotes
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.addresses import Address

_PING_SECONDS = 30


def surroundings(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """All of it, for the kind of device that was chosen."""
    yield from health(order, view)
    if order.version == ROUTER:
        yield from _nat_acl(order, view)
        yield enter(f"interface {order.answers['inside']}", f"tcp adjust-mss {SAFE_MSS}")
    else:
        yield _security_policy(order, view)
        yield _nat_policy(order, view)
        yield (f"firewall tcp-mss {SAFE_MSS}",)
    leading = routes(order, view)
    if leading:
        yield leading


def health(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """The interface that owns the address which the health check asks."""
    if view.probe:
        asked, _ = view.probe
        loopback = f"interface LoopBack{int(order.answers['loopback'])}"
        yield enter(loopback, f"ip address {asked} 255.255.255.255")


def routes(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """A route to each range of the VPN gateway, if a next hop is given; the default route stays as it is."""
    next_hop = order.answers["next_hop"]
    if next_hop == NONE:
        return ()
    return tuple(f"ip route-static {masked(remote)} {next_hop}" for remote in remotes(view))


def exempt(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The rules for the ACL of a router's NAT: what they deny keeps its address."""
    first = int(order.answers["nat_rule"])
    return tuple(
        f"rule {number} deny ip source {wild(pair.local)} destination {wild(pair.remote)}"
        for number, pair in enumerate(view.pairs, start=first)
    )


def _nat_acl(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    if order.answers["nat_acl"] != NONE:
        yield enter(f"acl number {order.answers['nat_acl']}", *exempt(order, view))


def security_rules(order: Order, view: Viewpoint) -> dict[str, tuple[str, ...]]:
    """Name → conditions of a firewall's rules: IKE and ESP between the ends, the pairs, and the health check."""
    inner, outer = order.answers["inside_zone"], order.answers["outside_zone"]
    tunnel_id, device, gateway = order.spec.id, view.device.address, view.gateway.address
    rules: dict[str, tuple[str, ...]] = {
        f"{tunnel_id}-in": (
            *_zones(outer, "local"), host("source", gateway), host("destination", device),
        ),
        f"{tunnel_id}-out": (
            *_zones("local", outer), host("source", device), host("destination", gateway),
        ),
    }  # fmt: skip
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
        # The address is the firewall's own, and so in no zone of an interface.
        rules[f"{tunnel_id}-health"] = (
            *_zones(outer, "local"), host("source", asking), host("destination", asked),
        )  # fmt: skip
    return rules


def _security_policy(order: Order, view: Viewpoint) -> tuple[str, ...]:
    rules = security_rules(order, view)
    lines = [
        line
        for name, conditions in rules.items()
        for line in enter(f"rule name {name}", *conditions, "action permit")
    ]
    return enter("security-policy", *lines)


def _nat_policy(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The rules come to the top, since the first one that matches decides."""
    zones = _zones(order.answers["inside_zone"], order.answers["outside_zone"])
    lines: list[str] = []
    for pair in view.pairs:
        conditions = (*matching("source", pair.local), *matching("destination", pair.remote))
        lines += enter(f"rule name {pair.name}", *zones, *conditions, "action no-nat")
        lines.append(f"rule move {pair.name} top")
    return enter("nat-policy", *lines)


def _zones(source: str, destination: str) -> tuple[str, str]:
    return f"source-zone {source}", f"destination-zone {destination}"


def pings(order: Order, view: Viewpoint) -> dict[str, tuple[Address, Address]]:
    """Name of an NQA test → who is pinged, from whom: for the pairs in which the router has an address.

    None unless the VPN gateway only waits, and none on a firewall, which begins without traffic.
    """
    if order.version != ROUTER or not view.starts:
        return {}
    # A name of NQA has no hyphens.
    name = order.spec.id.replace("-", "_")
    source = order.answers["ping_source"]
    own = None if source == NONE else ipaddress.ip_address(source)
    found = {f"{name} {pair.number}": ends(pair, view, own) for pair in view.pairs}
    return {test: both for test, both in found.items() if both}


def tests(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """The NQA tests: an IPsec policy of a router negotiates only when there is traffic for it."""
    for name, (somebody, own) in pings(order, view).items():
        yield enter(
            f"nqa test-instance {name}",
            "test-type icmp",
            f"destination-address ipv4 {somebody}",
            f"source-address ipv4 {own}",
            f"frequency {_PING_SECONDS}",
            "start now",
        )
