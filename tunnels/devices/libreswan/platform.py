"""Libreswan's ipsec.conf and ipsec.secrets, for a Linux machine at the customer's end.

Grammar and settings: ipsec.conf(5) and ipsec.secrets(5) of 4.10 and 5.4, and the keyword tables of both
(lib/libipsecconf/keywords.c; lib/libswan/ipsecconf/conn.c). 5.0 has new words for two settings and none for two others.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices import linux
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.heading import commented, heading
from tunnels.devices.libreswan.words import NEW, VERSIONS
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Identity, Pair, Viewpoint, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.proposals import DpdAction, IkeVersion, Mode
from tunnels.domain.spec import TunnelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the template of ipsec.conf prints: `shared` are the settings of all pairs, `auto` is when each begins."""

    header: tuple[str, ...]
    setup: tuple[str, ...]
    tunnel_id: str
    shared: tuple[str, ...]
    pairs: tuple[Pair, ...]
    auto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What the template of ipsec.secrets prints."""

    tunnel_id: str
    owners: str
    key: str


def quote_psk(key: str) -> str:
    """The key so that pluto loads exactly its bytes.

    Between double quotes everything stands for itself and nothing can be escaped; a key that holds one is written in
    base64, which begins with 0s (ipsec.secrets(5)).
    """
    if '"' in key:
        return f"0s{base64.b64encode(key.encode()).decode()}"
    return f'"{key}"'


def write_connections(order: Order) -> str:
    """The text of the file that /etc/ipsec.conf includes."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    values = Connections(
        header=commented(_header(order, view), "#"),
        # 5.0, and 4.x as Debian builds it, drop IKEv1 unless they are told otherwise.
        setup=("", "config setup", "    ikev1-policy=accept") if _is_first(spec) else (),
        tunnel_id=spec.id,
        shared=tuple(_shared(order, view)),
        pairs=view.pairs,
        auto="start" if view.starts else "ondemand",
    )
    return fill("libreswan/connection.conf.j2", values)


def write_secrets(order: Order) -> str:
    """The text of the file that /etc/ipsec.secrets includes."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    values = Secrets(
        tunnel_id=spec.id,
        owners=f"{_owner(view.device.identity)} {_owner(view.gateway.identity)}",
        key=quote_psk(spec.psk.reveal()),
    )
    return fill("libreswan/key.secrets.j2", values)


def losses(spec: TunnelSpec) -> list[str]:
    """What Libreswan does differently from what was agreed."""
    ike, view = spec.ike, customer_viewpoint(spec)
    sentences = list(
        linux.swallowing(
            view,
            first="exempt that network with a conn of type=passthrough, authby=never and auto=ondemand",
        )
    )
    if ike.dpd_enabled and ike.dpd_action is DpdAction.CLEAR and view.starts:
        sentences.append(
            "The VPN gateway only waits, and a silent peer is to be forgotten (DPD action clear): after an outage "
            "somebody must start the tunnel on Libreswan 4 again, and Libreswan 5 begins again whatever that action "
            "says. DPD action restart begins again on both."
        )
    return sentences


def _is_first(spec: TunnelSpec) -> bool:
    return spec.ike.version is IkeVersion.V1


def _identity(identity: Identity) -> str:
    # Without the @, a name would be looked up in the DNS.
    return identity.text if identity.is_address else f"@{identity.text}"


def _owner(identity: Identity) -> str:
    # "IPv6, wrapped in double quotes": the colon is also what ends the list of owners.
    return f'"{identity.text}"' if ":" in identity.text else _identity(identity)


def _shared(order: Order, view: Viewpoint) -> Iterator[str]:
    ike, first = order.spec.ike, _is_first(order.spec)
    if order.version == NEW:
        yield f"keyexchange=ikev{int(ike.version)}"
    else:
        yield f"ikev2={'no' if first else 'yes'}"
    if first:
        yield f"aggressive={'yes' if ike.mode is Mode.AGGRESSIVE else 'no'}"
    else:
        yield "mobike=no"
    yield "type=tunnel"
    yield "authby=secret"
    yield f"left={view.device.address}"
    yield f"leftid={_identity(view.device.identity)}"
    yield f"right={view.gateway.address}"
    yield f"rightid={_identity(view.gateway.identity)}"
    yield from _algorithms(order)
    yield from _lifetimes(order)
    yield from _dead_peers(order, starts=view.starts)
    yield "fragmentation=yes"
    if order.version != NEW:
        yield "keyingtries=%forever"


def _algorithms(order: Order) -> Iterator[str]:
    ike, ipsec = order.spec.ike, order.spec.ipsec
    one, two = order.abilities.ike[ike.version], order.abilities.esp[ike.version]
    # Beside an AEAD the second word is the PRF; without one, the PRF is that of the integrity algorithm.
    second = one.prf[ike.prf] if crypto.is_aead(ike.encryption) else one.integrity[ike.integrity]
    yield f"ike={one.encryption[ike.encryption]}-{second};{one.dh[ike.dh_group]}"
    esp = two.encryption[ipsec.encryption]
    if not crypto.is_aead(ipsec.encryption):
        esp = f"{esp}-{two.integrity[ipsec.integrity]}"
    yield f"esp={esp};{two.dh[ipsec.pfs]}" if ipsec.pfs else f"esp={esp}"
    yield f"pfs={'yes' if ipsec.pfs else 'no'}"


def _lifetimes(order: Order) -> Iterator[str]:
    ike, ipsec = order.spec.ike.lifetime_seconds, order.spec.ipsec.lifetime_seconds
    yield f"ikelifetime={ike}s"
    yield f"{'ipsec-lifetime' if order.version == NEW else 'salifetime'}={ipsec}s"
    # There is one margin for both lifetimes: it must fit into the shorter, with as much again at random.
    yield f"rekeymargin={min(ike, ipsec) // 10}s"
    yield "rekeyfuzz=100%"
    if order.abilities.lifetime_kb:
        yield f"ipsec-max-bytes={order.spec.ipsec.lifetime_kb}KiB"


def _dead_peers(order: Order, *, starts: bool) -> Iterator[str]:
    ike = order.spec.ike
    if not ike.dpd_enabled:
        return
    # Three questions fit into the agreed time.
    delay = ike.dpd_timeout // 3
    yield f"dpddelay={delay}s"
    if ike.version is IkeVersion.V1:
        yield f"dpdtimeout={ike.dpd_timeout}s"
    else:
        # IKEv2 gives a peer up when a question has been repeated for so long without an answer.
        yield f"retransmit-timeout={ike.dpd_timeout - delay}s"
    if order.version != NEW:
        # Held, the next packet begins again; cleared, nothing would.
        yield f"dpdaction={ike.dpd_action if starts else 'hold'}"


def _header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    name = order.spec.id
    return heading(
        order,
        before=_before(order.spec, view),
        load=(
            f"install -m 600 {name}.conf {name}.secrets /etc/ipsec.d/",
            "systemctl restart ipsec",
            "This interrupts all tunnels of this device for a moment.",
        ),
        verify=(
            f"ipsec trafficstatus | grep {name}",
            "It prints one line for each pair; a pair that waits for its first packet has none.",
        ),
        around=linux.around(view, routes="Libreswan makes its own"),
        remove=(
            f"rm /etc/ipsec.d/{name}.conf /etc/ipsec.d/{name}.secrets",
            "systemctl restart ipsec",
        ),
    )


def _before(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    yield (
        "/etc/ipsec.conf and /etc/ipsec.secrets must include /etc/ipsec.d/*.conf and /etc/ipsec.d/*.secrets, as "
        "they do when they come with the package."
    )
    yield (
        f"left: when this device is behind NAT, replace {view.device.address} by the address of its own interface."
    )
    if _is_first(spec):
        yield (
            "ikev1-policy=accept allows IKEv1 on the whole device. Libreswan 4 reads one config setup only: when "
            "/etc/ipsec.conf has settings in its own, write the line there."
        )


PLATFORM = Platform(
    id="libreswan",
    vendor="Libreswan",
    name="ipsec.conf",
    abilities=VERSIONS,
    parts=(
        Part(filename="{tunnel_id}.conf", write=write_connections),
        Part(filename="{tunnel_id}.secrets", write=write_secrets),
    ),
    losses=losses,
)
PLATFORMS = (PLATFORM,)
