"""Cisco IOS and IOS XE: a crypto map on the outside interface, with IKEv1 or IKEv2.

Commands: Cisco IOS Security Command Reference, "Commands A to C" (crypto isakmp policy, crypto keyring, crypto isakmp
profile, crypto ikev2 proposal / policy / keyring / profile, crypto ipsec transform-set, crypto map) and "Commands S to
Z" (self-identity, set pfs, set security-association lifetime); FlexVPN and Internet Key Exchange Version 2
Configuration Guide, "IKEv2 Policy" (of overlapping policies, the first is taken); "IP Access List Entry Sequence
Numbering" (ip access-list resequence); Cisco IOS IP SLAs Command Reference (icmp-echo, ip sla schedule). Keywords,
their order and their ranges were compared with Cisco's YANG models of IOS XE 16.9 to 17.18.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tunnels.devices.abilities import cannot
from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.cisco import Block
from tunnels.devices.cisco_ios.asked import QUESTIONS
from tunnels.devices.cisco_ios.header import header
from tunnels.devices.cisco_ios.ike import ikev1, ikev2
from tunnels.devices.cisco_ios.surroundings import PING_SECONDS, match, pings, surroundings
from tunnels.devices.cisco_ios.words import VERSIONS
from tunnels.devices.heading import commented
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.addresses import Address
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.spec import TunnelSpec

TEMPLATE: Final = "cisco_ios/template.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints; `name` is that of all our objects."""

    heading: tuple[str, ...]
    name: str
    ike: tuple[Block, ...]
    transform: str
    matches: tuple[str, ...]
    surroundings: tuple[Block, ...]
    crypto_map: str
    sequence: int
    peer: Address
    pfs: tuple[str, ...]
    seconds: int
    kilobytes: int
    profile: str
    inside: str
    outside: str
    mss: int
    pings: tuple[Block, ...]


def write(order: Order) -> str:
    """The text of the file."""
    return fill(TEMPLATE, _decide(order))


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """An address as the identity that is not the device's own; IKEv1 sends that of the interface."""
    device = customer_viewpoint(spec).device
    own = device.identity.text == str(device.address)
    if spec.ike.version is IkeVersion.V2 or own or not device.identity.is_address:
        return []
    message = "With IKEv1, Cisco IOS sends its own address as the identifier; choose IKEv2, or leave it empty."
    return [cannot(message, "ike.remote_fqdn")]


def losses(spec: TunnelSpec) -> list[str]:
    """What a crypto map does differently from what was agreed."""
    if not customer_viewpoint(spec).starts:
        return []
    sentence = (
        "The VPN gateway only waits, and a crypto map negotiates only when there is traffic for it: IP SLA operations "
        f"ping through every pair each {PING_SECONDS} s. An operation keeps its pair up only when its source interface "
        "has an address in the pair's range."
    )
    return [sentence]


def _decide(order: Order) -> Document:
    spec, answers, view = order.spec, order.answers, customer_viewpoint(order.spec)
    ipsec, version = spec.ipsec, spec.ike.version
    esp = order.abilities.esp[version]
    transform = esp.encryption[ipsec.encryption]
    if not crypto.is_aead(ipsec.encryption):
        transform = f"{transform} {esp.integrity[ipsec.integrity]}"
    ike, kind = (ikev1, "isakmp") if version is IkeVersion.V1 else (ikev2, "ikev2")
    return Document(
        heading=commented(header(order, view), "!"),
        name=spec.id,
        ike=tuple(ike(order, view)),
        transform=transform,
        matches=tuple(match(pair) for pair in view.pairs),
        surroundings=tuple(surroundings(order, view)),
        crypto_map=answers["crypto_map"],
        sequence=int(answers["sequence"]),
        peer=view.gateway.address,
        pfs=(f"set pfs group{esp.dh[ipsec.pfs]}",) if ipsec.pfs else (),
        seconds=ipsec.lifetime_seconds,
        kilobytes=ipsec.lifetime_kb,
        profile=f"set {kind}-profile {spec.id}",
        inside=answers["inside"],
        outside=answers["outside"],
        mss=SAFE_MSS,
        pings=tuple(pings(order, view)),
    )


PLATFORM: Final = Platform(
    id="cisco-ios",
    vendor="Cisco",
    name="IOS and IOS XE",
    abilities=VERSIONS,
    parts=(Part(filename="{tunnel_id}-cisco-ios.txt", write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS: Final = (PLATFORM,)
