"""The comment at the top: what to know before, how to load, how to see, how to remove."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.heading import heading
from tunnels.devices.huawei_vrp.notation import ROUTER, wild
from tunnels.devices.huawei_vrp.surroundings import pinged, routes, security_rules
from tunnels.devices.huawei_vrp.words import WEAK
from tunnels.devices.questions import NONE
from tunnels.devices.viewpoint import Viewpoint
from tunnels.devices.vrp import LOAD, exempt
from tunnels.domain import crypto
from tunnels.domain.crypto import Transform
from tunnels.domain.spec import TunnelSpec

_ONE_POLICY = (
    "An interface has one IPsec policy: {policy} takes the place of any other on {outside}. Use the name of the "
    "one that is there, and a sequence number that is free in it."
)


def header(order: Order, view: Viewpoint, compatible: tuple[str, ...]) -> tuple[str, ...]:
    """The lines of the comment. `compatible` is the command about SHA2, if there is one."""
    return heading(
        order,
        before=_before(order, view, compatible),
        load=LOAD,
        verify=[
            "display ike sa: the flags of this VPN gateway begin with RD, in both phases",
            "display ipsec sa",
        ],
        around=_around(order, view),
        remove=["From system-view:", *_remove(order, view, compatible)],
    )


def _before(order: Order, view: Viewpoint, compatible: tuple[str, ...]) -> Iterator[str]:
    yield _ONE_POLICY.format(**order.answers)
    for command in compatible:
        yield (
            f"{command} holds for all tunnels: SHA2 is then truncated as RFC 4868 says. Another tunnel may have been "
            "relying on it being off."
        )
    weak = _weak(order.spec)
    if weak:
        yield (
            f"Newer releases take {', '.join(weak)} only when their package of weak algorithms (WEAKEA) is installed."
        )
    if order.version == ROUTER and not view.device.identity.is_address:
        yield (
            f"ike local-name is the name of the whole router: {view.device.identity.text} takes the place of another "
            "one, also in tunnels that identify the router by it."
        )
    if order.answers["next_hop"] == NONE:
        yield (
            f"The ranges of the VPN gateway must be routed out of {order.answers['outside']}, as the default route "
            "usually is."
        )
    yield (
        f"When this device is behind NAT, put the address that {order.answers['outside']} itself has in the place of "
        f"{view.device.address}{_nat_identity(order, view)}."
    )


def _weak(spec: TunnelSpec) -> tuple[str, ...]:
    """The labels of the tunnel's weak algorithms, each once."""
    ike, ipsec = spec.ike, spec.ipsec
    used: list[Transform] = [
        crypto.ENCRYPTION[ike.encryption], crypto.INTEGRITY[ike.integrity], crypto.DH_GROUPS[ike.dh_group],
        crypto.ENCRYPTION[ipsec.encryption],
    ]  # fmt: skip
    if not crypto.is_aead(ipsec.encryption):
        used.append(crypto.INTEGRITY[ipsec.integrity])
    if ipsec.pfs:
        used.append(crypto.DH_GROUPS[ipsec.pfs])
    return tuple(dict.fromkeys(one.label for one in used if one.id in WEAK))


def _nat_identity(order: Order, view: Viewpoint) -> str:
    if not view.device.identity.is_address:
        return ""
    if order.version == ROUTER:
        return ". It then sends that address as its identity: give the tunnel a domain name as the device's identifier"
    return ", except behind local-id"


def _around(order: Order, view: Viewpoint) -> Iterator[str]:
    answers = order.answers
    if order.version != ROUTER:
        yield (
            "Security policy: the first rule that matches decides. When a rule above these denies, move them up in the "
            "view security-policy (rule move NAME top)."
        )
        if view.probe:
            yield (
                "Health check: when its pings stay unanswered, permit them where they come in (service-manage ping "
                f"permit, on {answers['outside']})."
            )
        return
    if answers["nat_acl"] == NONE:
        sentence = (
            "NAT: when the outside interface translates (nat outbound with an advanced ACL), these go above that ACL's "
            "permits; a basic ACL, 2000 to 2999, must be replaced by an advanced one first:"
        )
        yield "\n".join((sentence, *exempt(order, view, wild)))
    yield (
        "Firewall: when a packet filter stands on the outside interface, let UDP 500, UDP 4500 and ESP (IP protocol "
        f"50) pass between {view.device.address} and {view.gateway.address}."
    )
    yield (
        f"TCP: {answers['inside']} limits segments. Other interfaces with ranges of this tunnel need the same."
    )


def _remove(order: Order, view: Viewpoint, compatible: tuple[str, ...]) -> Iterator[str]:
    spec, answers = order.spec, order.answers
    for name in pinged(order, view):
        yield f"nqa test-instance {name}"
        yield " stop"
        yield " quit"
        yield f"undo nqa test-instance {name}"
    yield (
        "When the policy has no other sequence number, take it off first:\n"
        f"interface {answers['outside']}\n undo ipsec policy\n quit"
    )
    yield f"undo ipsec policy {answers['policy']} {int(answers['sequence'])}"
    yield f"undo ipsec proposal {spec.id}"
    yield f"undo ike peer {spec.id}"
    yield f"undo ike proposal {int(answers['proposal'])}"
    yield f"undo acl number {int(answers['acl'])}"
    yield from (f"undo {route}" for route in routes(order, view))
    if view.probe:
        yield f"undo interface LoopBack{int(answers['loopback'])}"
    if order.version == ROUTER:
        yield from _remove_from_router(order, view)
    else:
        yield from _remove_from_firewall(order, view)
    yield "\n".join((
        "When no other tunnel needs them:",
        *(f"undo {command}" for command in compatible),
        *_shared(order, view),
    ))  # fmt: skip


def _shared(order: Order, view: Viewpoint) -> Iterator[str]:
    """How settings of the whole device are taken back."""
    if order.version != ROUTER:
        yield "undo firewall tcp-mss"
        return
    if not view.device.identity.is_address:
        yield "undo ike local-name"
    yield f"interface {order.answers['inside']}"
    yield " undo tcp adjust-mss"
    yield " quit"


def _remove_from_router(order: Order, view: Viewpoint) -> Iterator[str]:
    if order.answers["nat_acl"] != NONE:
        yield f"acl number {order.answers['nat_acl']}"
        yield from (f" undo {' '.join(rule.split()[:2])}" for rule in exempt(order, view, wild))
        yield " quit"


def _remove_from_firewall(order: Order, view: Viewpoint) -> Iterator[str]:
    yield "security-policy"
    yield from (f" undo rule name {name}" for name in security_rules(order, view))
    yield " quit"
    yield "nat-policy"
    yield from (f" undo rule name {pair.name}" for pair in view.pairs)
    yield " quit"
