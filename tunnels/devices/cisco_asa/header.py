"""The comment at the top: what to know before, how to load, how to see, how to remove."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.cisco import LOAD, one_map
from tunnels.devices.cisco_asa.commands import (
    exemptions,
    kind,
    map_settings,
    objects,
    routes,
)
from tunnels.devices.heading import heading
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.proposals import IkeVersion, Mode


def header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The lines of the comment, without the comment mark."""
    peer = view.gateway.address
    ike = order.spec.ike
    phase_one = "AM_ACTIVE" if ike.mode is Mode.AGGRESSIVE else "MM_ACTIVE"
    state = phase_one if ike.version is IkeVersion.V1 else "READY"
    return heading(
        order,
        before=_before(order, view),
        load=[*LOAD, "write memory"],
        verify=[
            f"show crypto {kind(order)} sa: the state is {state}",
            f"show crypto ipsec sa peer {peer}: encaps and decaps both count up, for each pair that had traffic",
        ],
        around=_around(order),
        remove=_remove(order, view),
    )


def _before(order: Order, view: Viewpoint) -> Iterator[str]:
    answers, ike = order.answers, order.spec.ike
    outside, peer = answers["outside"], view.gateway.address
    yield one_map(answers)
    yield (
        f"IKE policies belong to all tunnels: number {int(answers['policy'])} must be free. So must the name of the "
        f"tunnel group, {peer}."
    )
    yield (
        "The identity belongs to all tunnels too: show running-config all crypto isakmp must say identity auto or "
        f"address. Interface {outside} must have the address {view.device.address} itself, for that is what the ASA "
        "then sends: this does not work behind NAT."
    )
    if ike.version is IkeVersion.V1 and ike.mode is Mode.AGGRESSIVE:
        yield "Aggressive mode must not be switched off: no crypto ikev1 am-disable."
    if not routes(order, view):
        yield (
            f"The ranges of the VPN gateway must be routed out of interface {outside}, as the default route usually is."
        )


def _around(order: Order) -> Iterator[str]:
    outside, inside = order.answers["outside"], order.answers["inside"]
    yield (
        "Firewall: UDP 500, UDP 4500 and ESP (IP protocol 50) reach the ASA itself, unless a control-plane access list "
        f"on interface {outside} stops them. What leaves the tunnel passes the access list there by itself, unless no "
        "sysopt connection permit-vpn is set: then permit the ranges above."
    )
    yield f"Firewall: an access list on interface {inside} must let your ranges reach those of the VPN gateway."
    yield f"NAT: for ranges behind other interfaces than {inside}, put their name in its place in the nat lines."
    yield f"TCP: segments are limited to {SAFE_MSS} bytes in all connections through this ASA; 1380 is its default."
    yield "Routes: other routers of your site need one to each range of the VPN gateway, with this ASA as next hop."


def _remove(order: Order, view: Viewpoint) -> Iterator[str]:
    name, answers, peer = order.spec.id, order.answers, view.gateway.address
    crypto_map, outside = answers["crypto_map"], answers["outside"]
    entry = f"{crypto_map} {int(answers['sequence'])}"
    yield "configure terminal"
    yield (
        "When the crypto map has no other entry, unbind it first:\n"
        f"no crypto map {crypto_map} interface {outside}"
    )
    yield from (f"no crypto map {entry} {setting}" for setting in map_settings(order, view))
    yield f"clear crypto ipsec sa peer {peer}"
    yield f"clear configure tunnel-group {peer}"
    yield f"clear configure group-policy {name}"
    if order.spec.ike.version is IkeVersion.V1:
        yield f"no crypto ipsec ikev1 transform-set {name}"
    else:
        yield f"no crypto ipsec ikev2 ipsec-proposal {name}"
    yield f"no crypto {kind(order)} policy {int(answers['policy'])}"
    yield from (f"no {route}" for route in routes(order, view))
    yield "\n".join(("The NAT rules:", *(f"no {rule}" for rule in exemptions(order, view))))
    yield f"clear configure access-list {name}"
    yield from (f"no object network {one}" for pair in view.pairs for one in objects(pair))
    yield (
        "When no other tunnel needs them:\n"
        f"no crypto {kind(order)} enable {outside}\n"
        "no sysopt connection tcpmss"
    )
    yield "end"
