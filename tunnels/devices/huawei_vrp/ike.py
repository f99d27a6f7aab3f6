"""The views of IKE: what is proposed, and who the peer is."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.huawei_vrp.notation import ROUTER
from tunnels.devices.huawei_vrp.words import INTEGRITY
from tunnels.devices.viewpoint import Viewpoint
from tunnels.devices.vrp import enter
from tunnels.domain.proposals import IkeVersion, Mode
from tunnels.domain.spec import TunnelSpec


def proposal(order: Order) -> tuple[str, ...]:
    """The IKE proposal: a number, for all tunnels of the device."""
    ike = order.spec.ike
    words = order.abilities.ike[ike.version]
    lines = [
        f"encryption-algorithm {words.encryption[ike.encryption]}",
        f"dh {words.dh[ike.dh_group]}",
        f"authentication-algorithm {words.integrity[ike.integrity]}",
        "authentication-method pre-share",
    ]
    if ike.version is IkeVersion.V2:
        hashing = INTEGRITY[ike.integrity]
        # As a pseudo-random function, a hash is never truncated.
        lines += [
            f"integrity-algorithm {hashing}",
            f"prf {hashing.removesuffix('-96')}",
        ]
    lines.append(f"sa duration {ike.lifetime_seconds}")
    return enter(f"ike proposal {int(order.answers['proposal'])}", *lines)


def peer(order: Order, view: Viewpoint) -> Iterator[tuple[str, ...]]:
    """The peer, and on a router its own name before it."""
    spec, ike, is_router = order.spec, order.spec.ike, order.version == ROUTER
    device = view.device.identity
    if is_router and not device.is_address:
        yield (f"ike local-name {device.text}",)
    wanted, other = int(ike.version), 3 - int(ike.version)
    lines = [f"version {wanted}", f"undo version {other}"]
    if ike.version is IkeVersion.V1:
        lines.append(f"exchange-mode {'aggressive' if ike.mode is Mode.AGGRESSIVE else 'main'}")
    key = f"cipher {spec.psk.reveal()}" if is_router else spec.psk.reveal()
    lines += [
        f"pre-shared-key {key}",
        f"ike-proposal {int(order.answers['proposal'])}",
        *(_router_identities(view) if is_router else _firewall_identities(view)),
        f"remote-address {view.gateway.address}",
        *_dpd(spec),
    ]
    yield enter(f"ike peer {spec.id}", *lines)


def _firewall_identities(view: Viewpoint) -> Iterator[str]:
    for whose, identity in (("local", view.device.identity), ("remote", view.gateway.identity)):
        yield f"{whose}-id-type {'ip' if identity.is_address else 'fqdn'}"
        yield f"{whose}-id {identity.text}"


def _router_identities(view: Viewpoint) -> Iterator[str]:
    """An address as an identity is that of `local-address` or `remote-address`, and needs no line of its own."""
    yield f"local-id-type {'ip' if view.device.identity.is_address else 'fqdn'}"
    if not view.gateway.identity.is_address:
        yield f"remote-id {view.gateway.identity.text}"
    yield f"local-address {view.device.address}"


def _dpd(spec: TunnelSpec) -> Iterator[str]:
    """The first question and three more, which together last as long as was agreed."""
    if not spec.ike.dpd_enabled:
        return
    idle = spec.ike.dpd_timeout // 3
    yield "dpd type periodic"
    yield f"dpd idle-time {idle}"
    yield f"dpd retransmit-interval {(spec.ike.dpd_timeout - idle) // 4}"
    yield "dpd retry-limit 3"
    if spec.ike.version is IkeVersion.V1:
        # Routers send the payloads the other way round unless they are told, and then nobody answers.
        yield "dpd msg seq-hash-notify"
