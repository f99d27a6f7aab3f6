"""The status words, and how they follow from what we want and what was observed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
