"""Fortinet FortiOS 7.0 to 7.6: a route-based VPN as a script for the CLI.

Sources: FortiOS CLI Reference 7.4, `config vpn ipsec phase1-interface` and `phase2-interface`, `config firewall
address`, `address6` and `policy`, `config router static` and `static6`, `config system interface`; Administration Guide
7.4, "CLI basics", "Phase 1 configuration", "Phase 2 configuration", "Encryption algorithms", "Pre-shared key vs digital
certificates"; Technical Tip "How to configure psksecret starting with 0x".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.abilities import Phase, cannot
from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.fortinet_fortios.header import header
from tunnels.devices.fortinet_fortios.objects import SUFFIXES, addresses, routed, swallows
from tunnels.devices.fortinet_fortios.words import (
    ABILITIES,
    LONGEST_KEY,
    LONGEST_LOCALID,
    key_value,
)
from tunnels.devices.questions import Question
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Pair, Viewpoint, customer_viewpoint, forwarded, owned
from tunnels.domain import crypto
from tunnels.domain.addresses import Network
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode
from tunnels.domain.spec import TunnelSpec

TEMPLATE = "fortinet_fortios/template.conf.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One `edit`: its name as it is written, and its settings as finished text."""

    name: str
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One `config` with its entries; one without entries is left out."""

    path: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints: `interfaces` are the lines of the tunnel interface, if it gets an address,
    `tables` the addresses and routes.
    """

    header: tuple[str, ...]
    name: str
    mss: int
    phase1: tuple[str, ...]
    phases2: tuple[Entry, ...]
    interfaces: tuple[tuple[str, ...], ...]
    tables: tuple[Table, ...]
    policies: tuple[Entry, ...]


def write(order: Order) -> str:
    """The text of the file."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    version = spec.ike.version
    esp = order.abilities.esp[version]
    return fill(
        TEMPLATE,
        Document(
            header=header(order, view),
            name=spec.id,
            mss=SAFE_MSS,
            phase1=tuple(_phase1(order, view, order.abilities.ike[version])),
            phases2=tuple(
                Entry(
                    name=f'"{pair.name}"',
                    settings=tuple(_phase2(pair, spec.ipsec, esp, starts=view.starts)),
                )
                for pair in view.pairs
            ),
            interfaces=tuple(_interfaces(spec, view)),
            tables=tuple(table for table in _tables(spec, view) if table.entries),
            policies=tuple(_policies(order, forwarded(spec, view))),
        ),
    )


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """An identifier or a key that is too long for its field, and a peer that main mode cannot check."""
    findings, view = [], customer_viewpoint(spec)
    device = view.device.identity.text
    main = spec.ike.version is IkeVersion.V1 and spec.ike.mode is Mode.MAIN
    if main and view.gateway.identity.is_address and "peertype any" not in _peer(view):
        findings.append(
            cannot(
                f"In main mode, FortiOS knows the VPN gateway by {view.gateway.address} alone, and not by "
                f"{view.gateway.identity.text}; leave its identifier empty.",
                "ike.local_fqdn",
            )
        )
    if len(device) > LONGEST_LOCALID:
        findings.append(
            cannot(
                f"Fortinet FortiOS takes identifiers of the device of at most {LONGEST_LOCALID} characters, and this "
                f"one has {len(device)}; use a shorter name, or leave it empty.",
                "ike.remote_fqdn",
            )
        )
    if len(key_value(spec.psk.reveal()).strip('"')) > LONGEST_KEY:
        findings.append(
            cannot(
                "The pre-shared key holds characters that FortiOS takes in hexadecimal only, and is too long for that; "
                "give the tunnel a key of letters and digits, or one of at most 63 characters.",
                "basic.psk",
            )
        )
    return findings


def losses(spec: TunnelSpec) -> list[str]:
    """A route that would swallow the way to the VPN gateway is not written."""
    view = customer_viewpoint(spec)
    ranges = {pair.remote for pair in view.pairs}
    return [
        f"No route to {remote} is written: it would take the way to the VPN gateway too. Lead what shall go into the "
        "tunnel there by a policy route."
        for remote in sorted(ranges, key=str)
        if swallows(view, remote)
    ]


def _phase1(order: Order, view: Viewpoint, words: Phase) -> Iterator[str]:
    ike = order.spec.ike
    six = SUFFIXES[view.gateway.address.version]
    yield "type static"
    yield f'interface "{order.answers["outside"]}"'
    if six:
        yield "ip-version 6"
    yield f"ike-version {int(ike.version)}"
    if ike.version is IkeVersion.V1:
        yield f"mode {ike.mode}"
    yield f"local-gw{six} {view.device.address}"
    yield f"remote-gw{six} {view.gateway.address}"
    yield f"keylife {ike.lifetime_seconds}"
    yield from _peer(view)
    yield "net-device disable"
    yield f"proposal {_ike_proposal(ike, words)}"
    yield f"dhgrp {words.dh[ike.dh_group]}"
    yield from _own_identity(view)
    yield from _dpd(ike)
    yield "nattraversal enable"
    yield f"psksecret {key_value(order.spec.psk.reveal())}"


def _own_identity(view: Viewpoint) -> Iterator[str]:
    identity, address = view.device.identity, view.device.address
    if address.version == 6 and identity.text == str(address):
        # It is sent by itself: there is no NAT, and the manuals show the type `address` for IPv4 only.
        return
    # Otherwise a device behind NAT would send its private address.
    yield f'localid "{identity.text}"'
    yield f"localid-type {'address' if identity.is_address else 'fqdn'}"


def _peer(view: Viewpoint) -> Iterator[str]:
    identity = view.gateway.identity
    if identity.text == str(view.gateway.address):
        # Whoever has this address and the key is the VPN gateway.
        yield "peertype any"
    else:
        yield "peertype one"
        yield f'peerid "{identity.text}"'


def _ike_proposal(ike: IkeSettings, words: Phase) -> str:
    second = (
        words.prf[ike.prf] if crypto.is_aead(ike.encryption) else words.integrity[ike.integrity]
    )
    return f"{words.encryption[ike.encryption]}-{second}"


def _dpd(ike: IkeSettings) -> Iterator[str]:
    if not ike.dpd_enabled:
        yield "dpd disable"
        return
    # Three questions fit into the agreed time.
    yield "dpd on-idle"
    yield "dpd-retrycount 3"
    yield f"dpd-retryinterval {ike.dpd_timeout // 3}"


def _phase2(pair: Pair, ipsec: IpsecSettings, words: Phase, *, starts: bool) -> Iterator[str]:
    cipher = words.encryption[ipsec.encryption]
    aead = crypto.is_aead(ipsec.encryption)
    yield f"proposal {cipher if aead else f'{cipher}-{words.integrity[ipsec.integrity]}'}"
    yield f"pfs {'enable' if ipsec.pfs else 'disable'}"
    if ipsec.pfs:
        yield f"dhgrp {words.dh[ipsec.pfs]}"
    # The default is seconds alone, which ignores the volume.
    yield "keylife-type both"
    yield f"keylifeseconds {ipsec.lifetime_seconds}"
    yield f"keylifekbs {ipsec.lifetime_kb}"
    # Otherwise the first packet begins.
    yield f"auto-negotiate {'enable' if starts else 'disable'}"
    yield f'comments "{pair.origin}"'
    six = SUFFIXES[pair.local.version]
    yield f"src-addr-type subnet{six}"
    yield f"dst-addr-type subnet{six}"
    yield f"src-subnet{six} {_subnet(pair.local)}"
    yield f"dst-subnet{six} {_subnet(pair.remote)}"


def _subnet(network: Network) -> str:
    if network.version == 6:
        return str(network)
    return f"{network.network_address} {network.netmask}"


def _interfaces(spec: TunnelSpec, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    if not view.probe or not owned(spec, view):
        return
    asked, asking = view.probe
    if asked.version == 6:
        address = f"    set ip6-address {asked}/128"
        yield ("config ipv6", address, "    set ip6-allowaccess ping", "end")
    else:
        yield (
            f"set ip {asked} 255.255.255.255",
            f"set remote-ip {asking} 255.255.255.255",
            "set allowaccess ping",
        )


def _tables(spec: TunnelSpec, view: Viewpoint) -> Iterator[Table]:
    objects, remotes = list(addresses(forwarded(spec, view))), routed(view)
    for version, six in SUFFIXES.items():
        ranges = tuple(
            Entry(name=f'"{name}"', settings=(f"{'ip6' if six else 'subnet'} {_subnet(network)}",))
            for name, network in objects
            if network.version == version
        )
        yield Table(path=f"firewall address{six}", entries=ranges)
    for version, six in SUFFIXES.items():
        routes = tuple(
            entry
            for remote in remotes
            if remote.version == version
            for entry in _routes(spec.id, remote)
        )
        yield Table(path=f"router static{six}", entries=routes)


def _routes(name: str, remote: Network) -> Iterator[Entry]:
    """Into the tunnel; and nowhere while it is down, so that nothing leaves by the default route in clear."""
    destination, comment = f"dst {_subnet(remote)}", f'comment "{name}"'
    yield Entry(name="0", settings=(destination, f'device "{name}"', comment))
    yield Entry(name="0", settings=(destination, "blackhole enable", "distance 254", comment))


def _policies(order: Order, pairs: list[Pair]) -> Iterator[Entry]:
    inside, tunnel = order.answers["inside"], order.spec.id
    for pair in pairs:
        local, remote = f"{pair.name}-local", f"{pair.name}-remote"
        yield _policy(pair, "out", (inside, local), (tunnel, remote))
        yield _policy(pair, "in", (tunnel, remote), (inside, local))


def _policy(pair: Pair, way: str, source: tuple[str, str], destination: tuple[str, str]) -> Entry:
    """`source` and `destination` are (interface or zone, address object)."""
    six = SUFFIXES[pair.local.version]
    return Entry(
        name=f'"{pair.name}-{way}"',
        settings=(
            f'srcintf "{source[0]}"',
            f'dstintf "{destination[0]}"',
            f'srcaddr{six} "{source[1]}"',
            f'dstaddr{six} "{destination[1]}"',
        ),
    )


# Names of interfaces have 15 characters at most, names of zones 35.
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,14}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+ -]{0,34}", re.ASCII)

QUESTIONS = (
    Question(
        id="outside",
        label="Outside interface",
        usual="wan1",
        grammar=_INTERFACE,
        help="The interface with the public address, as FortiOS names it.",
    ),
    Question(
        id="inside",
        label="Inside interface or zone",
        usual="internal",
        grammar=_ZONE,
        help="Where your ranges are. When the interface belongs to a zone, the zone.",
        example="lan",
    ),
)

PLATFORM = Platform(
    id="fortinet-fortios",
    vendor="Fortinet",
    name="FortiOS",
    abilities=dict.fromkeys(("7.4", "7.6", "7.2", "7.0"), ABILITIES),
    parts=(Part(filename="{tunnel_id}-fortios.conf", write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
