"""The comment at the top: what to know before, how to load, how to see, how to remove."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.cisco import LOAD, one_map
from tunnels.devices.cisco_ios.surroundings import admit, exempt, operations, routes
from tunnels.devices.cisco_ios.words import IOS_15
from tunnels.devices.heading import heading
from tunnels.devices.questions import NONE
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.proposals import IkeVersion, Mode


def header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The lines of the comment, without the comment mark."""
    peer = view.gateway.address
    if order.spec.ike.version is IkeVersion.V1:
        phase_one = "show crypto isakmp sa: the state is QM_IDLE"
    else:
        phase_one = "show crypto ikev2 sa: the status is READY"
    return heading(
        order,
        before=_before(order, view),
        load=[*LOAD, "copy running-config startup-config"],
        verify=[
            phase_one,
            f"show crypto session remote {peer} detail: UP-ACTIVE, with a flow for each pair that had traffic",
            f"show crypto ipsec sa peer {peer}: encaps and decaps both count up",
        ],
        around=_around(order, view),
        remove=_remove(order, view),
    )


def _before(order: Order, view: Viewpoint) -> Iterator[str]:
    answers = order.answers
    outside = answers["outside"]
    yield one_map(answers)
    if order.spec.ike.version is IkeVersion.V1:
        yield from _before_ikev1(order, view)
    else:
        yield (
            f"IKEv2 takes the proposals of one policy only. When one other than default matches {view.device.address} "
            f"already (show crypto ikev2 policy), leave ours out and enter proposal {order.spec.id} in that one."
        )
    yield (
        f"When this router is behind NAT, put the address that {outside} itself has in the place of "
        f"{view.device.address}, except as its identity."
    )
    if answers["nat_list"] != NONE:
        yield (
            f"{answers['nat_list']} must be the extended access list that ip nat inside source uses, itself or in a "
            "route map; a standard list must be replaced by an extended one first. Its entries are renumbered."
        )
    if answers["next_hop"] == NONE:
        yield f"The ranges of the VPN gateway must be routed out of {outside}, as the default route usually is."


def _before_ikev1(order: Order, view: Viewpoint) -> Iterator[str]:
    policy = int(order.answers["policy"])
    identity = view.device.identity
    yield f"IKE policies belong to all tunnels: number {policy} must be free."
    if order.spec.ike.mode is Mode.AGGRESSIVE:
        yield (
            f"Aggressive mode offers the DH group of the first policy only: {policy} must be the lowest number when "
            "another policy has another group."
        )
    if identity.is_address:
        yield "IKEv1 sends the address of the interface as the identity: behind NAT, use IKEv2."
    elif order.version == IOS_15:
        yield (
            "If this release takes no name behind self-identity fqdn, leave the name out there: it then sends its own, "
            f"and hostname and ip domain name together must be {identity.text}."
        )


def _around(order: Order, view: Viewpoint) -> Iterator[str]:
    outside, inside = order.answers["outside"], order.answers["inside"]
    if order.answers["outside_list"] == NONE:
        yield (
            f"Firewall: an access list bound to {outside} must let UDP 500, UDP 4500 and ESP (IP protocol 50) in from "
            f"{view.gateway.address}."
        )
    yield f"Firewall: an access list bound to {inside} must let your ranges reach those of the VPN gateway."
    yield (
        f"Zone-based firewall: what leaves the tunnel comes from the zone of {outside}; let the ranges above pass in "
        "both directions."
    )
    yield (
        f"TCP: {inside} limits segments to {SAFE_MSS} bytes. Other interfaces with ranges of this tunnel need the same."
    )
    yield (
        "Routes: other routers of your site need one to each range of the VPN gateway, with this router as next hop."
    )


def _remove(order: Order, view: Viewpoint) -> Iterator[str]:
    name, answers = order.spec.id, order.answers
    outside, crypto_map = (
        f"interface {answers['outside']}",
        f"no crypto map {answers['crypto_map']}",
    )
    yield "configure terminal"
    yield (
        f"When the crypto map has no other entry, unbind it first:\n{outside}\n {crypto_map}\n exit"
    )
    yield f"{crypto_map} {int(answers['sequence'])}"
    yield f"do clear crypto session remote {view.gateway.address}"
    yield from (f"no ip sla {operation}" for operation in operations(order, view))
    if order.spec.ike.version is IkeVersion.V1:
        yield f"no crypto isakmp profile {name}"
        yield f"no crypto keyring {name}"
        yield f"no crypto isakmp policy {int(answers['policy'])}"
    else:
        for kind in ("profile", "keyring", "policy", "proposal"):
            yield f"no crypto ikev2 {kind} {name}"
    yield f"no crypto ipsec transform-set {name}"
    yield f"no ip access-list extended {name}"
    yield from _without(answers["nat_list"], exempt(view))
    yield from _without(answers["outside_list"], admit(view))
    yield from (f"no {route}" for route in routes(order, view))
    if view.probe and answers["loopback"] != NONE:
        yield f"no interface Loopback{answers['loopback']}"
    yield (
        "When no other tunnel needs it:\n"
        f"interface {answers['inside']}\n no ip tcp adjust-mss\n exit"
    )
    yield "end"


def _without(access_list: str, entries: tuple[str, ...]) -> Iterator[str]:
    """How our entries leave a list that is not ours."""
    if access_list != NONE:
        yield f"ip access-list extended {access_list}"
        yield from (f" no {entry}" for entry in entries)
        yield " exit"
