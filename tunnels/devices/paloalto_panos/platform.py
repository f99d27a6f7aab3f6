"""Palo Alto Networks PAN-OS: `set` commands for the firewall's own configuration (not for Panorama).

Sources: Palo Alto Networks' provider specifications, with which `tests/vendors/panos_specs.py` checks the lines; PAN-OS
Administrator's Guide, Set Up Site-to-Site VPN (proxy IDs, tunnel interface, tunnel monitor, liveness check) and Define
Cryptographic Profiles; Web Interface Help, IKE Gateway Advanced Options; PAN-OS CLI Quick Start, Load Configuration
Settings from a Text File (scripting mode); Knowledge Base, TCP MSS adjustment for IPSec traffic (the MSS follows from
the MTU of the tunnel interface). The command line has no comments: the heading is not to be pasted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tunnels.devices.abilities import cannot
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.heading import commented
from tunnels.devices.paloalto_panos import units
from tunnels.devices.paloalto_panos.asked import QUESTIONS
from tunnels.devices.paloalto_panos.notes import MTU, notes
from tunnels.devices.paloalto_panos.places import router, routes, vsys
from tunnels.devices.paloalto_panos.words import (
    AEAD_AUTHENTICATION,
    AEAD_HASH,
    NO_PFS,
    PRF_OF_GROUP,
    RELEASES,
)
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Identity, Pair, Viewpoint, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.addresses import Address
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.spec import TunnelSpec

LABEL: Final = "Palo Alto Networks PAN-OS"
TEMPLATE = "paloalto_panos/template.set.j2"
FILENAME = "{tunnel_id}-panos.txt"
# Three questions without an answer, and an IKEv1 peer is given up.
DPD_RETRY = 3
_BARE_KEY = re.compile(r"[A-Za-z0-9._~+=@^:,/%-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the template prints; settings are the ends of lines."""

    heading: tuple[str, ...]
    name: str
    number: str
    vsys: str
    vpn_zone: str
    router: str
    ike_encryption: str
    ike_hash: str
    ike_group: str
    ike_lifetime: str
    esp_encryption: str
    esp_authentication: str
    pfs: str
    esp_lifetime: str
    esp_lifesize: str
    gateway: tuple[str, ...]
    answering: tuple[str, ...]
    interface: tuple[str, ...]
    tunnel: tuple[str, ...]
    routes: tuple[str, ...]
    security_rules: tuple[str, ...]
    security_names: tuple[str, ...]
    nat_rules: tuple[str, ...]
    nat_names: tuple[str, ...]


def write_key(key: str) -> str:
    """The key, between quotes when it holds more than the plainest characters."""
    return key if _BARE_KEY.fullmatch(key) else f'"{key}"'


def write(order: Order) -> str:
    """The text of the file."""
    return fill(TEMPLATE, _decide(order))


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """What no table says: the PRF that the group implies beside AES-GCM, and amounts that no unit holds exactly."""
    return [*_unsupported_prf(spec), *_unsupported_amounts(spec)]


def losses(spec: TunnelSpec) -> list[str]:
    """What PAN-OS does differently from what was agreed."""
    ike, view, sentences = spec.ike, customer_viewpoint(spec), []
    if ike.dpd_enabled and ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2, PAN-OS knows no DPD timeout ({ike.dpd_timeout} s was agreed): it gives a silent peer up "
            "after ten retransmissions, some seven minutes."
        )
    if view.starts and not view.probe:
        sentences.append(
            "PAN-OS begins a tunnel when there is traffic for it, not by itself, and the VPN gateway only waits: keep "
            "some traffic going, such as a ping, or give the tunnel a health check."
        )
    elif view.starts and len(view.pairs) > 1:
        sentences.append(
            "The VPN gateway only waits, and PAN-OS begins by itself with the pair of the health check only: each "
            "other pair comes up with the first packet from this side."
        )
    return sentences


def _unsupported_prf(spec: TunnelSpec) -> Iterator[Finding]:
    ike = spec.ike
    if ike.version is IkeVersion.V1 or not crypto.is_aead(ike.encryption):
        return
    implied = PRF_OF_GROUP.get(ike.dh_group)
    if ike.prf != implied:
        cipher = crypto.ENCRYPTION[ike.encryption].label
        group = crypto.DH_GROUPS[ike.dh_group].label
        what = (
            f"with {group} that is {crypto.PRF[implied].label}"
            if implied
            else f"with {group} it is not documented which one"
        )
        message = (
            f"Beside {cipher} {LABEL} chooses the PRF by the group, and {what}; choose PRF SHA2-256 with DH19 or PRF "
            "SHA2-384 with DH20."
        )
        yield cannot(message, "ike.prf")


def _unsupported_amounts(spec: TunnelSpec) -> Iterator[Finding]:
    amounts = (
        ("ike.lifetime_seconds", "IKE lifetime", spec.ike.lifetime_seconds, units.TIME, "s"),
        ("ipsec.lifetime_seconds", "IPsec lifetime", spec.ipsec.lifetime_seconds, units.TIME, "s"),
        ("ipsec.lifetime_kb", "IPsec lifetime", spec.ipsec.lifetime_kb, units.VOLUME, "KB"),
    )
    for field, what, amount, offered, unit in amounts:
        if units.in_units(amount, offered) is None:
            message = (
                f"{LABEL} counts at most {units.MOST} of a unit ({', '.join(offered)}), and {amount} {unit} as {what} "
                f"fit into none exactly; the nearest below is {units.nearest_in_units(amount, offered)} {unit}."
            )
            yield cannot(message, field)


def _decide(order: Order) -> Document:
    spec, answers, view = order.spec, order.answers, customer_viewpoint(order.spec)
    ike, ipsec = spec.ike, spec.ipsec
    one, two = order.abilities.ike[ike.version], order.abilities.esp[ike.version]
    security = dict(_security_rules(order, view))
    nat = dict(_nat_rules(order, view))
    return Document(
        heading=commented(notes(order, view, [*security], [*nat]), "#"),
        name=spec.id,
        number=answers["tunnel_number"],
        vsys=vsys(order),
        vpn_zone=answers["vpn_zone"],
        router=router(order),
        ike_encryption=one.encryption[ike.encryption],
        ike_hash=AEAD_HASH if crypto.is_aead(ike.encryption) else one.integrity[ike.integrity],
        ike_group=one.dh[ike.dh_group],
        ike_lifetime=units.exactly(ike.lifetime_seconds, units.TIME),
        esp_encryption=two.encryption[ipsec.encryption],
        esp_authentication=(
            AEAD_AUTHENTICATION
            if crypto.is_aead(ipsec.encryption)
            else two.integrity[ipsec.integrity]
        ),
        pfs=two.dh[ipsec.pfs] if ipsec.pfs else NO_PFS,
        esp_lifetime=units.exactly(ipsec.lifetime_seconds, units.TIME),
        esp_lifesize=units.exactly(ipsec.lifetime_kb, units.VOLUME),
        gateway=tuple(_gateway(order, view)),
        answering=tuple(_answering(view)),
        interface=tuple(_interface(spec, view)),
        tunnel=tuple(_tunnel(view)),
        routes=tuple(routes(view)),
        security_rules=tuple(f"{name} {rule}" for name, rule in security.items()),
        security_names=tuple(security),
        nat_rules=tuple(f"{name} {rule}" for name, rule in nat.items()),
        nat_names=tuple(nat),
    )


def _gateway(order: Order, view: Viewpoint) -> Iterator[str]:
    spec, ike = order.spec, order.spec.ike
    version = f"ikev{int(ike.version)}"
    if view.gateway.address.version == 6:
        yield "ipv6 yes"
    yield f"local-address interface {order.answers['outside_interface']}"
    yield f"peer-address ip {view.gateway.address}"
    yield f"authentication pre-shared-key key {write_key(spec.psk.reveal())}"
    yield from _identity("local-id", view.device.identity)
    yield from _identity("peer-id", view.gateway.identity)
    yield f"protocol version {version}"
    yield f"protocol {version} ike-crypto-profile {spec.id}"
    if ike.version is IkeVersion.V1:
        yield f"protocol {version} exchange-mode {ike.mode}"
    yield f"protocol {version} dpd enable {'yes' if ike.dpd_enabled else 'no'}"
    if ike.dpd_enabled:
        yield f"protocol {version} dpd interval {ike.dpd_timeout // DPD_RETRY}"
        if ike.version is IkeVersion.V1:
            yield f"protocol {version} dpd retry {DPD_RETRY}"
    yield "protocol-common nat-traversal enable yes"
    yield "protocol-common passive-mode no"


def _identity(word: str, identity: Identity) -> Iterator[str]:
    yield f"{word} type {'ipaddr' if identity.is_address else 'fqdn'}"
    yield f"{word} id {identity.text}"


def _answering(view: Viewpoint) -> Iterator[str]:
    if view.probe:
        _, asking = view.probe
        yield "ping yes"
        yield f"permitted-ip {asking}"


def _interface(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    yield f"mtu {MTU}"
    if any(pair.local.version == 6 for pair in view.pairs):
        yield "ipv6 enabled yes"
    if view.probe:
        asked, _ = view.probe
        yield (
            f"ip {asked}/{asked.max_prefixlen}"
            if asked.version == 4
            else f"ipv6 address {asked}/{asked.max_prefixlen} enable-on-interface yes"
        )
        yield f"interface-management-profile {spec.id}"


def _tunnel(view: Viewpoint) -> Iterator[str]:
    if view.gateway.address.version == 6:
        yield "ipv6 yes"
    for pair in view.pairs:
        word = "proxy-id" if pair.local.version == 4 else "proxy-id-v6"
        yield f"auto-key {word} {pair.name} local {pair.local}"
        yield f"auto-key {word} {pair.name} remote {pair.remote}"
        yield f"auto-key {word} {pair.name} protocol any"
    if view.starts and view.probe:
        asked, asking = view.probe
        # Nothing else makes PAN-OS begin by itself; the default profile only waits when there is no answer.
        yield f"tunnel-monitor destination-ip {asking}"
        yield f"tunnel-monitor proxy-id {_carrying(view, asked, asking).name}"
        yield "tunnel-monitor tunnel-monitor-profile default"
        yield "tunnel-monitor enable yes"


def _carrying(view: Viewpoint, asked: Address, asking: Address) -> Pair:
    """The pair that carries the health check; the domain sees to it that there is one."""
    return next(pair for pair in view.pairs if asked in pair.local and asking in pair.remote)


def _security_rules(order: Order, view: Viewpoint) -> Iterator[tuple[str, str]]:
    name, answers = order.spec.id, order.answers
    inside, vpn, outside = answers["inside_zone"], answers["vpn_zone"], answers["outside_zone"]
    ends = f"[ {view.device.address} {view.gateway.address} ]"
    usual = "service application-default action allow"
    ipsec = f"application [ ike ipsec-esp ipsec-esp-udp ] {usual}"
    yield f"{name}-ike", f"from {outside} to {outside} source {ends} destination {ends} {ipsec}"
    for pair in view.pairs:
        behind = "application any service any action allow"
        yield (
            f"{pair.name}-out",
            f"from {inside} to {vpn} source {pair.local} destination {pair.remote} {behind}",
        )
        yield (
            f"{pair.name}-in",
            f"from {vpn} to {inside} source {pair.remote} destination {pair.local} {behind}",
        )
    if view.probe:
        asked, asking = view.probe
        echo = f"source {asking} destination {asked} application ping {usual}"
        yield f"{name}-ping", f"from {vpn} to {vpn} {echo}"


def _nat_rules(order: Order, view: Viewpoint) -> Iterator[tuple[str, str]]:
    # Without a translation a rule exempts (Web Interface Help, NAT Policies General); IPv6 is not translated.
    inside, vpn = order.answers["inside_zone"], order.answers["vpn_zone"]
    for pair in view.pairs:
        if pair.local.version == 4:
            yield (
                pair.name,
                f"from {inside} to {vpn} source {pair.local} destination {pair.remote} service any",
            )


PLATFORM = Platform(
    id="paloalto-panos",
    vendor="Palo Alto Networks",
    name="PAN-OS",
    abilities=RELEASES,
    parts=(Part(filename=FILENAME, write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
