"""Juniper SRX and vSRX: Junos `set` commands for a route-based VPN with one traffic selector for each pair.

Sources: Juniper's YANG models (`tests/vendors/junos_yang.py` checks each line); Junos IPsec VPN User Guide, Traffic
Selectors in Route-Based VPNs (no traffic selector to 0.0.0.0/0, no VPN monitoring, routes by themselves); CLI
Reference, policy (Security IKE), dead-peer-detection, establish-tunnels, host-inbound-traffic, tcp-mss; CLI User Guide,
load.

No manual tells how Junos unescapes a quoted string. A key with anything but plain characters is therefore written as
hexadecimal digits of its bytes, which the same statement takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tunnels.devices.abilities import cannot
from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.heading import commented, heading
from tunnels.devices.juniper_srx.words import NEEDS_IKED, PRF_BESIDE, PRF_WORDS, RELEASES
from tunnels.devices.questions import Question, number
from tunnels.devices.rendering import fill
from tunnels.devices.routes import gateway_inside
from tunnels.devices.viewpoint import Identity, Pair, Viewpoint, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.spec import TunnelSpec

LABEL: Final = "Juniper SRX"
TEMPLATE = "juniper_srx/template.set.j2"
FILENAME = "{tunnel_id}-junos.set"
# None of these means anything between quotes, and $9$ before an encrypted key is not among them. The digits of a key in
# hex must fit into 255 (YANG: length).
PLAIN_KEY = re.compile(r"[A-Za-z0-9._~+=@^:,/()!&%-]+", re.ASCII)
LONGEST_HEX_KEY = 127
# Three questions without an answer, and the peer is given up.
DPD_THRESHOLD = 3

_ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
_INTERFACE = re.compile(
    r"([a-z]{2,3}-[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,3}(:[0-9]{1,2})?|[a-z]{2,5}[0-9]{1,4}|irb|vlan)\.[0-9]{1,5}",
    re.ASCII,
)
QUESTIONS = (
    Question(
        id="outside_interface",
        label="Outside interface",
        usual="ge-0/0/0.0",
        grammar=_INTERFACE,
        help="The logical interface towards the internet.",
    ),
    Question(
        id="outside_zone",
        label="Outside zone",
        usual="untrust",
        grammar=_ZONE,
        help="The security zone that the outside interface is in.",
    ),
    Question(
        id="inside_zone",
        label="Inside zone",
        usual="trust",
        grammar=_ZONE,
        help="The security zone that your own ranges are in.",
    ),
    Question(
        id="vpn_zone",
        label="VPN zone",
        usual="vpn",
        grammar=_ZONE,
        help="The security zone for the tunnel; it is made when it is not there.",
    ),
    number(
        "tunnel_unit",
        "Tunnel unit",
        10,
        (0, 16_385),
        explained="A unit of st0 that no other tunnel uses: show interfaces terse st0.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the template prints; settings are the ends of lines, and `key` is already quoted."""

    heading: tuple[str, ...]
    name: str
    device: str
    gateway: str
    outside_interface: str
    inside_zone: str
    vpn_zone: str
    unit: str
    key: str
    mss: int
    establish: str
    ike_proposal: tuple[str, ...]
    ike_policy: tuple[str, ...]
    ike_gateway: tuple[str, ...]
    ipsec_proposal: tuple[str, ...]
    ipsec_policy: tuple[str, ...]
    tunnel_interface: tuple[str, ...]
    zones: tuple[str, ...]
    pairs: tuple[Pair, ...]


def write_key(key: str) -> str:
    """The key as `ascii-text` between quotes, or as `hexadecimal` when a character of it might mean something."""
    if PLAIN_KEY.fullmatch(key):
        return f'ascii-text "{key}"'
    return f"hexadecimal {key.encode().hex()}"


def write(order: Order) -> str:
    """The text of the file."""
    return fill(TEMPLATE, _decide(order))


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """What no table says: the PRF that comes with AES-GCM, a route to everywhere, a key too long for hex."""
    return [*_unsupported_prf(spec), *_unsupported_ranges(spec), *_unsupported_key(spec)]


def losses(spec: TunnelSpec) -> list[str]:
    """What Junos decides by itself."""
    if not crypto.is_aead(spec.ike.encryption):
        return []
    sentence = (
        f"Beside {crypto.ENCRYPTION[spec.ike.encryption].label} Junos chooses the PRF by itself: it should be "
        f"{PRF_WORDS[spec.ike.prf]}. When IKE does not come up, look for it in the output of "
        "show security ike security-associations detail."
    )
    return [sentence]


def _unsupported_prf(spec: TunnelSpec) -> Iterator[Finding]:
    wanted = PRF_BESIDE.get(spec.ike.encryption)
    if spec.ike.version is IkeVersion.V2 and wanted and spec.ike.prf != wanted:
        cipher = crypto.ENCRYPTION[spec.ike.encryption].label
        message = (
            f"{LABEL} always uses {crypto.PRF[wanted].label} beside {cipher}; choose it, or AES-256 with "
            "SHA2-256."
        )
        yield cannot(message, "ike.prf")


def _unsupported_ranges(spec: TunnelSpec) -> Iterator[Finding]:
    for pair in customer_viewpoint(spec).pairs:
        if pair.remote.prefixlen == 0:
            message = f"{LABEL} has no traffic selector to {pair.remote}; name the ranges behind the VPN gateway."
            yield cannot(message, "spd.rules")


def _unsupported_key(spec: TunnelSpec) -> Iterator[Finding]:
    key = spec.psk.reveal()
    if len(key) > LONGEST_HEX_KEY and not PLAIN_KEY.fullmatch(key):
        message = (
            f"The pre-shared key has {len(key)} characters, some of which {LABEL} takes only as hexadecimal digits, "
            f"and then at most {LONGEST_HEX_KEY}. Give the tunnel a shorter key, or one of letters and digits."
        )
        yield cannot(message, "basic.psk")


def _decide(order: Order) -> Document:
    spec, answers, view = order.spec, order.answers, customer_viewpoint(order.spec)
    return Document(
        heading=commented(_heading(order, view), "#"),
        name=spec.id,
        device=str(view.device.address),
        gateway=str(view.gateway.address),
        outside_interface=answers["outside_interface"],
        inside_zone=answers["inside_zone"],
        vpn_zone=answers["vpn_zone"],
        unit=answers["tunnel_unit"],
        key=write_key(spec.psk.reveal()),
        mss=SAFE_MSS,
        # Both ends beginning at once would make double SAs.
        establish="immediately" if view.starts else "on-traffic",
        ike_proposal=tuple(_ike_proposal(order)),
        ike_policy=(f"mode {spec.ike.mode}",) if spec.ike.version is IkeVersion.V1 else (),
        ike_gateway=tuple(_ike_gateway(order, view)),
        ipsec_proposal=tuple(_ipsec_proposal(order)),
        ipsec_policy=tuple(_ipsec_policy(order)),
        tunnel_interface=tuple(_tunnel_interface(view)),
        zones=tuple(_zones(order, view)),
        pairs=view.pairs,
    )


def _ike_proposal(order: Order) -> Iterator[str]:
    ike = order.spec.ike
    words = order.abilities.ike[ike.version]
    yield f"dh-group {words.dh[ike.dh_group]}"
    if not crypto.is_aead(ike.encryption):
        yield f"authentication-algorithm {words.integrity[ike.integrity]}"
    yield f"encryption-algorithm {words.encryption[ike.encryption]}"
    yield f"lifetime-seconds {ike.lifetime_seconds}"


def _ike_gateway(order: Order, view: Viewpoint) -> Iterator[str]:
    ike = order.spec.ike
    yield f"version {'v1-only' if ike.version is IkeVersion.V1 else 'v2-only'}"
    yield f"local-identity {_identity(view.device.identity)}"
    yield f"remote-identity {_identity(view.gateway.identity)}"
    if ike.dpd_enabled:
        yield "dead-peer-detection always-send"
        yield f"dead-peer-detection interval {ike.dpd_timeout // DPD_THRESHOLD}"
        yield f"dead-peer-detection threshold {DPD_THRESHOLD}"


def _identity(identity: Identity) -> str:
    if not identity.is_address:
        return f"hostname {identity.text}"
    return f"{'inet6' if ':' in identity.text else 'inet'} {identity.text}"


def _ipsec_proposal(order: Order) -> Iterator[str]:
    ipsec = order.spec.ipsec
    words = order.abilities.esp[order.spec.ike.version]
    if not crypto.is_aead(ipsec.encryption):
        yield f"authentication-algorithm {words.integrity[ipsec.integrity]}"
    yield f"encryption-algorithm {words.encryption[ipsec.encryption]}"
    yield f"lifetime-seconds {ipsec.lifetime_seconds}"
    if order.abilities.lifetime_kb:
        yield f"lifetime-kilobytes {ipsec.lifetime_kb}"


def _ipsec_policy(order: Order) -> Iterator[str]:
    if order.spec.ipsec.pfs:
        group = order.abilities.esp[order.spec.ike.version].dh[order.spec.ipsec.pfs]
        yield f"perfect-forward-secrecy keys {group}"


def _tunnel_interface(view: Viewpoint) -> Iterator[str]:
    families = {4: "inet", 6: "inet6"}
    for version in sorted({pair.local.version for pair in view.pairs}):
        yield f"family {families[version]}"
    if view.probe:
        asked, _ = view.probe
        yield f"family {families[asked.version]} address {asked}/{asked.max_prefixlen}"


def _zones(order: Order, view: Viewpoint) -> Iterator[str]:
    answers = order.answers
    interface = f"{answers['vpn_zone']} interfaces st0.{answers['tunnel_unit']}"
    # Settings of an interface replace those of its zone: on one that we do not own they could lock somebody out.
    yield f"{answers['outside_zone']} host-inbound-traffic system-services ike"
    yield interface
    if view.probe:
        yield f"{interface} host-inbound-traffic system-services ping"


def _heading(order: Order, view: Viewpoint) -> tuple[str, ...]:
    name = order.spec.id
    steps = (
        f"load set /var/tmp/{FILENAME.format(tunnel_id=name)}",
        "show | compare",
        "commit confirmed 5",
    )
    return heading(
        order,
        before=_before(order, view),
        load=(
            "\n".join(
                ("Copy it to /var/tmp of the device (scp), then in the configuration mode:", *steps)
            ),
            "When all is well, within five minutes:\ncommit",
            "Or load set terminal, paste it, Ctrl-D. Not at the prompt itself: there blanks and tabs act at once.",
        ),
        verify=(
            f"show security ike security-associations {view.gateway.address}",
            f"show security ipsec security-associations vpn-name {name}",
        ),
        around=_around(order, view),
        remove=_remove(order, view),
    )


def _before(order: Order, view: Viewpoint) -> Iterator[str]:
    spec, answers = order.spec, order.answers
    yield (
        f"Behind NAT: leave out the line with local-address, because {view.device.address} is not on "
        f"{answers['outside_interface']}."
    )
    yield (
        f"When {answers['outside_interface']} has host-inbound-traffic of its own, allow ike there too: it replaces "
        f"that of zone {answers['outside_zone']}."
    )
    yield (
        "When zones have address books of their own (security zones security-zone ... address-book), put the addresses "
        "there: Junos does not take both kinds."
    )
    yield (
        f"When there is a source NAT rule set from {answers['inside_zone']} to {answers['vpn_zone']} already, put the "
        "rules below on top of it instead."
    )
    if view.probe:
        yield (
            f"Health check: when this device has {view.probe[0]} already, leave out the line that gives it to "
            f"st0.{answers['tunnel_unit']}."
        )
    yield from gateway_inside(view)
    if NEEDS_IKED & _choices(spec):
        yield "The algorithms need the package junos-ike: show version must list it."
    if view.device.address.version == 6 or any(pair.local.version == 6 for pair in view.pairs):
        yield (
            "IPv6 must be forwarded by flow; show security flow status tells. To switch it on (older releases restart "
            "for it):\nset security forwarding-options family inet6 mode flow-based"
        )
    if not PLAIN_KEY.fullmatch(spec.psk.reveal()):
        yield "The key is written as hexadecimal digits, because some of its characters mean something to Junos."


def _choices(spec: TunnelSpec) -> set[str]:
    chosen = {spec.ike.dh_group, spec.ipsec.pfs, spec.ipsec.encryption}
    if not crypto.is_aead(spec.ike.encryption):
        chosen.add(spec.ike.integrity)
    if not crypto.is_aead(spec.ipsec.encryption):
        chosen |= {spec.ipsec.integrity, f"{spec.ipsec.integrity}-esp"}
    return chosen


def _around(order: Order, view: Viewpoint) -> Iterator[str]:
    answers = order.answers
    yield (
        f"A device or filter in front of this one must let UDP 500, UDP 4500 and ESP pass between "
        f"{view.device.address} and {view.gateway.address}."
    )
    yield (
        "Policies are looked at from the top: when the two zones have one that denies, put ours before it with "
        "insert security policies ... before policy ..."
    )
    yield (
        f"TCP MSS {SAFE_MSS} holds for all VPNs of this device; the route to each range of the VPN gateway is made by "
        "its traffic selector."
    )
    yield (
        f"Other routers of your site need a route to each range of the VPN gateway, with this device as the next hop. "
        f"Your own ranges are expected in zone {answers['inside_zone']}."
    )


def _remove(order: Order, view: Viewpoint) -> Iterator[str]:
    yield "\n".join(("In the configuration mode:", *_ours(order, view)))
    inbound = f"{order.answers['outside_zone']} host-inbound-traffic system-services ike"
    yield (
        "What other VPNs may need, too:\n"
        f"delete security zones security-zone {inbound}\ndelete security flow tcp-mss ipsec-vpn"
    )
    yield "And then:\ncommit"


def _ours(order: Order, view: Viewpoint) -> Iterator[str]:
    name, answers = order.spec.id, order.answers
    inside, vpn = answers["inside_zone"], answers["vpn_zone"]
    for kind in ("vpn", "policy", "proposal"):
        yield f"delete security ipsec {kind} {name}"
    for kind in ("gateway", "policy", "proposal"):
        yield f"delete security ike {kind} {name}"
    yield f"delete security zones security-zone {vpn} interfaces st0.{answers['tunnel_unit']}"
    yield f"delete interfaces st0 unit {answers['tunnel_unit']}"
    yield f"delete security nat source rule-set {name}"
    for pair in view.pairs:
        yield f"delete security policies from-zone {inside} to-zone {vpn} policy {pair.name}-out"
        yield f"delete security policies from-zone {vpn} to-zone {inside} policy {pair.name}-in"
        yield f"delete security address-book global address {pair.name}-local"
        yield f"delete security address-book global address {pair.name}-remote"


PLATFORM = Platform(
    id="juniper-srx",
    vendor="Juniper",
    name="SRX",
    abilities=RELEASES,
    parts=(Part(filename=FILENAME, write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
