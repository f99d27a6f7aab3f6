"""The status words, and how they follow from what we want and what was observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Intent(StrEnum):
    """What the operator wants."""

    UP = "up"
    DOWN = "down"
    DELETING = "deleting"


class Provisioning(StrEnum):
    """Whether the gateway has taken over the newest revision."""

    PENDING = "pending"
    APPLIED = "applied"
    FAILED = "failed"


class Phase1(StrEnum):
    """The IKE_SA as last observed."""

    NONE = "none"
    CONNECTING = "connecting"
    ESTABLISHED = "established"


class Health(StrEnum):
    """The probe's verdict; OFF when no health check is configured."""

    OFF = "off"
    WAITING = "waiting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Word(StrEnum):
    """The one word of the list."""

    PROVISIONING = "provisioning"
    NEGOTIATING = "negotiating"
    CONNECTED = "connected"
    PARTIAL = "partial"
    DISCONNECTED = "disconnected"
    DISABLED = "disabled"
    DELETING = "deleting"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the word depends on; `up` of `total` mappings have an installed CHILD_SA."""

    intent: Intent
    provisioning: Provisioning
    phase1: Phase1
    up: int
    total: int


def status_word(facts: Facts) -> Word:
    """The word for facts that are fresh. Whether they are is `is_silent`'s question: stale facts are UNKNOWN."""
    match facts.intent:
        case Intent.DELETING:
            return Word.DELETING
        case Intent.DOWN if facts.up == 0:
            return Word.DISABLED
    match facts.provisioning:
        case Provisioning.FAILED:
            return Word.FAILED
        case Provisioning.PENDING:
            return Word.PROVISIONING
    if facts.total and facts.up >= facts.total:
        return Word.CONNECTED
    if facts.up:
        return Word.PARTIAL
    return Word.DISCONNECTED if facts.phase1 is Phase1.NONE else Word.NEGOTIATING


def shown_word(word: Word, *, silent: bool) -> Word:
    """The word to show: nothing that a silent gateway said last is live, only that we want the tunnel gone."""
    return Word.UNKNOWN if silent and word is not Word.DELETING else word


def is_connected(word: Word) -> bool:
    """Whether traffic can flow, so that deleting would cut it."""
    return word in {Word.CONNECTED, Word.PARTIAL}


# A gateway whose agent has not reported for this long is silent: what it said last is not shown as live.
SILENT_AFTER_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the sentence beside a shown word depends on; `gateway` and `peer` are names for people.

    `cause` is the diagnosis in a sentence, "" without one.
    `silent_since` is the moment, in words, when the gateway stopped reporting, "" when it has not;
    `seen` tells whether it ever reported.
    """

    word: Word
    intent: Intent
    gateway: str
    peer: str
    seen: bool
    silent_since: str
    reset_waits: bool
    failure: str
    up: int
    total: int
    cause: str = ""


def explain(situation: Situation) -> str:
    """Why the word is what it is: what is being waited for, or what went wrong. Plain text, no full stop."""
    s = situation
    if s.silent_since:
        waits = f"Waits for {s.gateway}," if s.word is Word.DELETING else f"{s.gateway} has been"
        return f"{waits} silent since {s.silent_since}"
    if s.reset_waits and s.intent is Intent.UP:
        return f"Reset requested; waiting for {s.gateway}"
    if s.intent is Intent.DOWN and s.word is not Word.DISABLED:
        return f"Waiting for {s.gateway} to take it down"
    if s.word is Word.PROVISIONING and not s.seen:
        return f"Waiting for the first report of {s.gateway}"
    if s.word is Word.FAILED and s.failure:
        return s.failure
    if s.cause and s.word in _DIAGNOSED:
        return s.cause
    return _EXPLANATIONS[s.word].format(gateway=s.gateway, peer=s.peer, up=s.up, total=s.total)


# Words beside which the cause that the log proves says more than we could guess.
_DIAGNOSED = frozenset({Word.NEGOTIATING, Word.DISCONNECTED, Word.PARTIAL, Word.CONNECTED})
_EXPLANATIONS: Mapping[Word, str] = MappingProxyType(
    {
        Word.PROVISIONING: "Waiting for {gateway} to take over the change",
        Word.NEGOTIATING: "Talking to {peer}; no mapping is up yet",
        Word.CONNECTED: "All mappings are up",
        Word.PARTIAL: "{up} of {total} mappings are up",
        Word.DISCONNECTED: "{peer} does not answer",
        Word.DISABLED: "Taken down on purpose",
        Word.DELETING: "Waiting for {gateway} to let go of it",
        Word.FAILED: "{gateway} could not apply it and gave no reason",
        Word.UNKNOWN: "{gateway} has stopped reporting",
    }
)
