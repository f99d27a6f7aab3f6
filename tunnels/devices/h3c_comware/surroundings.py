"""What the tunnel needs around it: NAT, firewall, routes, TCP segments, the health check's address, and pings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.h3c_comware.notation import FIREWALL, matching, wild
from tunnels.devices.questions import NONE
from tunnels.devices.routes import remotes
from tunnels.devices.viewpoint import Viewpoint
from tunnels.devices.vrp import Flow, enter, exempt, flows, operation, pings, security_policy

_PING_MILLISECONDS: Final = 30_000
# The zone of the firewall's own addresses.
_LOCAL: Final = "Local"


def surroundings(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """All of it but the pings, for the kind of device that was chosen."""
    asked = view.probe and view.probe[0]
    if asked and order.answers["loopback"] != NONE:
        loopback = f"interface LoopBack{int(order.answers['loopback'])}"
        yield enter(loopback, f"ip address {asked} 255.255.255.255")
    if order.answers["nat_acl"] != NONE:
        yield enter(f"acl number {order.answers['nat_acl']}", *exempt(order, view, wild))
    if order.version == FIREWALL:
        yield security_policy(
            "security-policy ip", security_rules(order, view), "action pass", matching
        )
    leading = routes(order, view)
    if leading:
        yield leading
    yield enter(f"interface {order.answers['inside']}", f"tcp mss {SAFE_MSS}")


def routes(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """A route to each range of the VPN gateway, if a next hop is given; the default route stays as it is."""
    next_hop = order.answers["next_hop"]
    if next_hop == NONE:
        return ()
    return tuple(
        f"ip route-static {remote.network_address} {remote.prefixlen} {next_hop}"
        for remote in remotes(view)
    )


def security_rules(order: Order, view: Viewpoint) -> dict[str, Flow]:
    """Name → what passes, of a firewall's rules: what it asks through the tunnel itself needs one too."""
    rules = flows(order, view, _LOCAL)
    for number, (somebody, own) in pings(order, view).items():
        name = f"{order.spec.id}-{number}-ping"
        rules[name] = Flow(_LOCAL, order.answers["outside_zone"], own, somebody)
    return rules


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
