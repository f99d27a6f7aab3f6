"""What the tunnel needs around it: NAT, firewall, routes, the address of the health check, and pings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tunnels.devices.base import Order
from tunnels.devices.cisco import Block, mode
from tunnels.devices.pings import probe_through, somebody
from tunnels.devices.questions import NONE
from tunnels.devices.routes import remotes
from tunnels.devices.viewpoint import Pair, Viewpoint
from tunnels.domain.addresses import Network

PING_SECONDS: Final = 30


def match(pair: Pair) -> str:
    """The pair as an access list writes it."""
    return f"ip {_range(pair.local)} {_range(pair.remote)}"


def _range(network: Network) -> str:
    if not network.prefixlen:
        return "any"
    if network.prefixlen == network.max_prefixlen:
        return f"host {network.network_address}"
    # Access lists of a router have wildcards for masks.
    return f"{network.network_address} {network.hostmask}"


def exempt(view: Viewpoint) -> tuple[str, ...]:
    """Entries that keep the tunnel's traffic from being translated."""
    return tuple(f"deny {match(pair)}" for pair in view.pairs)


def admit(view: Viewpoint) -> tuple[str, ...]:
    """Entries that let IKE, NAT traversal and ESP in (UDP 500, UDP 4500, IP protocol 50)."""
    ends = f"host {view.gateway.address} host {view.device.address}"
    return (
        f"permit udp {ends} eq isakmp",
        f"permit udp {ends} eq non500-isakmp",
        f"permit esp {ends}",
    )


def routes(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """A route to each range of the VPN gateway, if a next hop is given; the default route stays as it is."""
    next_hop = order.answers["next_hop"]
    if next_hop == NONE:
        return ()
    return tuple(
        f"ip route {remote.network_address} {remote.netmask} {next_hop} name {order.spec.id}"
        for remote in remotes(view)
    )


def surroundings(order: Order, view: Viewpoint) -> Iterator[Block]:
    """NAT exemption, openings, routes and loopback, as far as they were asked for."""
    answers = order.answers
    if answers["nat_list"] != NONE:
        yield Block(
            title="NAT: what goes through the tunnel keeps its addresses",
            lines=_in_front(answers["nat_list"], exempt(view)),
        )
    if answers["outside_list"] != NONE:
        yield Block(
            title="Firewall: let IKE and ESP in",
            lines=_in_front(answers["outside_list"], admit(view)),
        )
    leading = routes(order, view)
    if leading:
        yield Block(title="Routes to the ranges of the VPN gateway", lines=leading)
    if view.probe and answers["loopback"] != NONE:
        asked, _ = view.probe
        loopback = f"interface Loopback{answers['loopback']}"
        yield Block(
            title="The address that the health check pings",
            lines=mode(loopback, f"ip address {asked} 255.255.255.255"),
        )


def _in_front(access_list: str, entries: Iterable[str]) -> tuple[str, ...]:
    """The entries before all that the list has already."""
    numbered = (f"{number} {entry}" for number, entry in enumerate(entries, start=1))
    return (
        f"ip access-list resequence {access_list} 1000 10",
        *mode(f"ip access-list extended {access_list}", *numbered),
    )


def operations(order: Order, view: Viewpoint) -> dict[int, Pair]:
    """IP SLA number → the pair that it keeps up; none when the VPN gateway begins."""
    if not view.starts:
        return {}
    return dict(enumerate(view.pairs, start=int(order.answers["ip_sla"])))


def pings(order: Order, view: Viewpoint) -> Iterator[Block]:
    """A ping through each pair, again and again: a crypto map negotiates only when there is traffic."""
    for operation, pair in operations(order, view).items():
        echo = mode(f"ip sla {operation}", _echo(order, view, pair), f"frequency {PING_SECONDS}")
        yield Block(
            title=f"Keep pair {pair.number} up",
            lines=(*echo, f"ip sla schedule {operation} life forever start-time now"),
        )


def _echo(order: Order, view: Viewpoint, pair: Pair) -> str:
    known = probe_through(pair, view)
    if known:
        asking, asked = known
        return f"icmp-echo {asking} source-ip {asked}"
    return f"icmp-echo {somebody(pair, view)} source-interface {order.answers['inside']}"
