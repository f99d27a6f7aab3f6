"""strongSwan's older ipsec.conf and ipsec.secrets, for a Linux machine at the customer's end.

Grammar and settings: ipsec.conf(5), its sections "Conn parameters", "Identity parsing" and "SA expiry/rekey", and
ipsec.secrets(5) of strongSwan 5.9 and 6.0. Every setting that matters is written, also where it is the default: a
`conn %default` of the customer's would otherwise change it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices import linux
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.charon import EVERYTHING, losses, margin
from tunnels.devices.heading import commented, heading
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Identity, Pair, Viewpoint, customer_viewpoint
from tunnels.domain.proposals import DpdAction, IkeSettings, IkeVersion, IpsecSettings, Mode
from tunnels.domain.spec import TunnelSpec

FOLDER = "strongswan_ipsec_conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the template of ipsec.conf prints: `shared` are the settings of all pairs, `auto` is when each begins."""

    header: tuple[str, ...]
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
    """The key so that charon loads exactly its bytes.

    Between double quotes everything stands for itself and nothing can be escaped; a key that holds one is written in
    base64, which begins with 0s (ipsec.secrets(5), "Types of secrets").
    """
    if '"' in key:
        return f"0s{base64.b64encode(key.encode()).decode()}"
    return f'"{key}"'


def write_connections(order: Order) -> str:
    """The text of the file that /etc/ipsec.conf includes."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    values = Connections(
        header=commented(_header(order, view), "#"),
        tunnel_id=spec.id,
        shared=tuple(_shared(spec, view)),
        pairs=view.pairs,
        auto="start" if view.starts else "route",
    )
    return fill(f"{FOLDER}/connection.conf.j2", values)


def write_secrets(order: Order) -> str:
    """The text of the file that /etc/ipsec.secrets includes."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    values = Secrets(
        tunnel_id=spec.id,
        owners=f"{_identity(view.device.identity)} {_identity(view.gateway.identity)}",
        key=quote_psk(spec.psk.reveal()),
    )
    return fill(f"{FOLDER}/key.secrets.j2", values)


def _identity(identity: Identity) -> str:
    # Without the @, a name might be guessed to be something else.
    return identity.text if identity.is_address else f"@{identity.text}"


def _shared(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    ike, ipsec = spec.ike, spec.ipsec
    yield f"keyexchange=ikev{int(ike.version)}"
    if ike.version is IkeVersion.V1:
        yield f"aggressive={'yes' if ike.mode is Mode.AGGRESSIVE else 'no'}"
    else:
        # Both ends have static addresses; and renewal need not interrupt the traffic.
        yield "mobike=no"
        yield "reauth=no"
    yield "type=tunnel"
    yield "leftauth=psk"
    yield "rightauth=psk"
    yield f"left={view.device.address}"
    yield f"leftid={_identity(view.device.identity)}"
    yield f"right={view.gateway.address}"
    yield f"rightid={_identity(view.gateway.identity)}"
    # The exclamation mark: these, and not charon's defaults as well.
    yield f"ike={ike.proposal}!"
    yield f"esp={ipsec.proposal}!"
    yield from _lifetimes(ike, ipsec)
    yield from _dead_peers(ike, starts=view.starts)
    yield "fragmentation=yes"
    yield "keyingtries=%forever"


def _lifetimes(ike: IkeSettings, ipsec: IpsecSettings) -> Iterator[str]:
    lifebytes = ipsec.lifetime_kb * 1024
    yield f"ikelifetime={ike.lifetime_seconds}s"
    yield f"lifetime={ipsec.lifetime_seconds}s"
    # There is one margin for both lifetimes: it must fit into the shorter.
    yield f"margintime={margin(min(ike.lifetime_seconds, ipsec.lifetime_seconds))}s"
    yield f"lifebytes={lifebytes}"
    yield f"marginbytes={margin(lifebytes)}"
    yield "rekeyfuzz=100%"


def _dead_peers(ike: IkeSettings, *, starts: bool) -> Iterator[str]:
    if ike.dpd_enabled:
        # A trap negotiates again with the next packet; a restart beside it makes double CHILD_SAs.
        restart = starts and ike.dpd_action is DpdAction.RESTART
        yield f"dpdaction={'restart' if restart else 'clear'}"
        # Three questions fit into the agreed time.
        yield f"dpddelay={ike.dpd_timeout // 3}s"
        if ike.version is IkeVersion.V1:
            yield f"dpdtimeout={ike.dpd_timeout}s"
    else:
        yield "dpdaction=none"
    yield f"closeaction={'restart' if starts else 'none'}"


def _header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    name = order.spec.id
    return heading(
        order,
        before=_before(order.spec, view),
        load=(
            f"install -m 600 {name}.conf {name}.secrets /etc/ipsec.d/",
            f"echo 'include /etc/ipsec.d/{name}.conf' >> /etc/ipsec.conf",
            f"echo 'include /etc/ipsec.d/{name}.secrets' >> /etc/ipsec.secrets",
            "ipsec rereadsecrets",
            "ipsec update",
        ),
        verify=(
            f"ipsec status | grep {name}",
            "The IKE_SA is ESTABLISHED and each pair INSTALLED; until its first packet a pair may be ROUTED only.",
        ),
        around=linux.around(view, routes="strongSwan makes its own"),
        remove=(
            f"sed -i '/{name}/d' /etc/ipsec.conf /etc/ipsec.secrets",
            f"rm /etc/ipsec.d/{name}.conf /etc/ipsec.d/{name}.secrets",
            "ipsec update",
            "ipsec rereadsecrets",
            f"ipsec down {view.pairs[0].name}",
        ),
    )


def _before(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    yield (
        "This is for the stroke plugin and ipsec(8) (Debian: strongswan-starter). A strongSwan that has only swanctl "
        "takes the platform swanctl.conf."
    )
    yield (
        "Fedora and its relatives have /etc/strongswan in the place of /etc, and the command strongswan in the place "
        "of ipsec."
    )
    yield (
        f"left: when this device is behind NAT, replace {view.device.address} by the address of its own interface."
    )
    if spec.ike.version is IkeVersion.V1 and spec.ike.mode is Mode.AGGRESSIVE and not view.starts:
        yield (
            "Aggressive mode: charon answers it only with this line in the charon section of strongswan.conf:\n"
            "i_dont_care_about_security_and_use_aggressive_mode_psk = yes"
        )


PLATFORM = Platform(
    id="strongswan-ipsec-conf",
    vendor="strongSwan",
    name="ipsec.conf",
    abilities={"5.9+": EVERYTHING, "6.x": EVERYTHING},
    parts=(
        Part(filename="{tunnel_id}.conf", write=write_connections),
        Part(filename="{tunnel_id}.secrets", write=write_secrets),
    ),
    losses=losses,
)
PLATFORMS = (PLATFORM,)
