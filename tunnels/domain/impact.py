"""What saving an edit does to the traffic, told before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tunnels.domain.spec import TunnelSpec


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
    if (before.local, before.remote, before.ike) != (after.local, after.remote, after.ike):
        return Impact(
            interruption=Interruption.TUNNEL,
            sentence="Saving renegotiates the whole tunnel: all its traffic stops for a moment, "
            "and for longer until the customer device has the same IKE settings.",
        )
    if before.psk != after.psk:
        return Impact(
            interruption=Interruption.TUNNEL,
            sentence="Saving replaces the pre-shared key: the tunnel goes down until the customer device has the new one.",
        )
    if before.ipsec != after.ipsec:
        return Impact(
            interruption=Interruption.TUNNEL,
            sentence="Saving renegotiates every mapping: traffic stops for a moment, "
            "and for longer until the customer device has the same IPsec settings.",
        )
    old = {(mapping.local, mapping.remote) for mapping in before.mappings}
    new = {(mapping.local, mapping.remote) for mapping in after.mappings}
    gone, added = len(old - new), len(new - old)
    if gone:
        return Impact(
            interruption=Interruption.MAPPINGS,
            sentence=f"Saving takes down {_mappings(gone)} and adds {added}; the others keep running.",
        )
    if added:
        return Impact(
            interruption=Interruption.NONE,
            sentence=f"Saving adds {_mappings(added)}; running traffic is not interrupted.",
        )
    return Impact(interruption=Interruption.NONE, sentence="Saving does not interrupt traffic.")


def _mappings(count: int) -> str:
    return f"{count} mapping" if count == 1 else f"{count} mappings"
