"""H3C routers and firewalls with Comware 7: an IPsec policy on the interface towards the Internet.

Sources: H3C Security Command Reference and Security Configuration Guide (Comware 7), chapters *Configuring IPsec*
(local-address and the identity), *Configuring IKE*, *Configuring IKEv2* (which policy is taken) and, for firewalls,
*Security policy*; ACL and QoS Command Reference, *ACL commands* (acl number); Network Management and Monitoring
Configuration Guide, *Configuring NQA*. Each rule of an ACL is a tunnel of its own in standard mode, which is the
default of `security acl`; `aggregation` would merge them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.abilities import cannot
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.h3c_comware.asked import QUESTIONS
from tunnels.devices.h3c_comware.header import header
from tunnels.devices.h3c_comware.notation import FIREWALL, ROUTER, kind, remote, wild
from tunnels.devices.h3c_comware.surroundings import operations, surroundings
from tunnels.devices.h3c_comware.words import ABILITIES
from tunnels.devices.heading import commented
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Viewpoint, customer_viewpoint
from tunnels.devices.vrp import check_acls, enter, matched
from tunnels.domain import crypto
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeVersion, Mode
from tunnels.domain.spec import TunnelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints; a section is a view with its commands, or commands of the system view."""

    heading: tuple[str, ...]
    sections: tuple[tuple[str, ...], ...]


def write(order: Order) -> str:
    """The commands, from the system view on. Raises RuleError when one ACL is asked to be two things."""
    spec, view, answers = order.spec, customer_viewpoint(order.spec), order.answers
    check_acls(order)
    sections = [
        matched(order, view, wild),
        *(_ikev2(order, view) if spec.ike.version is IkeVersion.V2 else _ikev1(order, view)),
        _transform_set(order),
        *surroundings(order, view),
        _policy(order, view),
        # From here on, the tunnel works.
        enter(f"interface {answers['outside']}", f"ipsec apply policy {answers['policy']}"),
        *operations(order, view),
    ]
    document = Document(heading=commented(header(order, view), "#"), sections=tuple(sections))
    return fill("h3c_comware/template.j2", document)


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """An address as the device's identity that is not its own: `local-address` must be the same."""
    device = customer_viewpoint(spec).device
    if not device.identity.is_address or device.identity.text == str(device.address):
        return []
    message = (
        "H3C Comware identifies the device by its own address or by a domain name; leave its identifier empty, or "
        "enter a domain name."
    )
    return [cannot(message, "ike.remote_fqdn")]


def losses(spec: TunnelSpec) -> list[str]:
    """What Comware does differently."""
    if not customer_viewpoint(spec).starts:
        return []
    waits = (
        "The VPN gateway only waits, and this device begins with the first packet for a pair: it pings through the "
        "pairs in which it has an address, and the others need traffic from behind it."
    )
    return [waits]


def _ikev2(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    spec, ike = order.spec, order.spec.ike
    words, name = order.abilities.ike[IkeVersion.V2], spec.id
    yield enter(
        f"ikev2 keychain {name}",
        *enter(
            f"peer {name}",
            f"address {view.gateway.address} 32",
            f"identity {kind(view.gateway.identity)} {view.gateway.identity.text}",
            f"pre-shared-key plaintext {spec.psk.reveal()}",
        ),
    )
    yield enter(
        f"ikev2 proposal {name}",
        f"encryption {words.encryption[ike.encryption]}",
        f"integrity {words.integrity[ike.integrity]}",
        f"prf {words.integrity[ike.integrity]}",
        f"dh {words.dh[ike.dh_group]}",
    )
    yield enter(
        f"ikev2 policy {name}", f"match local address {view.device.address}", f"proposal {name}"
    )
    yield enter(
        f"ikev2 profile {name}",
        "authentication-method local pre-share",
        "authentication-method remote pre-share",
        f"keychain {name}",
        f"identity local {kind(view.device.identity)} {view.device.identity.text}",
        f"match remote identity {remote(view.gateway.identity, '32')}",
        f"sa duration {ike.lifetime_seconds}",
        *_dpd(spec),
    )


def _ikev1(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    spec, ike = order.spec, order.spec.ike
    words, name = order.abilities.ike[IkeVersion.V1], spec.id
    key = spec.psk.reveal()
    keys = [f"pre-shared-key address {view.gateway.address} 255.255.255.255 key simple {key}"]
    if not view.gateway.identity.is_address:
        # When the VPN gateway begins in aggressive mode, its key is looked for under its name.
        keys.append(f"pre-shared-key hostname {view.gateway.identity.text} key simple {key}")
    yield enter(f"ike keychain {name}", *keys)
    yield enter(
        f"ike proposal {int(order.answers['proposal'])}",
        f"encryption-algorithm {words.encryption[ike.encryption]}",
        "authentication-method pre-share",
        f"authentication-algorithm {words.integrity[ike.integrity]}",
        f"dh {words.dh[ike.dh_group]}",
        f"sa duration {ike.lifetime_seconds}",
    )
    mode = "aggressive" if ike.mode is Mode.AGGRESSIVE else "main"
    yield enter(
        f"ike profile {name}",
        f"keychain {name}",
        f"exchange-mode {mode}",
        f"local-identity {kind(view.device.identity)} {view.device.identity.text}",
        f"match remote identity {remote(view.gateway.identity, '255.255.255.255')}",
        f"proposal {int(order.answers['proposal'])}",
        *_dpd(spec),
    )


def _dpd(spec: TunnelSpec) -> Iterator[str]:
    if spec.ike.dpd_enabled:
        third = spec.ike.dpd_timeout // 3
        yield f"dpd interval {third} retry {third} periodic"


def _transform_set(order: Order) -> tuple[str, ...]:
    ipsec, words = order.spec.ipsec, order.abilities.esp[order.spec.ike.version]
    lines = [
        "encapsulation-mode tunnel",
        "protocol esp",
        f"esp encryption-algorithm {words.encryption[ipsec.encryption]}",
    ]
    if not crypto.is_aead(ipsec.encryption):
        lines.append(f"esp authentication-algorithm {words.integrity[ipsec.integrity]}")
    if ipsec.pfs:
        lines.append(f"pfs {words.dh[ipsec.pfs]}")
    return enter(f"ipsec transform-set {order.spec.id}", *lines)


def _policy(order: Order, view: Viewpoint) -> tuple[str, ...]:
    spec, answers = order.spec, order.answers
    profile = "ikev2-profile" if spec.ike.version is IkeVersion.V2 else "ike-profile"
    return enter(
        f"ipsec policy {answers['policy']} {int(answers['sequence'])} isakmp",
        f"transform-set {spec.id}",
        f"security acl {int(answers['acl'])}",
        f"local-address {view.device.address}",
        f"remote-address {view.gateway.address}",
        f"{profile} {spec.id}",
        f"sa duration time-based {spec.ipsec.lifetime_seconds}",
        f"sa duration traffic-based {spec.ipsec.lifetime_kb}",
    )


PLATFORM = Platform(
    id="h3c-comware",
    vendor="H3C",
    name="Comware 7",
    abilities={ROUTER: ABILITIES, FIREWALL: ABILITIES},
    parts=(Part(filename="{tunnel_id}-h3c.txt", write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
