"""What the tunnel needs around it: NAT, firewall, routes, TCP segments, the health check's address, and pings."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.huawei_vrp.notation import ROUTER, masked, matching, wild
from tunnels.devices.questions import NONE
from tunnels.devices.routes import remotes
from tunnels.devices.viewpoint import Viewpoint
from tunnels.devices.vrp import (
    Flow,
    enter,
    exempt,
    flows,
    operation,
    pings,
    security_policy,
    zones,
)
from tunnels.domain.addresses import Address

_PING_SECONDS = 30


def surroundings(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """All of it, for the kind of device that was chosen."""
    yield from health(order, view)
    if order.version == ROUTER:
        yield from _nat_acl(order, view)
        yield enter(f"interface {order.answers['inside']}", f"tcp adjust-mss {SAFE_MSS}")
    else:
        yield security_policy(
            "security-policy", security_rules(order, view), "action permit", matching
        )
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


def _nat_acl(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    if order.answers["nat_acl"] != NONE:
        yield enter(f"acl number {order.answers['nat_acl']}", *exempt(order, view, wild))


def security_rules(order: Order, view: Viewpoint) -> dict[str, Flow]:
    """Name → what passes, of a firewall's rules."""
    return flows(order, view, "local")


def _nat_policy(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The rules come to the top, since the first one that matches decides."""
    between = zones(order.answers["inside_zone"], order.answers["outside_zone"])
    lines: list[str] = []
    for pair in view.pairs:
        conditions = (*matching("source", pair.local), *matching("destination", pair.remote))
        lines += enter(f"rule name {pair.name}", *between, *conditions, "action no-nat")
        lines.append(f"rule move {pair.name} top")
    return enter("nat-policy", *lines)


def pinged(order: Order, view: Viewpoint) -> dict[str, tuple[Address, Address]]:
    """Name of an NQA test → who is pinged, from whom; none on a firewall, which begins without traffic."""
    if order.version != ROUTER:
        return {}
    return {operation(order, number): both for number, both in pings(order, view).items()}


def tests(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """The NQA tests: an IPsec policy of a router negotiates only when there is traffic for it."""
    for name, (somebody, own) in pinged(order, view).items():
        yield enter(
            f"nqa test-instance {name}",
            "test-type icmp",
            f"destination-address ipv4 {somebody}",
            f"source-address ipv4 {own}",
            f"frequency {_PING_SECONDS}",
            "start now",
        )
