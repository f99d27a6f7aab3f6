"""Cisco ASA 9: a crypto map on the outside interface, with IKEv1 or IKEv2.

Commands: CLI Book 3, Cisco ASA Series VPN CLI Configuration Guide, "IPsec and ISAKMP" and "LAN-to-LAN IPsec VPNs"
(what is supported with IPv6); CLI Book 2, Cisco ASA Series Firewall CLI Configuration Guide, "Network Address
Translation" (twice NAT, identity NAT); Cisco ASA Series Command Reference (crypto map set, tunnel-group, group-policy,
isakmp keepalive, sysopt connection tcpmss, management-access).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tunnels.devices.abilities import cannot
from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.cisco import Block
from tunnels.devices.cisco_asa.asked import QUESTIONS
from tunnels.devices.cisco_asa.commands import (
    exemptions,
    kind,
    map_settings,
    matches,
    proposals,
    ranges,
    routes,
    secrets,
)
from tunnels.devices.cisco_asa.header import header
from tunnels.devices.cisco_asa.words import VERSIONS
from tunnels.devices.heading import commented
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain.addresses import Address
from tunnels.domain.findings import Finding
from tunnels.domain.spec import TunnelSpec

TEMPLATE: Final = "cisco_asa/template.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints; `name` is that of all our objects, `kind` ikev1 or ikev2."""

    heading: tuple[str, ...]
    name: str
    kind: str
    ranges: tuple[Block, ...]
    matches: tuple[str, ...]
    exemptions: tuple[str, ...]
    routes: tuple[Block, ...]
    proposals: tuple[Block, ...]
    peer: Address
    secrets: tuple[str, ...]
    outside: str
    crypto_map: str
    sequence: int
    settings: tuple[str, ...]
    mss: int


def write(order: Order) -> str:
    """The text of the file."""
    return fill(TEMPLATE, _decide(order))


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """An identity that is not the side's own address; IPv4 and IPv6 ranges in one tunnel."""
    view, found = customer_viewpoint(spec), []
    for field, whose, side in (
        ("ike.remote_fqdn", "the device", view.device),
        ("ike.local_fqdn", "the VPN gateway", view.gateway),
    ):
        if side.identity.text != str(side.address):
            message = (
                f"Cisco ASA identifies {whose} by its address only; leave its identifier empty."
            )
            found.append(cannot(message, field))
    if len({pair.local.version for pair in view.pairs}) > 1:
        message = (
            "Cisco ASA takes either IPv4 or IPv6 ranges in one tunnel; move the ranges of one family to a tunnel of "
            "their own."
        )
        found.append(cannot(message, "spd.rules"))
    return found


def losses(spec: TunnelSpec) -> list[str]:
    """What the ASA does differently from what was agreed."""
    view, sentences = customer_viewpoint(spec), []
    if view.starts:
        sentences.append(
            "The VPN gateway only waits, and a crypto map negotiates only when there is traffic for it; the ASA itself "
            "cannot send any through a pair. For each pair, let a host of yours ping the other side all the time."
        )
    if view.probe:
        asked, _ = view.probe
        sentences.append(
            "The ASA answers pings through a tunnel only on an interface of its own that management-access names: "
            f"{asked} must be the address of such an interface, or of a host behind the ASA."
        )
    if {view.gateway.address.version, *(pair.local.version for pair in view.pairs)} != {4}:
        sentences.append(
            "Cisco supports IPv6 between sites only when both ends are ASAs: try it before you rely on it."
        )
    return sentences


def _decide(order: Order) -> Document:
    answers, view = order.answers, customer_viewpoint(order.spec)
    leading = routes(order, view)
    return Document(
        heading=commented(header(order, view), "!"),
        name=order.spec.id,
        kind=kind(order),
        ranges=tuple(ranges(view)),
        matches=tuple(matches(order, view)),
        # In front of all other rules, else a dynamic one might come first.
        exemptions=tuple(exemptions(order, view, line="1 ")),
        routes=(Block(title="Routes to the ranges of the VPN gateway", lines=leading),)
        if leading
        else (),
        proposals=tuple(proposals(order)),
        peer=view.gateway.address,
        secrets=secrets(order, view),
        outside=answers["outside"],
        crypto_map=answers["crypto_map"],
        sequence=int(answers["sequence"]),
        settings=tuple(map_settings(order, view)),
        mss=SAFE_MSS,
    )


PLATFORM: Final = Platform(
    id="cisco-asa",
    vendor="Cisco",
    name="ASA 9",
    abilities=VERSIONS,
    parts=(Part(filename="{tunnel_id}-cisco-asa.txt", write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS: Final = (PLATFORM,)
