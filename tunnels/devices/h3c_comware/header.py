"""The comment at the top: what to know before, how to load, how to see, how to remove."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.h3c_comware.notation import FIREWALL, ROUTER, wild
from tunnels.devices.heading import heading
from tunnels.devices.viewpoint import Pair, Viewpoint
from tunnels.domain.proposals import IkeVersion

_ONE_POLICY = (
    "An interface carries one IPsec policy: {policy} takes the place of any other on {outside}. Use the name of the "
    "one that is there, and a sequence number that is free in it."
)


def header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    return heading(
        order,
        before=[_ONE_POLICY.format(**order.answers)],
        load=[
            "system-view",
            "(paste the lines below; those that begin with a # are comments)",
            "save",
        ],
        verify=[
            f"display {'ikev2' if order.spec.ike.version is IkeVersion.V2 else 'ike'} sa",
            "display ipsec sa",
        ],
        around=_around(order, view),
        remove=["From system-view:", *_remove(order, view)],
    )


def _around(order: Order, view: Viewpoint) -> Iterator[str]:
    yield "\n".join((
        "NAT: when the outside interface translates (nat outbound with an ACL), these go above that ACL's permits:",
        *(f"rule N deny ip source {wild(pair.local)} destination {wild(pair.remote)}" for pair in view.pairs),
    ))  # fmt: skip
    yield "\n".join((
        "Routes: the ranges of the VPN gateway must leave by the outside interface. Without a default route there:",
        *(f"ip route-static {pair.remote.network_address} {pair.remote.netmask} NEXT-HOP" for pair in _distinct(view)),
    ))  # fmt: skip
    if order.version == ROUTER:
        yield (
            "Firewall: when a packet filter stands on the outside interface, let UDP 500, UDP 4500 and ESP (IP "
            f"protocol 50) pass between {view.device.address} and {view.gateway.address}."
        )


def _remove(order: Order, view: Viewpoint) -> Iterator[str]:
    spec, answers = order.spec, order.answers
    yield f"interface {answers['outside']}"
    yield "undo ipsec apply policy"
    yield "(leave these two out when the policy has other sequence numbers)"
    yield f"undo ipsec policy {answers['policy']} {answers['sequence']}"
    yield f"undo ipsec transform-set {spec.id}"
    if spec.ike.version is IkeVersion.V2:
        kinds = ("profile", "policy", "proposal", "keychain")
        yield from (f"undo ikev2 {kind} {spec.id}" for kind in kinds)
    else:
        yield f"undo ike profile {spec.id}"
        yield f"undo ike proposal {answers['proposal']}"
        yield f"undo ike keychain {spec.id}"
    yield f"undo acl advanced {answers['acl']}"
    if view.probe:
        yield f"undo interface LoopBack{answers['loopback']}"
    if order.version == FIREWALL:
        yield "security-policy ip"
        names = [f"{spec.id}-in", f"{spec.id}-out"]
        names += [f"{pair.name}-{way}" for pair in view.pairs for way in ("in", "out")]
        yield from (f"undo rule name {name}" for name in names)


def _distinct(view: Viewpoint) -> tuple[Pair, ...]:
    """One pair for each range of the VPN gateway."""
    return tuple({pair.remote: pair for pair in view.pairs}.values())
