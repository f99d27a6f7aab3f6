"""H3C routers and firewalls with Comware 7: an IPsec policy on the interface towards the Internet.

Sources: H3C Security Command Reference and Security Configuration Guide (Comware 7), chapters *Configuring IPsec*,
*Configuring IKE*, *Configuring IKEv2* and, for firewalls, *Security policy*. Each rule of an ACL is a tunnel of
its own in standard mode, which is the default of `security acl`; `aggregation` would merge them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.h3c_comware.header import header
from tunnels.devices.h3c_comware.notation import FIREWALL, ROUTER, kind, remote, subnet, wild
from tunnels.devices.h3c_comware.words import ABILITIES
from tunnels.devices.heading import commented
from tunnels.devices.questions import Question, number
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Viewpoint, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion, Mode
from tunnels.domain.spec import TunnelSpec

_INTERFACE = re.compile(
    r"[A-Za-z][A-Za-z-]{1,30}[0-9]{1,4}(/[0-9]{1,4}){0,3}(\.[0-9]{1,4})?", re.ASCII
)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}", re.ASCII)
# Steps of five leave room for rules in between.
_STEP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One view of the command line and what is set in it."""

    enter: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints."""

    heading: tuple[str, ...]
    blocks: tuple[Block, ...]


def write(order: Order) -> str:
    """The commands, from the system view on."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    blocks = [
        _acl(order, view),
        *(_ikev2(order, view) if spec.ike.version is IkeVersion.V2 else _ikev1(order, view)),
        _transform_set(spec),
        *(_security_policy(order, view) if order.version == FIREWALL else ()),
        *_health(order, view),
        _policy(order, view),
        Block(enter=f"interface {order.answers['inside']}", lines=(f"tcp mss {SAFE_MSS}",)),
        Block(
            enter=f"interface {order.answers['outside']}",
            lines=(f"ipsec apply policy {order.answers['policy']}",),
        ),
    ]
    document = Document(heading=commented(header(order, view), "#"), blocks=tuple(blocks))
    return fill("h3c_comware/template.j2", document)


def losses(spec: TunnelSpec) -> list[str]:
    """What Comware does differently."""
    if not customer_viewpoint(spec).starts:
        return []
    waits = (
        "The VPN gateway only waits, and this device begins with the first packet for one of its ranges: let something "
        "behind it send now and then, an NQA probe for example."
    )
    return [waits]


def _acl(order: Order, view: Viewpoint) -> Block:
    rules = (
        f"rule {pair.number * _STEP} permit ip source {wild(pair.local)} destination {wild(pair.remote)}"
        for pair in view.pairs
    )
    return Block(enter=f"acl advanced {order.answers['acl']}", lines=tuple(rules))


def _ikev2(order: Order, view: Viewpoint) -> Iterator[Block]:
    spec, ike = order.spec, order.spec.ike
    words, name = order.abilities.ike[IkeVersion.V2], spec.id
    yield Block(
        enter=f"ikev2 keychain {name}",
        lines=(
            f"peer {name}",
            f" address {view.gateway.address} 32",
            f" identity {kind(view.gateway.identity)} {view.gateway.identity.text}",
            f" pre-shared-key plaintext {spec.psk.reveal()}",
            " quit",
        ),
    )
    yield Block(
        enter=f"ikev2 proposal {name}",
        lines=(
            f"encryption {words.encryption[ike.encryption]}",
            f"integrity {words.integrity[ike.integrity]}",
            f"prf {words.integrity[ike.integrity]}",
            f"dh {words.dh[ike.dh_group]}",
        ),
    )
    yield Block(
        enter=f"ikev2 policy {name}",
        lines=(f"match local address {view.device.address}", f"proposal {name}"),
    )
    lines = [
        "authentication-method local pre-share",
        "authentication-method remote pre-share",
        f"keychain {name}",
        f"identity local {kind(view.device.identity)} {view.device.identity.text}",
        f"match remote identity {remote(view.gateway.identity, '32')}",
        f"sa duration {ike.lifetime_seconds}",
        *_dpd(spec),
    ]
    yield Block(enter=f"ikev2 profile {name}", lines=tuple(lines))


def _ikev1(order: Order, view: Viewpoint) -> Iterator[Block]:
    spec, ike = order.spec, order.spec.ike
    words, name = order.abilities.ike[IkeVersion.V1], spec.id
    key = spec.psk.reveal()
    keys = [f"pre-shared-key address {view.gateway.address} 255.255.255.255 key simple {key}"]
    if not view.gateway.identity.is_address:
        # When the VPN gateway begins in aggressive mode, its key is looked for under its name.
        keys.append(f"pre-shared-key hostname {view.gateway.identity.text} key simple {key}")
    yield Block(enter=f"ike keychain {name}", lines=tuple(keys))
    yield Block(
        enter=f"ike proposal {order.answers['proposal']}",
        lines=(
            f"encryption-algorithm {words.encryption[ike.encryption]}",
            "authentication-method pre-share",
            f"authentication-algorithm {words.integrity[ike.integrity]}",
            f"dh {words.dh[ike.dh_group]}",
            f"sa duration {ike.lifetime_seconds}",
        ),
    )
    mode = "aggressive" if ike.mode is Mode.AGGRESSIVE else "main"
    lines = [
        f"keychain {name}",
        f"exchange-mode {mode}",
        f"local-identity {kind(view.device.identity)} {view.device.identity.text}",
        f"match remote identity {remote(view.gateway.identity, '255.255.255.255')}",
        f"proposal {order.answers['proposal']}",
        *_dpd(spec),
    ]
    yield Block(enter=f"ike profile {name}", lines=tuple(lines))


def _dpd(spec: TunnelSpec) -> Iterator[str]:
    if spec.ike.dpd_enabled:
        third = spec.ike.dpd_timeout // 3
        yield f"dpd interval {third} retry {third} periodic"


def _transform_set(spec: TunnelSpec) -> Block:
    ipsec, words = spec.ipsec, ABILITIES.esp[spec.ike.version]
    lines = [
        "encapsulation-mode tunnel",
        "protocol esp",
        f"esp encryption-algorithm {words.encryption[ipsec.encryption]}",
    ]
    if not crypto.is_aead(ipsec.encryption):
        lines.append(f"esp authentication-algorithm {words.integrity[ipsec.integrity]}")
    if ipsec.pfs:
        lines.append(f"pfs {words.dh[ipsec.pfs]}")
    return Block(enter=f"ipsec transform-set {spec.id}", lines=tuple(lines))


def _policy(order: Order, view: Viewpoint) -> Block:
    spec, answers = order.spec, order.answers
    profile = "ikev2-profile" if spec.ike.version is IkeVersion.V2 else "ike-profile"
    return Block(
        enter=f"ipsec policy {answers['policy']} {answers['sequence']} isakmp",
        lines=(
            f"transform-set {spec.id}",
            f"security acl {answers['acl']}",
            f"local-address {view.device.address}",
            f"remote-address {view.gateway.address}",
            f"{profile} {spec.id}",
            f"sa duration time-based {spec.ipsec.lifetime_seconds}",
            f"sa duration traffic-based {spec.ipsec.lifetime_kb}",
        ),
    )


def _security_policy(order: Order, view: Viewpoint) -> Iterator[Block]:
    """IKE and ESP between the two ends, and the pairs in both directions."""
    spec, inner, outer = order.spec, order.answers["inside_zone"], order.answers["outside_zone"]
    device, gateway = str(view.device.address), str(view.gateway.address)
    lines = [
        *_rule(f"{spec.id}-in", (outer, "Local"), f"host {gateway}", f"host {device}"),
        *_rule(f"{spec.id}-out", ("Local", outer), f"host {device}", f"host {gateway}"),
    ]
    for pair in view.pairs:
        there, here = f"subnet {subnet(pair.remote)}", f"subnet {subnet(pair.local)}"
        lines += _rule(f"{pair.name}-in", (outer, inner), there, here)
        lines += _rule(f"{pair.name}-out", (inner, outer), here, there)
    yield Block(enter="security-policy ip", lines=tuple(lines))


def _rule(name: str, zones: tuple[str, str], source: str, destination: str) -> Iterator[str]:
    yield f"rule name {name}"
    yield f" source-zone {zones[0]}"
    yield f" destination-zone {zones[1]}"
    yield f" source-ip-{source}"
    yield f" destination-ip-{destination}"
    yield " action pass"
    yield " quit"


def _health(order: Order, view: Viewpoint) -> Iterator[Block]:
    if view.probe:
        asked, _ = view.probe
        enter = f"interface LoopBack{order.answers['loopback']}"
        yield Block(enter=enter, lines=(f"ip address {asked} 255.255.255.255",))


def _is_ikev1(spec: TunnelSpec) -> bool:
    return spec.ike.version is IkeVersion.V1


def _is_probed(spec: TunnelSpec) -> bool:
    return spec.health is not None


QUESTIONS = (
    Question(
        id="outside", label="Outside interface", usual="GigabitEthernet0/0", grammar=_INTERFACE,
        help="The one towards the Internet; the IPsec policy is applied to it.", example="GigabitEthernet1/0/1",
    ),
    Question(
        id="inside", label="Inside interface", usual="GigabitEthernet0/1", grammar=_INTERFACE,
        help="The one with your ranges; TCP segments are limited there.", example="GigabitEthernet1/0/2",
    ),
    Question(
        id="policy", label="IPsec policy", usual="vpn-console", grammar=re.compile(r"[A-Za-z0-9_-]{1,46}", re.ASCII),
        help="A new name, or that of the policy which the outside interface has already.",
    ),
    number("sequence", "Sequence number", 10, (1, 65_535), explained="A free one in the policy."),
    number("acl", "ACL number", 3_100, (3_000, 3_999), explained="A free number of an advanced ACL."),
    Question(
        id="proposal", label="IKE proposal", usual="10", grammar=re.compile(r"[0-9]+", re.ASCII), numbers=(1, 65_535),
        help="A free number; a lower one is offered first.", asked=_is_ikev1,
    ),
    Question(
        id="loopback", label="Loopback number", usual="100", grammar=re.compile(r"[0-9]+", re.ASCII), numbers=(0, 127),
        help="A free one; it owns the address that answers the health check.", asked=_is_probed,
    ),
    Question(
        id="outside_zone", label="Outside zone", usual="Untrust", grammar=_ZONE,
        help="Firewalls only: the security zone of the outside interface.",
    ),
    Question(
        id="inside_zone", label="Inside zone", usual="Trust", grammar=_ZONE,
        help="Firewalls only: the security zone of the inside interface.",
    ),
)  # fmt: skip

PLATFORM = Platform(
    id="h3c-comware",
    vendor="H3C",
    name="Comware 7",
    abilities={ROUTER: ABILITIES, FIREWALL: ABILITIES},
    parts=(Part(filename="{tunnel_id}-h3c.txt", write=write),),
    questions=QUESTIONS,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
