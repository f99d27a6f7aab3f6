"""What saving an edit does to the traffic, told before it is saved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tunnels.domain import crypto
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings
from tunnels.domain.spec import Endpoint, TunnelSpec


class Interruption(StrEnum):
    """How much of the tunnel an edit interrupts."""

    NONE = "none"
    MAPPINGS = "mappings"
    TUNNEL = "tunnel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The extent and the sentence that tells it."""

    interruption: Interruption
    sentence: str


def edit_impact(before: TunnelSpec, after: TunnelSpec) -> Impact:
    """What happens when `before` is replaced by `after`, the heaviest consequence first."""
    if _phase1(before) != _phase1(after):
        return Impact(
            interruption=Interruption.TUNNEL,
            sentence="Saving renegotiates the whole tunnel: all its traffic stops for a moment, "
            "and for longer until the customer device has the same IKE settings.",
        )
    if before.psk != after.psk:
        return Impact(
            interruption=Interruption.TUNNEL,
            sentence="Saving replaces the pre-shared key: the tunnel goes down "
            "until the customer device has the new one.",
        )
    if _in_use_ipsec(before.ipsec) != _in_use_ipsec(after.ipsec):
        return Impact(
            interruption=Interruption.TUNNEL,
            sentence="Saving renegotiates every mapping: traffic stops for a moment, "
            "and for longer until the customer device has the same IPsec settings.",
        )
    old = {(mapping.local, mapping.remote) for mapping in before.mappings}
    new = {(mapping.local, mapping.remote) for mapping in after.mappings}
    gone, added = len(old - new), len(new - old)
    if gone:
        others = "the others keep running" if old & new else "none keeps running"
        return Impact(
            interruption=Interruption.MAPPINGS,
            sentence=f"Saving takes down {_mappings(gone)} and adds {added}; {others}.",
        )
    if added:
        return Impact(
            interruption=Interruption.NONE,
            sentence=f"Saving adds {_mappings(added)}; running traffic is not interrupted.",
        )
    return Impact(interruption=Interruption.NONE, sentence="Saving does not interrupt traffic.")


def _phase1(spec: TunnelSpec) -> tuple[object, ...]:
    return _end(spec.local), _end(spec.remote), _in_use_ike(spec.ike)


def _end(endpoint: Endpoint) -> tuple[object, ...]:
    # A gateway may be renamed: its name is not negotiated.
    return endpoint.address, endpoint.identity


def _in_use_ike(ike: IkeSettings) -> IkeSettings:
    """The settings with those that have no effect blanked, so that touching them is no change."""
    plain = IkeSettings()
    if crypto.is_aead(ike.encryption):
        ike = replace(ike, integrity=plain.integrity)
    if not crypto.is_aead(ike.encryption):
        ike = replace(ike, prf=plain.prf)
    if ike.version is IkeVersion.V2:
        ike = replace(ike, mode=plain.mode)
    if not ike.dpd_enabled:
        ike = replace(ike, dpd_timeout=plain.dpd_timeout, dpd_action=plain.dpd_action)
    return ike


def _in_use_ipsec(ipsec: IpsecSettings) -> IpsecSettings:
    if crypto.is_aead(ipsec.encryption):
        return replace(ipsec, integrity=IpsecSettings().integrity)
    return ipsec


def _mappings(count: int) -> str:
    return f"{count} mapping" if count == 1 else f"{count} mappings"
