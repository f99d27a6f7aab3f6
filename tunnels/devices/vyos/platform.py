"""VyOS 1.4 and 1.5: `set` commands for its configuration mode. 1.3 and older have other commands and are not offered.

Commands: VyOS documentation (branches sagitta and current), "Site-to-Site", "IPv4 Firewall Configuration", "NAT44",
"Policy Route"; paths, values and ranges as in VyOS's interface definitions, against which the goldens are checked
(tests/vendors/vyos_xml.py). It makes strongSwan's swanctl.conf of them (vyos-1x, data/templates/ipsec): hence the
rules for the key, and what is lost.

Quoting: its shell is bash; between single quotes everything but a single quote stands for itself. At the prompt ? is
bound to help, also between quotes (vyatta-op, etc/bash_completion.d).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tunnels.devices.abilities import cannot
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.heading import commented, heading
from tunnels.devices.questions import Question, is_probed, number
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Pair, Side, Viewpoint, customer_viewpoint
from tunnels.devices.vyos.rules import (
    Rules,
    Section,
    policies_of,
    probe_address,
    rules_of,
    sections_of,
)
from tunnels.devices.vyos.words import ABILITIES
from tunnels.domain import crypto
from tunnels.domain.addresses import is_default_route
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import DpdAction, IkeVersion, Mode, Negotiation
from tunnels.domain.spec import TunnelSpec

_INTERFACE = re.compile(
    r"(bond|br|dum|eth|l2tpeth|macsec|peth|pppoe|tun|vti|vtun|vxlan|wg|wlan|wwan)[0-9]{1,4}(\.[0-9]{1,4}){0,2}",
    re.ASCII,
)
_RULES = (1, 900_000)


def _has_ipv4(spec: TunnelSpec) -> bool:
    return any(mapping.local.version == 4 for mapping in spec.mappings)


QUESTIONS = (
    Question(
        id="outside",
        label="Outside interface",
        usual="eth0",
        grammar=_INTERFACE,
        help="The one on which the VPN gateway is reached.",
    ),
    Question(
        id="inside",
        label="Inside interface",
        usual="eth1",
        grammar=_INTERFACE,
        help="The one behind which your ranges are.",
    ),
    replace(
        number(
            "nat_rule",
            "First source NAT rule",
            1,
            _RULES,
            explained="From here on, one rule for each pair must be free, before the rule that masquerades.",
        ),
        asked=_has_ipv4,
    ),
    number(
        "firewall_rule",
        "First firewall rule",
        1,
        _RULES,
        explained="From here on, rules of the input and forward filters must be free, before those that drop.",
    ),
    Question(
        id="dummy",
        label="Dummy interface",
        usual="dum0",
        grammar=re.compile("dum[0-9]{1,4}", re.ASCII),
        help="It gets the address that answers the health check, beside those that it has.",
        asked=is_probed,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the template prints. `ike` and `esp` are what follows the group's name, `owners` whose the key is."""

    header: tuple[str, ...]
    name: str
    ike: tuple[str, ...]
    esp: tuple[str, ...]
    device: Side
    gateway: Side
    owners: tuple[str, ...]
    psk: str
    connection_type: str
    pairs: tuple[Pair, ...]
    around: tuple[Section, ...]


def write(order: Order) -> str:
    """The text of the file."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    rules = rules_of(order, view)
    return fill(
        "vyos/template.txt.j2",
        Document(
            header=commented(_header(order, view, rules), "#"),
            name=spec.id,
            ike=tuple(_ike(order, starts=view.starts)),
            esp=tuple(_esp(order)),
            device=view.device,
            gateway=view.gateway,
            owners=tuple(dict.fromkeys((view.device.identity.text, view.gateway.identity.text))),
            psk=spec.psk.reveal(),
            # `none` waits. What other versions call `respond` is a trap in truth (T7594).
            connection_type="initiate" if view.starts else "none",
            pairs=view.pairs,
            around=tuple(sections_of(order, view, rules)),
        ),
    )


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """What no table says: aggressive mode that it should answer, and everything as the customer's range."""
    return [*_unsupported_mode(spec), *_unsupported_ranges(spec)]


def _unsupported_mode(spec: TunnelSpec) -> Iterator[Finding]:
    # charon answers no aggressive mode with a key unless strongswan.conf says so, and VyOS has no word for that.
    ike, view = spec.ike, customer_viewpoint(spec)
    if ike.version is IkeVersion.V1 and ike.mode is Mode.AGGRESSIVE and not view.starts:
        message = (
            "VyOS can begin aggressive mode, but not answer it; let the VPN gateway only wait (passive), or choose "
            "main mode or IKEv2."
        )
        yield cannot(message, "ike.mode")


def _unsupported_ranges(spec: TunnelSpec) -> Iterator[Finding]:
    # Where the sides overlap, vpn_ipsec.py lets the local range pass to itself unencrypted, and charon puts that first.
    if any(is_default_route(pair.local) for pair in customer_viewpoint(spec).pairs):
        message = (
            "VyOS encrypts nothing between a range and itself when the other side overlaps it: with everything as your "
            "range, nothing at all would be encrypted. Give the customer's ranges one by one."
        )
        yield cannot(message, "spd.rules")


def losses(spec: TunnelSpec) -> list[str]:
    """What VyOS does differently from what was agreed."""
    ike, ipsec, view = spec.ike, spec.ipsec, customer_viewpoint(spec)
    # It writes life_time and life_bytes, but never rekey_time and rekey_bytes: strongSwan's own are one hour and none.
    renewal = (
        "VyOS renews an IPsec SA after one hour, whatever its lifetime, and never by volume. The VPN gateway renews "
        f"before the agreed {ipsec.lifetime_seconds} s or {ipsec.lifetime_kb} KB are over."
    )
    sentences = [renewal]
    if ike.dpd_enabled and ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2, VyOS knows no DPD timeout ({ike.dpd_timeout} s was agreed): it gives a silent peer up after "
            "its retransmissions, some 165 s."
        )
    if ike.dpd_enabled and ike.dpd_action is DpdAction.CLEAR and view.starts:
        sentences.append(
            "The VPN gateway only waits, and a silent peer is forgotten (DPD action clear): after an outage somebody "
            "must start the tunnel on this device again. DPD action restart does that by itself."
        )
    if ike.version is IkeVersion.V1:
        sentences.append(
            f"With IKEv1, VyOS announces an IKE lifetime a tenth longer than the agreed {ike.lifetime_seconds} s; it "
            "renews before they are over."
        )
    if ike.negotiation is Negotiation.ON_TRAFFIC:
        sentences.append(
            "The VPN gateway begins with the first packet from its side; VyOS waits for it, and traffic from this side "
            "does not bring the tunnel up."
        )
    return sentences


def _ike(order: Order, *, starts: bool) -> Iterator[str]:
    ike, words = order.spec.ike, order.abilities.ike[order.spec.ike.version]
    yield f"key-exchange 'ikev{int(ike.version)}'"
    if ike.version is IkeVersion.V1:
        yield f"mode '{ike.mode}'"
    else:
        # Both ends have static addresses.
        yield "disable-mobike"
    yield f"lifetime '{ike.lifetime_seconds}'"
    yield f"close-action '{'start' if starts else 'none'}'"
    if ike.dpd_enabled:
        restart = starts and ike.dpd_action is DpdAction.RESTART
        yield f"dead-peer-detection action '{'restart' if restart else 'clear'}'"
        # Three questions fit into the agreed time.
        yield f"dead-peer-detection interval '{ike.dpd_timeout // 3}'"
        yield f"dead-peer-detection timeout '{ike.dpd_timeout}'"
    yield f"proposal 1 encryption '{words.encryption[ike.encryption]}'"
    if crypto.is_aead(ike.encryption):
        # VyOS wants a hash beside an AEAD, too; charon makes nothing of it but the same PRF.
        yield f"proposal 1 hash '{words.integrity[ike.prf]}'"
        yield f"proposal 1 prf '{words.prf[ike.prf]}'"
    else:
        yield f"proposal 1 hash '{words.integrity[ike.integrity]}'"
    yield f"proposal 1 dh-group '{words.dh[ike.dh_group]}'"


def _esp(order: Order) -> Iterator[str]:
    ipsec, words = order.spec.ipsec, order.abilities.esp[order.spec.ike.version]
    yield "mode 'tunnel'"
    yield f"lifetime '{ipsec.lifetime_seconds}'"
    yield f"life-bytes '{ipsec.lifetime_kb * 1024}'"
    yield f"pfs '{words.dh[ipsec.pfs] if ipsec.pfs else 'disable'}'"
    yield f"proposal 1 encryption '{words.encryption[ipsec.encryption]}'"
    # Beside an AEAD VyOS wants a hash, too, which charon drops.
    integrity = "sha2-256" if crypto.is_aead(ipsec.encryption) else ipsec.integrity
    yield f"proposal 1 hash '{words.integrity[integrity]}'"


def _header(order: Order, view: Viewpoint, rules: Rules) -> tuple[str, ...]:
    name = order.spec.id
    return heading(
        order,
        before=_before(view, rules),
        load=("configure", "Paste all lines below this comment; they end with commit and save."),
        verify=(
            "show vpn ike sa",
            "show vpn ipsec sa",
            f"The IKE SA of {name} is up, and so is {name}-tunnel-N for each pair N.",
        ),
        around=_advice(view),
        remove=("configure", *_removal(order, view, rules), "commit", "save"),
    )


def _before(view: Viewpoint, rules: Rules) -> Iterator[str]:
    yield (
        f"local-address: when this device is behind NAT, replace {view.device.address} by the address of its own "
        "interface."
    )
    yield "\n".join(
        ("These rules must be free, and stand before those that drop or translate:", *rules.spans())
    )
    yield (
        "vpn ipsec interface: where your configuration lists interfaces there, add the outside one. Where it lists "
        "none, IKE is heard on all."
    )


def _advice(view: Viewpoint) -> Iterator[str]:
    yield (
        "Firewall: where yours has zones or rule sets with names, accept the same there, too: UDP 500, UDP 4500 "
        f"and ESP from {view.gateway.address} to this device, and the ranges in both directions."
    )
    yield (
        "Routes: VyOS makes its own. Other routers of your site need one to each range of the VPN gateway, with this "
        "device as the next hop."
    )
    if any(pair.local.version == 6 for pair in view.pairs):
        yield "NAT66: when you translate IPv6 prefixes, exclude the ranges there as well (nat66 source rule)."
    if view.probe:
        yield "Health check: leave the dummy interface out when this device has the address already."


def _removal(order: Order, view: Viewpoint, rules: Rules) -> Iterator[str]:
    name = order.spec.id
    yield f"delete vpn ipsec site-to-site peer {name}"
    yield f"delete vpn ipsec authentication psk {name}"
    yield f"delete vpn ipsec esp-group {name}"
    yield f"delete vpn ipsec ike-group {name}"
    for rule in rules:
        yield f"delete {rule.path}"
    for policy in policies_of(order, view).values():
        yield f"delete {policy}"
    if view.probe:
        yield f"delete {probe_address(order.answers, view.probe[0])}"


PLATFORM = Platform(
    id="vyos",
    vendor="VyOS",
    name="Router",
    abilities={"1.4": ABILITIES, "1.5": ABILITIES},
    parts=(Part(filename="{tunnel_id}-vyos.txt", write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
