r"""OpenIKED's iked.conf, for OpenBSD and for the portable version on Linux. It speaks IKEv2 only.

Grammar: iked.conf(5) and iked's parser (parse.y). A backslash at the end of a line joins the next one, in comments too,
and nothing may stand behind it: comments have lines of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices import linux
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.heading import commented
from tunnels.devices.openiked.surroundings import header
from tunnels.devices.openiked.words import VERSIONS
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Pair, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.proposals import DpdAction, Negotiation
from tunnels.domain.spec import TunnelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the template prints: `settings` hold for the whole daemon, the rest is the one policy."""

    header: tuple[str, ...]
    settings: tuple[str, ...]
    tunnel_id: str
    mode: str
    pair: Pair
    device: str
    gateway: str
    ikesa: str
    childsa: str
    srcid: str
    dstid: str
    lifetimes: str
    key: str


def quote_psk(key: str) -> str:
    """The key so that iked loads exactly its bytes.

    Between quotes a backslash escapes a quote and nothing else, and what begins with 0x is decoded (yylex and keyspec
    in parse.y): a key with a quote or a backslash, or that begins so, is written in hex.
    """
    if '"' in key or "\\" in key or key[:2].lower() == "0x":
        return f"0x{key.encode().hex()}"
    return f'"{key}"'


def write(order: Order) -> str:
    """The text of the file that /etc/iked.conf includes."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    lifetimes = (
        f"ikelifetime {spec.ike.lifetime_seconds} lifetime {spec.ipsec.lifetime_seconds} "
        f"bytes {spec.ipsec.lifetime_kb}K"
    )
    values = Policy(
        header=commented(header(order, view), "#"),
        settings=tuple(_settings(spec)),
        tunnel_id=spec.id,
        mode="active" if view.starts else "passive",
        pair=view.pairs[0],
        device=str(view.device.address),
        gateway=str(view.gateway.address),
        ikesa=" ".join(_ikesa(order)),
        childsa=" ".join(_childsa(order)),
        srcid=view.device.identity.text,
        dstid=view.gateway.identity.text,
        lifetimes=lifetimes,
        key=quote_psk(spec.psk.reveal()),
    )
    return fill("openiked/iked.conf.j2", values)


def losses(spec: TunnelSpec) -> list[str]:
    """What OpenIKED does differently from what was agreed."""
    ike = spec.ike
    sentences = list(
        linux.swallowing(
            customer_viewpoint(spec),
            first="exempt that network (on OpenBSD with a flow of type bypass, see ipsec.conf(5))",
        )
    )
    if ike.dpd_enabled:
        sentences.append(
            "OpenIKED has one DPD interval for all peers, and no timeout: it gives a silent peer up after its "
            f"retransmissions, some two minutes ({ike.dpd_timeout} s was agreed)."
        )
    else:
        sentences.append(
            "DPD is off, but OpenIKED has one interval for all peers: it asks this one too, every 60 s unless your "
            "iked.conf says something else. The VPN gateway answers."
        )
    if ike.negotiation is Negotiation.ON_TRAFFIC:
        sentences.append(
            "OpenIKED cannot begin with the first packet: it waits until there is traffic from the VPN gateway's side. "
            "Write active in the place of passive, and it begins at once."
        )
    if (
        ike.dpd_enabled
        and ike.dpd_action is DpdAction.CLEAR
        and ike.negotiation is Negotiation.PASSIVE
    ):
        sentences.append(
            "A silent peer is to be forgotten (DPD action clear), but OpenIKED tries an active policy again every "
            "minute."
        )
    return sentences


def _settings(spec: TunnelSpec) -> Iterator[str]:
    if spec.ike.dpd_enabled:
        yield ""
        yield "# This holds for all peers of this device."
        # Three questions fit into the agreed time.
        yield f"set dpd_check_interval {spec.ike.dpd_timeout // 3}"


def _ikesa(order: Order) -> Iterator[str]:
    ike = order.spec.ike
    words = order.abilities.ike[ike.version]
    yield f"enc {words.encryption[ike.encryption]}"
    if crypto.is_aead(ike.encryption):
        yield f"prf {words.prf[ike.prf]}"
    else:
        yield f"prf {words.integrity[ike.integrity]}"
        yield f"auth {words.integrity[ike.integrity]}"
    yield f"group {words.dh[ike.dh_group]}"


def _childsa(order: Order) -> Iterator[str]:
    ipsec = order.spec.ipsec
    words = order.abilities.esp[order.spec.ike.version]
    yield f"enc {words.encryption[ipsec.encryption]}"
    if not crypto.is_aead(ipsec.encryption):
        yield f"auth {words.integrity[ipsec.integrity]}"
    yield f"group {words.dh[ipsec.pfs] if ipsec.pfs else 'none'}"
    # The VPN gateway's proposal has no extended sequence numbers.
    yield "noesn"


PLATFORM = Platform(
    id="openiked",
    vendor="OpenBSD",
    name="OpenIKED",
    abilities=VERSIONS,
    parts=(Part(filename="{tunnel_id}-iked.conf", write=write),),
    losses=losses,
)
PLATFORMS = (PLATFORM,)
