"""A gateway's agent in words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from tunnels.models import GatewayAgent, VpnGateway
from tunnels.services.actions import is_silent

# A clock that is further off makes times in the log misleading.
SKEW_WARNING_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to know about the agent; `level` as in components/alert.html."""

    level: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """The agent's card. `mark` is the state's dot and `word` what stands beside it; empty texts are not known."""

    mark: str
    word: str
    reason: str
    enrolled: bool
    waiting: bool
    token_until: datetime | None
    seen: datetime | None
    enrolled_at: datetime | None
    refused_at: datetime | None
    agent_version: str = ""
    charon_version: str = ""
    plugins: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    skew: str = ""
    wanted_revision: int = 0
    fetched_revision: int = 0
    notes: tuple[Note, ...] = ()


def agent_view(gateway: VpnGateway, agent: GatewayAgent | None) -> AgentView:
    """The card of this gateway's agent; `agent` is None when nobody ever began to enrol one."""
    agent = agent or GatewayAgent(vpn_gateway=gateway)
    waiting = bool(
        agent.enrol_hash and agent.enrol_expires and agent.enrol_expires > timezone.now()
    )
    mark, word, reason = _state(gateway, agent, waiting=waiting)
    known = bool(agent.boot_id)
    return AgentView(
        mark=mark,
        word=word,
        reason=reason,
        enrolled=agent.enrolled,
        waiting=waiting,
        token_until=agent.enrol_expires if waiting else None,
        # To the minute, as it is shown: else the card would be new every few seconds.
        seen=gateway.last_seen and gateway.last_seen.replace(second=0, microsecond=0),
        enrolled_at=agent.enrolled_at,
        refused_at=_still_refused(gateway, agent),
        agent_version=agent.agent_version,
        charon_version=agent.charon_version,
        plugins=tuple(agent.plugins),
        foreign=tuple(agent.foreign) if known else (),
        skew=_skew(agent),
        wanted_revision=gateway.revision,
        fetched_revision=agent.seen_revision,
        notes=tuple(_notes(gateway, agent)),
    )


def version_of(*shown: object) -> str:
    """A short text that differs when what is shown does."""
    return hashlib.blake2s(repr(shown).encode(), digest_size=8).hexdigest()


def _state(gateway: VpnGateway, agent: GatewayAgent, *, waiting: bool) -> tuple[str, str, str]:
    if not agent.enrolled:
        if waiting:
            return "waiting", "Waiting", "A one-time token was made; the agent has still to use it."
        why = "Until an agent is enrolled, its tunnels are configured here and run nowhere."
        if agent.enrolled_at:
            why = (
                "Its token was revoked: it keeps its tunnels as they are and is not heard any more."
            )
        return "off", "Not enrolled", why
    if not agent.boot_id:
        return "waiting", "Enrolled", "It has not reported yet."
    if is_silent(gateway):
        return "unknown", "Silent", "Nobody knows what its tunnels do now."
    if agent.vici_error:
        return "failed", "No strongSwan", "The agent reports and cannot reach strongSwan."
    return "connected", "Reporting", "What its tunnels show is live."


def _still_refused(gateway: VpnGateway, agent: GatewayAgent) -> datetime | None:
    """The last refusal, unless the agent has been heard since."""
    if agent.refused_at is None:
        return None
    heard = agent.enrolled and gateway.last_seen and gateway.last_seen > agent.refused_at
    return None if heard else agent.refused_at


def _skew(agent: GatewayAgent) -> str:
    seconds = agent.clock_skew_seconds
    if seconds is None:
        return ""
    if abs(seconds) < 1:
        return "less than a second"
    return f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"


def _notes(gateway: VpnGateway, agent: GatewayAgent) -> list[Note]:
    notes = []
    if _still_refused(gateway, agent):
        notes.append(
            Note(
                level="warning",
                title="Somebody was refused",
                text="An agent that says it is this gateway's came with a token that is unknown or revoked. "
                "If it is yours, enrol it again.",
            )
        )
    if not agent.enrolled:
        return notes
    if agent.vici_error:
        notes.append(
            Note(level="error", title="The agent cannot reach strongSwan", text=agent.vici_error)
        )
    if agent.refused_plan:
        notes.append(
            Note(level="warning", title="The agent holds a plan back", text=agent.refused_plan)
        )
    if (
        agent.clock_skew_seconds is not None
        and abs(agent.clock_skew_seconds) > SKEW_WARNING_SECONDS
    ):
        notes.append(
            Note(
                level="warning",
                title="The gateway's clock is wrong",
                text=f"It is {_skew(agent)} of the console's, so times in its log mislead. Set up NTP on both hosts.",
            )
        )
    notes += [
        Note(level="warning", title="The agent reports a problem", text=problem)
        for problem in agent.problems
    ]
    return notes
