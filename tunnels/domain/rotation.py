"""How far the rotation of a pre-shared key has come, judged from what the gateway reports.

While a rotation lasts, the gateway accepts both keys from the peer and signs with one of them. Which one the peer
has shows only when the two authenticate each other, which IKEv2 does when a connection begins and never again:
neither a connection from before nor its rekeying says anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeVersion

# A peer that refuses our signature says so after we have called the connection established.
SETTLED_AFTER = timedelta(seconds=10)


class RotationStage(StrEnum):
    """What is known about the key of the peer."""

    SILENT = "silent"
    APPLYING = "applying"
    OLD = "old"
    DOWN = "down"
    UNPROVEN = "unproven"
    SWITCHED = "switched"


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationFacts:
    """`both_keys_at` is when the gateway was first known to have both keys, `authenticated_at` when the two ends last
    authenticated each other; None for never. `signs_with_previous` tells the key that the gateway signs with.
    """

    now: datetime
    silent: bool
    connected: bool
    signs_with_previous: bool
    both_keys_at: datetime | None
    authenticated_at: datetime | None


def rotation_stage(facts: RotationFacts) -> RotationStage:
    """The stage for these facts."""
    if facts.silent:
        return RotationStage.SILENT
    if facts.both_keys_at is None:
        return RotationStage.APPLYING
    if not facts.connected:
        return RotationStage.DOWN
    if facts.signs_with_previous:
        return RotationStage.OLD
    at = facts.authenticated_at
    proven = at is not None and facts.both_keys_at < at <= facts.now - SETTLED_AFTER
    return RotationStage.SWITCHED if proven else RotationStage.UNPROVEN


def check_rotatable(version: IkeVersion) -> list[Finding]:
    """IKEv1 makes its session keys from the pre-shared key, so its gateway cannot try a second one."""
    if version is IkeVersion.V1:
        return [
            Finding(
                rule="rotation-needs-ikev2",
                message="IKEv1 cannot hold two keys at once. Switch both ends to IKEv2, or change the key in the basic "
                "information at a quiet hour: the tunnel is down until the device has it too.",
            )
        ]
    return []
