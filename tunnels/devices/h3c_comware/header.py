"""The comment at the top: what to know before, how to load, how to see, how to remove."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.h3c_comware.notation import FIREWALL, wild
from tunnels.devices.h3c_comware.surroundings import routes, security_rules
from tunnels.devices.heading import heading
from tunnels.devices.questions import NONE
from tunnels.devices.viewpoint import Viewpoint
from tunnels.devices.vrp import LOAD, exempt, operation, pings
from tunnels.domain.proposals import IkeVersion

_ONE_POLICY = (
    "An interface carries one IPsec policy: {policy} takes the place of any other on {outside}. Use the name of the "
    "one that is there, and a sequence number that is free in it."
)


def header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The lines of the comment, without the comment mark."""
    if order.spec.ike.version is IkeVersion.V1:
        phase_one = "display ike sa: the flag of this VPN gateway is RD"
    else:
        phase_one = "display ikev2 sa: the status of this VPN gateway is EST"
    return heading(
        order,
        before=_before(order, view),
        load=LOAD,
        verify=[
            phase_one,
            "display ipsec sa: SAs in both directions for each pair that had traffic",
        ],
        around=_around(order, view),
        remove=["From system-view:", *_remove(order, view)],
    )


def _before(order: Order, view: Viewpoint) -> Iterator[str]:
    answers, outside, device = order.answers, order.answers["outside"], view.device
    yield _ONE_POLICY.format(**answers)
    if order.spec.ike.version is IkeVersion.V1:
        yield f"ACL {int(answers['acl'])} and IKE proposal {int(answers['proposal'])} must be free."
    else:
        yield f"ACL {int(answers['acl'])} must be free."
        yield (
            "IKEv2 takes the proposals of a single policy for an address. When another one has match local address "
            f"{device.address} (display ikev2 policy), leave ours out and enter proposal {order.spec.id} in that one."
        )
    if device.identity.is_address:
        yield (
            f"{outside} must have the address {device.address} itself, for local-address must be what the device is "
            "identified by. Behind NAT, give the tunnel a domain name as the device's identifier."
        )
    else:
        yield (
            f"When this device is behind NAT, put the address that {outside} itself has in the place of "
            f"{device.address}."
        )
    if answers["next_hop"] == NONE:
        yield f"The ranges of the VPN gateway must be routed out of {outside}, as the default route usually is."


def _around(order: Order, view: Viewpoint) -> Iterator[str]:
    answers = order.answers
    if answers["nat_acl"] == NONE:
        sentence = (
            "NAT: when the outside interface translates (nat outbound), it needs an advanced ACL with these rules "
            "above its permits. Without an ACL, or with a basic one (2000 to 2999), it translates the tunnel's traffic "
            "too:"
        )
        yield "\n".join((sentence, *exempt(order, view, wild)))
        if order.version == FIREWALL:
            yield "NAT: in a nat global-policy, a rule at the top with action snat no-nat does the same."
    if order.version == FIREWALL:
        yield (
            "Security policy: the first rule that matches decides, and the new ones stand last. When a rule above them "
            "denies, move them up in the view security-policy ip (move rule)."
        )
    else:
        yield (
            "Firewall: when a packet filter stands on the outside interface, let UDP 500, UDP 4500 and ESP (IP "
            f"protocol 50) pass between {view.device.address} and {view.gateway.address}."
        )
    yield f"TCP: {answers['inside']} limits segments. Other interfaces with ranges of this tunnel need the same."
    yield (
        "Routes: other routers of your site need one to each range of the VPN gateway, with this device as next hop."
    )


def _remove(order: Order, view: Viewpoint) -> Iterator[str]:
    spec, answers = order.spec, order.answers
    for number in pings(order, view):
        yield f"undo nqa schedule {operation(order, number)}"
        yield f"undo nqa entry {operation(order, number)}"
    yield (
        "When the policy has no other sequence number, take it off first:\n"
        f"interface {answers['outside']}\n undo ipsec apply policy\n quit"
    )
    yield f"undo ipsec policy {answers['policy']} {int(answers['sequence'])}"
    yield f"undo ipsec transform-set {spec.id}"
    if spec.ike.version is IkeVersion.V2:
        kinds = ("profile", "policy", "proposal", "keychain")
        yield from (f"undo ikev2 {kind} {spec.id}" for kind in kinds)
    else:
        yield f"undo ike profile {spec.id}"
        yield f"undo ike proposal {int(answers['proposal'])}"
        yield f"undo ike keychain {spec.id}"
    yield f"undo acl number {int(answers['acl'])}"
    yield from (f"undo {route}" for route in routes(order, view))
    if view.probe and answers["loopback"] != NONE:
        yield f"undo interface LoopBack{answers['loopback']}"
    if answers["nat_acl"] != NONE:
        yield f"acl number {answers['nat_acl']}"
        yield from (f" undo {' '.join(rule.split()[:2])}" for rule in exempt(order, view, wild))
        yield " quit"
    if order.version == FIREWALL:
        yield "security-policy ip"
        yield from (f" undo rule name {name}" for name in security_rules(order, view))
        yield " quit"
    yield (f"When no other tunnel needs it:\ninterface {answers['inside']}\n undo tcp mss\n quit")
