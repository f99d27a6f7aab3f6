"""The values that go into a diagnosis and come out of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from tunnels.domain.addresses import Network
from tunnels.domain.proposals import IkeSettings, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spd import Mapping
from tunnels.domain.spec import TunnelSpec
from tunnels.domain.status import Intent, Phase1


class Code(StrEnum):
    """The causes that can be named."""

    PSK_MISMATCH = "psk-mismatch"
    IDENTITY_MISMATCH = "identity-mismatch"
    AUTH_FAILED = "auth-failed"
    IKE_VERSION_MISMATCH = "ike-version-mismatch"
    IKE_PROPOSAL_MISMATCH = "ike-proposal-mismatch"
    ESP_PROPOSAL_MISMATCH = "esp-proposal-mismatch"
    PFS_MISMATCH = "pfs-mismatch"
    TS_MISMATCH = "ts-mismatch"
    PEER_UNREACHABLE = "peer-unreachable"
    HALF_OPEN = "half-open"
    NAT_WITHOUT_4500 = "nat-without-4500"
    DPD_TIMEOUT = "dpd-timeout"
    DELETED_BY_PEER = "deleted-by-peer"
    LIFETIME_REKEY = "lifetime-rekey"
    KERNEL_INSTALL_FAILED = "kernel-install-failed"
    LOCAL_RANGE_WITHOUT_ADDRESS = "local-range-without-address"
    WAITING_FOR_TRAFFIC = "waiting-for-traffic"
    WAITING_FOR_PEER = "waiting-for-peer"


# These two are no faults: the tunnel does what it was told.
WAITING = frozenset({Code.WAITING_FOR_TRAFFIC, Code.WAITING_FOR_PEER})


class Step(StrEnum):
    """The step of the wizard in which the field to change is."""

    BASIC = "basic"
    SPD = "spd"
    IKE = "ike"
    IPSEC = "ipsec"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of charon's log that is about this tunnel; `group` as charon names it (`ike`, `cfg`, …)."""

    at: datetime
    group: str
    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What is configured. `secret` is needed only to keep it out of the answer; an empty one will do."""

    intent: Intent
    local_identity: str
    remote_identity: str
    remote_address: str
    mappings: tuple[Mapping, ...]
    ike: IkeSettings
    ipsec: IpsecSettings
    secret: Secret = field(default=Secret(""), repr=False)

    @classmethod
    def of(cls, spec: TunnelSpec) -> Self:
        """The same of a tunnel's description."""
        return cls(
            intent=spec.intent,
            local_identity=spec.local.identity,
            remote_identity=spec.remote.identity,
            remote_address=str(spec.remote.address),
            mappings=spec.mappings,
            ike=spec.ike,
            ipsec=spec.ipsec,
            secret=spec.psk,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the gateway reported last: the IKE_SA, and the (local, remote) pairs that have a CHILD_SA."""

    phase1: Phase1
    up: Collection[tuple[Network, Network]] = ()

    def down(self, mappings: Collection[Mapping]) -> tuple[Mapping, ...]:
        """Those of the mappings that are not up."""
        return tuple(one for one in mappings if (one.local, one.remote) not in self.up)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One cause. `ours` and `theirs` are the differing values, empty where the protocol does not show them.

    `step` and `field` name the input to look at first (fields as in the wizard's forms); `also` are causes that
    leave the same trace, because a peer that refuses does not say why.
    """

    code: Code
    cause: str
    advice: str
    evidence: LogEntry | None = None
    ours: str = ""
    theirs: str = ""
    step: Step = Step.NONE
    field: str = ""
    also: tuple[Code, ...] = ()

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong; waiting is not."""
        return self.code not in WAITING
