"""The blocks of IKE: what is proposed, the key, and who is who."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.cisco import Block, mode
from tunnels.devices.viewpoint import Identity, Viewpoint
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion, Mode

_PROPOSED = "IKE: what is proposed"
_KEY = "IKE: the key"
_IDENTITIES = "IKE: who is who"
_HOST_MASK = "255.255.255.255"


def ikev1(order: Order, view: Viewpoint) -> Iterator[Block]:
    """Policy, keyring and profile of IKEv1."""
    spec, name = order.spec, order.spec.id
    ike, words = spec.ike, order.abilities.ike[IkeVersion.V1]
    yield Block(
        title=_PROPOSED,
        lines=mode(
            f"crypto isakmp policy {int(order.answers['policy'])}",
            f"encryption {words.encryption[ike.encryption]}",
            f"hash {words.integrity[ike.integrity]}",
            "authentication pre-share",
            f"group {words.dh[ike.dh_group]}",
            f"lifetime {ike.lifetime_seconds}",
        ),
    )
    local = f"local-address {view.device.address}"
    yield Block(
        title=_KEY,
        lines=mode(f"crypto keyring {name}", local, *_ikev1_keys(view, spec.psk.reveal())),
    )
    yield Block(
        title=_IDENTITIES,
        lines=mode(
            f"crypto isakmp profile {name}",
            f"keyring {name}",
            *_ikev1_identities(view),
            *_ikev1_habits(order),
            local,
        ),
    )


def _ikev1_keys(view: Viewpoint, key: str) -> Iterator[str]:
    gateway = view.gateway
    yield f"pre-shared-key address {gateway.address} key 0 {key}"
    if not gateway.identity.is_address:
        # We look the key up by address when we begin, and by name when the VPN gateway does.
        yield f"pre-shared-key hostname {gateway.identity.text} key 0 {key}"


def _ikev1_identities(view: Viewpoint) -> Iterator[str]:
    device, gateway = view.device.identity, view.gateway.identity
    # The address is that of `local-address`.
    yield "self-identity address" if device.is_address else f"self-identity fqdn {device.text}"
    if gateway.is_address:
        yield f"match identity address {gateway.text} {_HOST_MASK}"
    else:
        yield f"match identity host {gateway.text}"


def _ikev1_habits(order: Order) -> Iterator[str]:
    ike = order.spec.ike
    if ike.dpd_enabled:
        interval, retry = _liveness(ike.dpd_timeout)
        yield f"keepalive {interval} retry {retry}"
    if ike.mode is Mode.AGGRESSIVE:
        yield "initiate mode aggressive"


def ikev2(order: Order, view: Viewpoint) -> Iterator[Block]:
    """Proposal, policy, keyring and profile of IKEv2."""
    spec, name = order.spec, order.spec.id
    ike, words = spec.ike, order.abilities.ike[IkeVersion.V2]
    if crypto.is_aead(ike.encryption):
        hashing = f"prf {words.prf[ike.prf]}"
    else:
        # The PRF follows the integrity algorithm by itself.
        hashing = f"integrity {words.integrity[ike.integrity]}"
    proposal = mode(
        f"crypto ikev2 proposal {name}",
        f"encryption {words.encryption[ike.encryption]}",
        hashing,
        f"group {words.dh[ike.dh_group]}",
    )
    policy = mode(
        f"crypto ikev2 policy {name}",
        f"match address local {view.device.address}",
        f"proposal {name}",
    )
    yield Block(title=_PROPOSED, lines=proposal + policy)
    peer = mode(
        f"peer {name}",
        f"address {view.gateway.address}",
        f"pre-shared-key 0 {spec.psk.reveal()}",
    )
    yield Block(title=_KEY, lines=mode(f"crypto ikev2 keyring {name}", *peer))
    mask = f" {_HOST_MASK}" if view.gateway.identity.is_address else ""
    yield Block(
        title=_IDENTITIES,
        lines=mode(
            f"crypto ikev2 profile {name}",
            f"match identity remote {_identity(view.gateway.identity)}{mask}",
            f"identity local {_identity(view.device.identity)}",
            "authentication remote pre-share",
            "authentication local pre-share",
            f"keyring local {name}",
            f"lifetime {ike.lifetime_seconds}",
            *_ikev2_habits(order),
        ),
    )


def _identity(identity: Identity) -> str:
    return f"address {identity.text}" if identity.is_address else f"fqdn {identity.text}"


def _ikev2_habits(order: Order) -> Iterator[str]:
    ike = order.spec.ike
    if ike.dpd_enabled:
        interval, retry = _liveness(ike.dpd_timeout)
        yield f"dpd {interval} {retry} periodic"


def _liveness(timeout: int) -> tuple[int, int]:
    """Seconds between two questions, and between the five that follow an unanswered one: together the timeout."""
    interval = timeout // 3
    return interval, (timeout - interval) // 5
