"""The heading of the file: what to know before, how to load it, how to see it come up, how to remove it."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.heading import heading
from tunnels.devices.paloalto_panos.places import router, routes, vsys
from tunnels.devices.routes import gateway_inside
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.addresses import is_default_route

# PAN-OS takes 40 bytes off the MTU of the tunnel interface.
MTU = SAFE_MSS + 40


def notes(order: Order, view: Viewpoint, security: list[str], nat: list[str]) -> tuple[str, ...]:
    """The lines of the heading; `security` and `nat` are the names of the rules that the file makes."""
    name = order.spec.id
    return heading(
        order,
        before=_before(order, view),
        load=(
            "The command line has no comments: log in by ssh and paste only what stands below, from set cli on.",
            "It shows nothing of what is pasted. Then:\nvalidate full\ncommit\nexit",
        ),
        verify=(
            *(f"test vpn ipsec-sa tunnel {name}:{pair.name}" for pair in view.pairs),
            f"show vpn ike-sa gateway {name}",
            f"show vpn flow name {name}:{view.pairs[0].name}",
        ),
        around=_around(order, view),
        remove=("\n".join(("In this order:", *_remove(order, view, security, nat))),),
    )


def _before(order: Order, view: Viewpoint) -> Iterator[str]:
    answers = order.answers
    yield (
        f"When {answers['outside_interface']} has several addresses, name the tunnel's as it stands there, with its "
        f"prefix length: set network ike gateway {order.spec.id} local-address ip and that address."
    )
    yield (
        f"Behind NAT: replace {view.device.address} by the interface's own address in the rule {order.spec.id}-ike, "
        "but not in local-id."
    )
    yield (
        f"{answers['routing']} {answers['router']}: the outside interface must belong to it, too. A firewall that "
        "Panorama manages gets these lines there, in its template and device group."
    )
    if view.device.address.version == 6 or any(pair.local.version == 6 for pair in view.pairs):
        yield "IPv6 firewalling must be on: Device > Setup > Session."
    if view.probe:
        yield (
            f"Health check: when this firewall has {view.probe[0]} already, leave out the line that gives it to "
            f"tunnel.{answers['tunnel_number']}, and let its own interface answer pings."
        )
    yield from gateway_inside(view)
    if any(is_default_route(pair.remote) for pair in view.pairs):
        yield "The route to everything has the metric 10: give the default route that you have a higher one."


def _around(order: Order, view: Viewpoint) -> Iterator[str]:
    yield (
        f"A device in front of this one must let UDP 500, UDP 4500 and ESP pass between {view.device.address} and "
        f"{view.gateway.address}."
    )
    yield (
        f"TCP MSS follows from the MTU of the tunnel interface: {MTU} makes {SAFE_MSS}. The rules go to the top, above "
        "what denies and what translates."
    )
    yield (
        "Other routers of your site need a route to each range of the VPN gateway, with this device as the next hop. "
        f"Your own ranges are expected in zone {order.answers['inside_zone']}."
    )
    if view.starts and view.probe:
        yield "The tunnel monitor keeps the tunnel up: the VPN gateway only waits."


def _remove(order: Order, view: Viewpoint, security: list[str], nat: list[str]) -> Iterator[str]:
    name, system, path = order.spec.id, vsys(order), router(order)
    interface = f"tunnel.{order.answers['tunnel_number']}"
    yield "configure"
    yield from (f"delete {system}rulebase security rules {rule}" for rule in security)
    yield from (f"delete {system}rulebase nat rules {rule}" for rule in nat)
    yield f"delete network tunnel ipsec {name}"
    for route in routes(view):
        yield f"delete network {path} routing-table {route.partition(' destination ')[0]}"
    yield f"delete network {path} interface {interface}"
    yield f"delete {system}zone {order.answers['vpn_zone']} network layer3 {interface}"
    yield f"delete {system}import network interface {interface}"
    yield f"delete network interface tunnel units {interface}"
    if view.probe:
        yield f"delete network profiles interface-management-profile {name}"
    yield f"delete network ike gateway {name}"
    yield f"delete network ike crypto-profiles ike-crypto-profiles {name}"
    yield f"delete network ike crypto-profiles ipsec-crypto-profiles {name}"
    yield "commit"
