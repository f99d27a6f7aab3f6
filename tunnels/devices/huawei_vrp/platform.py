"""Huawei firewalls and routers with VRP: an IPsec policy on the interface towards the Internet.

Sources, for USG: USG6000E V600 Product Documentation, command reference: ipsec policy (system view), ike proposal,
prf, pre-shared-key (IKE peer view), exchange-mode, dpd, dpd msg, sa trigger-mode, esp authentication-algorithm, rule
move (NAT policy view), firewall tcp-mss; its *Configuring an IPSec Proposal* and *Configuring an IPSec Policy in ISAKMP
Mode*. For AR: V200R010 Command Reference, *IPSec Configuration Commands*; *CLI-based Configuration Guide - VPN*, the
examples of IPSec (aggressive mode behind NAT: ike local-name, local-id-type, remote-id). For NQA and `ipsec
authentication sha2 compatible enable`: the cloud's own guide for an AR651. Each rule of an ACL becomes a pair of SAs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tunnels.devices.abilities import cannot
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.heading import commented
from tunnels.devices.huawei_vrp.asked import QUESTIONS
from tunnels.devices.huawei_vrp.header import header
from tunnels.devices.huawei_vrp.ike import peer, proposal
from tunnels.devices.huawei_vrp.notation import ROUTER, wild
from tunnels.devices.huawei_vrp.surroundings import surroundings, tests
from tunnels.devices.huawei_vrp.words import VERSIONS
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Side, Viewpoint, customer_viewpoint
from tunnels.devices.vrp import check_acls, enter, matched
from tunnels.domain import crypto
from tunnels.domain.findings import Finding
from tunnels.domain.spec import TunnelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints; a section is a view with its commands, or commands of the system view."""

    heading: tuple[str, ...]
    sections: tuple[tuple[str, ...], ...]


def write(order: Order) -> str:
    """The commands, from the system view on. Raises RuleError when one ACL is asked to be two things."""
    if order.version == ROUTER:
        check_acls(order)
    view = customer_viewpoint(order.spec)
    compatible = _compatible(order)
    sections = [
        *((command,) for command in compatible),
        matched(order, view, wild),
        _ipsec_proposal(order),
        proposal(order),
        *peer(order, view),
        _policy(order, view),
        *surroundings(order, view),
        # From here on, the tunnel works.
        enter(f"interface {order.answers['outside']}", f"ipsec policy {order.answers['policy']}"),
        *tests(order, view),
    ]
    document = Document(
        heading=commented(header(order, view, compatible), "#"), sections=tuple(sections)
    )
    return fill("huawei_vrp/template.j2", document)


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """An address as an identity that is not the one of that side."""
    view = customer_viewpoint(spec)
    return [
        *_foreign(view.device, "the device", "ike.remote_fqdn"),
        *_foreign(view.gateway, "the VPN gateway", "ike.local_fqdn"),
    ]


def losses(spec: TunnelSpec) -> list[str]:
    """What a router does only in part; a firewall begins by itself."""
    if not customer_viewpoint(spec).starts:
        return []
    sentence = (
        "The VPN gateway only waits. A USG begins by itself, but an AR router begins with the first packet for a pair: "
        "it pings through the pairs in which it has an address, and the others need traffic from behind it."
    )
    return [sentence]


def _foreign(side: Side, whose: str, field: str) -> Iterator[Finding]:
    if side.identity.is_address and side.identity.text != str(side.address):
        yield cannot(
            f"Huawei VRP identifies {whose} by its own address or by a domain name; leave the identifier "
            "empty, or enter a domain name.",
            field,
        )


def _compatible(order: Order) -> tuple[str, ...]:
    """Without it, VRP truncates SHA2 in ESP otherwise than RFC 4868 says, and each side drops what the other sends."""
    ipsec = order.spec.ipsec
    if crypto.is_aead(ipsec.encryption) or not ipsec.integrity.startswith("sha2"):
        return ()
    what = "authentication sha2" if order.version == ROUTER else "sha2"
    return (f"ipsec {what} compatible enable",)


def _ipsec_proposal(order: Order) -> tuple[str, ...]:
    ipsec, words = order.spec.ipsec, order.abilities.esp[order.spec.ike.version]
    # SHA2-256 is there by default; a combined algorithm has no other beside it.
    integrity = "undo esp authentication-algorithm"
    if not crypto.is_aead(ipsec.encryption):
        integrity = f"esp authentication-algorithm {words.integrity[ipsec.integrity]}"
    return enter(
        f"ipsec proposal {order.spec.id}",
        "encapsulation-mode tunnel",
        "transform esp",
        integrity,
        f"esp encryption-algorithm {words.encryption[ipsec.encryption]}",
    )


def _policy(order: Order, view: Viewpoint) -> tuple[str, ...]:
    spec, answers = order.spec, order.answers
    words = order.abilities.esp[spec.ike.version]
    lines = [f"security acl {int(answers['acl'])}"]
    if spec.ipsec.pfs:
        lines.append(f"pfs {words.dh[spec.ipsec.pfs]}")
    lines += [f"ike-peer {spec.id}", f"proposal {spec.id}"]
    if order.version != ROUTER:
        lines.append(f"tunnel local {view.device.address}")
        if view.starts:
            lines.append("sa trigger-mode auto")
    lines += [
        f"sa duration traffic-based {spec.ipsec.lifetime_kb}",
        f"sa duration time-based {spec.ipsec.lifetime_seconds}",
    ]
    return enter(f"ipsec policy {answers['policy']} {int(answers['sequence'])} isakmp", *lines)


PLATFORM: Final = Platform(
    id="huawei-vrp",
    vendor="Huawei",
    name="USG and AR (VRP)",
    abilities=VERSIONS,
    parts=(Part(filename="{tunnel_id}-huawei.txt", write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS: Final = (PLATFORM,)
