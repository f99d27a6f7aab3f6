"""What console and agent say to each other: one request, one answer, JSON both ways, versioned.

The agent posts what it observed (`SyncRequest`) and gets what it shall make true (`SyncAnswer`). Keys travel only
in the answer, and print themselves as dots. An unknown major version is refused on either side; unknown
fields of a known version are ignored, so that console and agent need not be upgraded at once.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    IPvAnyNetwork,
    SecretStr,
    field_serializer,
)

from tunnels.domain.health import HealthCheck
from tunnels.domain.proposals import (
    DpdAction,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    Negotiation,
)
from tunnels.domain.spd import Mapping
from tunnels.domain.status import Intent, Phase1

SCHEMA: Literal[1] = 1
# One request carries at most so many log lines; the rest follows with the next.
LOG_LINES_MAX = 2_000
LOG_TEXT_MAX = 2_000

TunnelId = Annotated[str, Field(pattern=r"^vpnx-[a-z0-9]{8}$")]


class Document(BaseModel):
    """A frozen document that ignores fields it does not know."""

    # A validation error must not quote what it was given: that may be a key.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


# --- Down: what shall be true ------------------------------------------------------------------


class MappingDocument(Document):
    """One pair of traffic selectors."""

    local: IPvAnyNetwork
    remote: IPvAnyNetwork

    @property
    def mapping(self) -> Mapping:
        """The pair as a domain value; its rule number does not travel."""
        return Mapping(local=self.local, remote=self.remote)


class IkeDocument(Document):
    """IkeSettings without the identities, which travel resolved."""

    version: IkeVersion
    mode: Mode
    encryption: str
    integrity: str
    prf: str
    dh_group: str
    lifetime_seconds: int
    dpd_enabled: bool
    dpd_timeout: int
    dpd_action: DpdAction
    negotiation: Negotiation

    @property
    def settings(self) -> IkeSettings:
        """As a domain value."""
        return IkeSettings(**self.model_dump())


class IpsecDocument(Document):
    """IpsecSettings."""

    encryption: str
    integrity: str
    pfs: str
    lifetime_seconds: int
    lifetime_kb: int

    @property
    def settings(self) -> IpsecSettings:
        """As a domain value."""
        return IpsecSettings(**self.model_dump())


class HealthDocument(Document):
    """A health check; times in milliseconds."""

    local: IPvAnyAddress
    remote: IPvAnyAddress
    interval_ms: int
    threshold: int
    timeout_ms: int

    @property
    def check(self) -> HealthCheck:
        """As a domain value."""
        return HealthCheck(
            local=self.local,
            remote=self.remote,
            interval_ms=self.interval_ms,
            threshold=self.threshold,
            timeout_ms=self.timeout_ms,
        )


class TunnelDocument(Document):
    """One tunnel as the gateway shall have it.

    `previous_psk` is the key before a rotation: still accepted from the peer while both ends change over.
    `resets` counts the resets asked for so far; the agent resets when it has done fewer.
    """

    id: TunnelId
    revision: int
    intent: Intent
    resets: int = 0
    local_address: IPvAnyAddress
    local_identity: str
    remote_address: IPvAnyAddress
    remote_identity: str
    psk: SecretStr
    previous_psk: SecretStr | None = None
    mappings: tuple[MappingDocument, ...]
    ike: IkeDocument
    ipsec: IpsecDocument
    health: HealthDocument | None = None

    @field_serializer("psk", "previous_psk", when_used="json")
    def _reveal(self, secret: SecretStr | None) -> str | None:
        """JSON goes to the gateway, or to its own file of mode 0600: there the key must be in clear."""
        return secret.get_secret_value() if secret else None


class SyncAnswer(Document):
    """The console's answer. `tunnels` is None when the agent already has this revision.

    `acknowledged` is the cursor up to which log lines are stored; `report_all` asks for a complete report with the
    next request, because the console does not know what this agent reported before. An answer for
    another gateway than the agent's, or of another schema, changes nothing.
    """

    schema_version: Literal[1] = SCHEMA
    gateway: str
    revision: int
    tunnels: tuple[TunnelDocument, ...] | None = None
    acknowledged: int = 0
    report_all: bool = False
    poll_seconds: float = 5.0


# --- Up: what was observed ---------------------------------------------------------------------


class MappingReport(Document):
    """One pair: installed or not, and its counters accumulated over all its CHILD_SAs since `since`."""

    local: IPvAnyNetwork
    remote: IPvAnyNetwork
    up: bool
    state: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0


class ResetReport(Document):
    """The outcome of one reset: CHILD_SAs before, right after terminating, and at the end."""

    number: int
    before: int
    between: int
    after: int
    seconds: float
    ok: bool
    problem: str = ""


class HealthReport(Document):
    """The probe's verdict; `rtt_ms` is None when nothing came back."""

    healthy: bool
    rtt_ms: float | None
    loss: float


class TunnelReport(Document):
    """One tunnel as charon has it. `error` says why `applied_revision` is not the wanted one."""

    id: TunnelId
    applied_revision: int
    error: str = ""
    phase1: Phase1 = Phase1.NONE
    established_at: AwareDatetime | None = None
    ike_id: int = 0
    nat: bool = False
    mappings: tuple[MappingReport, ...] = ()
    reset: ResetReport | None = None
    resets_done: int = 0
    health: HealthReport | None = None
    # During a rotation: which key charon signs with. A phase 1 established with it proves that the peer has it.
    signing: Literal["current", "previous"] = "current"


class LogDocument(Document):
    """One line of charon's log. `cursor` rises by one a line and never repeats."""

    cursor: int
    at: AwareDatetime
    tunnel: str = ""
    group: str
    level: int
    text: str = Field(max_length=LOG_TEXT_MAX)


class AgentFacts(Document):
    """Who is speaking. `clock` is the agent's time when it sent this, for the skew."""

    agent_version: str
    charon_version: str = ""
    plugins: tuple[str, ...] = ()
    boot_id: str
    clock: AwareDatetime
    vici_error: str = ""
    foreign: tuple[str, ...] = ()
    refused_plan: str = ""
    # What is wrong with the agent itself or with the console's last answer; one sentence each.
    problems: tuple[str, ...] = ()


class SyncRequest(Document):
    """Everything an agent has to say.

    `revision` is the gateway revision that it has (0 = none). `tunnels` are those whose report differs from the
    one last accepted, counters every half minute, or all of them when `complete`: an unchanged poll is nearly
    empty. `log_stream` is a random id kept beside the log cursor: a new one says that cursors begin again at 1.
    `gone` are tunnels of which charon holds nothing any more, which lets the console free their mappings.
    """

    schema_version: Literal[1] = SCHEMA
    facts: AgentFacts
    revision: int = 0
    complete: bool = False
    tunnels: tuple[TunnelReport, ...] = ()
    gone: tuple[TunnelId, ...] = ()
    log_stream: str = Field(default="", max_length=64)
    log: tuple[LogDocument, ...] = Field(default=(), max_length=LOG_LINES_MAX)
