"""What Comware and VRP have in common: commands, views that a command opens, ACLs, NQA and policies between zones."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tunnels.devices.base import Order
from tunnels.devices.pings import ends
from tunnels.devices.questions import NONE
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.addresses import Address, Network
from tunnels.domain.findings import refuse

INTERFACE: Final = re.compile(
    r"[A-Za-z][A-Za-z-]{1,30}[0-9]{1,4}(/[0-9]{1,4}){0,3}(\.[0-9]{1,4})?", re.ASCII
)
ADVANCED_ACL_OR_NONE: Final = re.compile(rf"{NONE}|3[0-9]{{3}}", re.ASCII)
LOAD: Final = (
    "system-view",
    "(paste the lines below; those that begin with a # set nothing)",
    "return",
    "save",
)
# Steps of five, those that VRP takes by itself, leave room for rules in between.
_STEP: Final = 5

# A range in the notation of an ACL.
Wild = Callable[[Network], str]
# "source" or "destination", and what is there: the condition of a rule, none for every address.
Matching = Callable[[str, Address | Network], tuple[str, ...]]


def enter(view: str, *lines: str) -> tuple[str, ...]:
    """The command that opens a view, the commands in it, and the way out."""
    return (view, *(f" {line}" for line in lines), " quit")


def matched(order: Order, view: Viewpoint, wild: Wild) -> tuple[str, ...]:
    """The tunnel's own ACL: a rule for each pair."""
    rules = (
        f"rule {pair.number * _STEP} permit ip source {wild(pair.local)} destination {wild(pair.remote)}"
        for pair in view.pairs
    )
    # Comware's form with the keyword advanced came later; this one is understood by all releases.
    return enter(f"acl number {int(order.answers['acl'])}", *rules)


def exempt(order: Order, view: Viewpoint, wild: Wild) -> tuple[str, ...]:
    """The rules for the ACL of NAT: what they deny keeps its address."""
    first = int(order.answers["nat_rule"])
    return tuple(
        f"rule {number} deny ip source {wild(pair.local)} destination {wild(pair.remote)}"
        for number, pair in enumerate(view.pairs, start=first)
    )


def check_acls(order: Order) -> None:
    """Raises RuleError when one ACL is asked to be both NAT's and the tunnel's own."""
    if order.answers["nat_acl"] == str(int(order.answers["acl"])):
        message = "The NAT ACL and the tunnel's own ACL must be two; enter another ACL number."
        raise refuse("device-answer", message, field="acl")


@dataclass(frozen=True, slots=True)
class Flow:
    """What one rule of a security policy lets pass."""

    from_zone: str
    to_zone: str
    source: Address | Network
    destination: Address | Network


def zones(source: str, destination: str) -> tuple[str, str]:
    """The two conditions on zones."""
    return f"source-zone {source}", f"destination-zone {destination}"


def flows(order: Order, view: Viewpoint, local: str) -> dict[str, Flow]:
    """Name of a firewall's rule → what passes: IKE and ESP between the ends, the pairs, and the health check.

    `local` is the zone of the firewall's own addresses, which are in that of no interface.
    """
    inner, outer = order.answers["inside_zone"], order.answers["outside_zone"]
    tunnel_id, device, gateway = order.spec.id, view.device.address, view.gateway.address
    found = {
        f"{tunnel_id}-in": Flow(outer, local, gateway, device),
        f"{tunnel_id}-out": Flow(local, outer, device, gateway),
    }
    for pair in view.pairs:
        found[f"{pair.name}-in"] = Flow(outer, inner, pair.remote, pair.local)
        found[f"{pair.name}-out"] = Flow(inner, outer, pair.local, pair.remote)
    if view.probe:
        asked, asking = view.probe
        found[f"{tunnel_id}-health"] = Flow(outer, local, asking, asked)
    return found


def security_policy(
    opening: str, rules: Mapping[str, Flow], action: str, matching: Matching
) -> tuple[str, ...]:
    """The view that `opening` enters, with a rule for each flow."""
    lines: list[str] = []
    for name, flow in rules.items():
        lines += enter(
            f"rule name {name}",
            *zones(flow.from_zone, flow.to_zone),
            *matching("source", flow.source),
            *matching("destination", flow.destination),
            action,
        )
    return enter(opening, *lines)


def pings(order: Order, view: Viewpoint) -> dict[int, tuple[Address, Address]]:
    """Number of a pair → who is pinged, from whom: for the pairs in which the device has an address.

    None unless the VPN gateway only waits.
    """
    if not view.starts:
        return {}
    source = order.answers["ping_source"]
    own = None if source == NONE else ipaddress.ip_address(source)
    found = {pair.number: ends(pair, view, own) for pair in view.pairs}
    return {number: both for number, both in found.items() if both}


def operation(order: Order, number: int) -> str:
    """The two names of the NQA operation for a pair; they have no hyphens."""
    return f"{order.spec.id.replace('-', '_')} {number}"
