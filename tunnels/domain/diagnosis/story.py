"""What charon's lines have told so far: how far the attempt got, and which failures nothing has disproved yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tunnels.domain.diagnosis.model import Code, LogEntry
from tunnels.domain.diagnosis.offers import Offer
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings

# How many attempts of the peer are remembered until charon clears them away.
ATTEMPTS_MAX = 64
NO_LINE = LogEntry(at=datetime.min.replace(tzinfo=UTC), group="", level=0, text="")

SILENT = frozenset({Code.PEER_UNREACHABLE, Code.HALF_OPEN, Code.NAT_WITHOUT_4500, Code.DPD_TIMEOUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that went wrong.

    `pair` is (local, remote) as text when the line belongs to one pair of ranges; `renewal` says that the
    CHILD_SA which was to be renewed may still be up.
    """

    code: Code
    line: LogEntry
    also: tuple[Code, ...] = ()
    ours: str = ""
    theirs: str = ""
    offers: tuple[Offer, ...] = ()
    pair: tuple[str, str] | None = None
    phase2: bool = False
    renewal: bool = False


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt to make an IKE_SA.

    `answered`: the peer said anything; `established`: charon calls it so; `confirmed`: the peer has shown that it does
    too; `failed`: a cause is known; `moved`: behind NAT, so that all goes on over UDP 4500; `void`: it cannot work.
    """

    by_us: bool = True
    aggressive: bool = False
    answered: bool = False
    moved: bool = False
    established: bool = False
    confirmed: bool = False
    failed: bool = False
    has_child: bool = False
    void: bool = False


@dataclass(slots=True, kw_only=True)
class Story:
    """The memory of a reader; `failures` by name of the CHILD_SA, "" for those that belong to no single one."""

    ike: IkeSettings
    ipsec: IpsecSettings
    attempt: Attempt = field(default_factory=Attempt)
    failures: dict[str, Failure] = field(default_factory=dict)
    line: LogEntry = NO_LINE
    # The message that was sent last, and the payloads of the one that was understood last.
    sent: str = ""
    sent_payloads: str = ""
    parsed_payloads: str = ""
    parsed_version: int = 0
    # What the peer proposed, and by which identities it called us and itself.
    offers: tuple[Offer, ...] = ()
    identities: tuple[str, str] = ("", "")
    # The CHILD_SA in question, or at least its ranges, and the ranges of all that were named.
    child: str = ""
    pair: tuple[str, str] | None = None
    pairs: dict[str, tuple[str, str]] = field(default_factory=dict)
    up_at: dict[str, datetime] = field(default_factory=dict)
    route: str = ""
    deleted: bool = False
    explained: bool = False
    turned: bool = False
    peer_lifetime: int = 0
    # How often in a row the peer repeated its request, and whether that is more than chance.
    repetitions: int = 0
    peer_repeats: bool = False
    peer_began: deque[datetime] = field(default_factory=lambda: deque(maxlen=ATTEMPTS_MAX))

    @property
    def is_v1(self) -> bool:
        """Whether this tunnel is configured for IKEv1."""
        return self.ike.version == IkeVersion.V1

    def confirm(self) -> None:
        """Phase 1 is done for both sides: what stood against it is disproved."""
        self.attempt.established = self.attempt.confirmed = True
        self.peer_repeats = False
        self.peer_began.clear()
        general = self.failures.get("")
        if general is not None and not general.phase2:
            del self.failures[""]

    def fail(
        self,
        code: Code,
        *,
        also: tuple[Code, ...] = (),
        ours: str = "",
        theirs: str = "",
        offers: tuple[Offer, ...] = (),
    ) -> None:
        """The line says that phase 1 failed."""
        self._put(
            "",
            Failure(code=code, line=self.line, also=also, ours=ours, theirs=theirs, offers=offers),
        )

    def fail_child(
        self,
        code: Code,
        *,
        also: tuple[Code, ...] = (),
        ours: str = "",
        theirs: str = "",
        offers: tuple[Offer, ...] = (),
        renewal: bool = False,
    ) -> None:
        """The line says that phase 2 failed, for the CHILD_SA in question when one is known."""
        self.explained = True
        pair = self.pair or self.pairs.get(self.child)
        failure = Failure(
            code=code, line=self.line, also=also, ours=ours, theirs=theirs, offers=offers,
            pair=pair, phase2=True, renewal=renewal,
        )  # fmt: skip
        self._put(self.child, failure)

    def _put(self, name: str, failure: Failure) -> None:
        self.attempt.failed = True
        self.failures.pop(name, None)  # the newest stands last
        self.failures[name] = failure
