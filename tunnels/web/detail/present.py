"""A tunnel in words for its page. Only what was observed is shown as observed."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from tunnels.domain import crypto
from tunnels.domain.crypto import Strength, Transform
from tunnels.domain.proposals import IkeVersion, weaknesses
from tunnels.domain.rotation import RotationStage
from tunnels.domain.status import (
    Intent,
    Phase1,
    Situation,
    Word,
    explain,
    shown_word,
)
from tunnels.models import Mapping, Tunnel
from tunnels.services.actions import is_silent
from tunnels.services.rotation import stage_of
from tunnels.web.moments import short_utc

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60
_PHASE1: Final[MappingABC[Phase1, str]] = MappingProxyType(
    {
        Phase1.NONE: "none",
        Phase1.CONNECTING: "negotiating",
        Phase1.ESTABLISHED: "established",
    }
)


_STAGES: Final[MappingABC[RotationStage, str]] = MappingProxyType(
    {
        RotationStage.SILENT: "The VPN gateway is silent, so nobody knows which key the device has.",
        RotationStage.APPLYING: "The VPN gateway has still to take over both keys.",
        RotationStage.OLD: "The device still uses the old key. Traffic flows.",
        RotationStage.DOWN: "The tunnel has no connection. The VPN gateway tries both keys in turn.",
        RotationStage.UNPROVEN: "Traffic flows, and the device has not yet shown which key it has: that shows when the "
        "two ends negotiate anew. Many devices do so when their key changes; else reset the tunnel.",
        RotationStage.SWITCHED: "The device has the new key. Finish, so that the old one is good for nothing.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The word, a number beside it (or ""), and the sentence that says why."""

    word: Word
    detail: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and its value; for an algorithm also how strong it is, and why it is only compatible."""

    label: str
    value: str
    strength: Strength | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """One mapping and what is known about it: the `state` is told by dot and `state_text`.

    The bytes count since the mapping was made, whatever was rekeyed meanwhile; None when they are not known.
    """

    local: str
    remote: str
    state: Word
    state_text: str
    bytes_in: int | None = None
    bytes_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRows:
    """The mappings of one rule; `title` names it."""

    title: str
    pairs: tuple[PairRow, ...]


def status_of(tunnel: Tunnel) -> Status:
    """The status of a tunnel that was loaded with its state and its VPN gateway."""
    state = tunnel.state
    word = shown_word(Word(state.word), silent=is_silent(tunnel.vpn_gateway))
    detail = f"{state.mappings_up}/{state.mappings_total}" if word is Word.PARTIAL else ""
    return Status(word=word, detail=detail, reason=_reason(tunnel, word))


def version_of(tunnel: Tunnel) -> str:
    """What changes whenever the page's live parts would look different."""
    stamp = int(tunnel.state.updated_at.timestamp() * 1_000)
    # A rotation proves itself by time passing.
    stage = stage_of(tunnel) or ""
    return (
        f"{stamp}-{tunnel.revision}-{tunnel.reset_count}-{is_silent(tunnel.vpn_gateway):d}{stage}"
    )


def observed(tunnel: Tunnel) -> bool:
    """Whether what the gateway said last is there and still counts."""
    return tunnel.state.observed_at is not None and not is_silent(tunnel.vpn_gateway)


def rule_rows(tunnel: Tunnel) -> list[RuleRows]:
    """All mappings, rule by rule, the health-check pair last (one query)."""
    told = {(pair["local"], pair["remote"]): pair for pair in tunnel.state.pairs}
    silent = is_silent(tunnel.vpn_gateway)
    mappings = Mapping.objects.filter(tunnel=tunnel).select_related("rule")
    return [
        RuleRows(
            title=f"Rule {position}" if position else "Health check",
            pairs=tuple(
                _pair_row(
                    str(mapping.local_cidr),
                    str(mapping.remote_cidr),
                    None if silent else told,
                    tunnel,
                )
                for mapping in group
            ),
        )
        for position, group in groupby(mappings, lambda row: row.rule.position if row.rule else 0)
    ]


def cause_of(tunnel: Tunnel) -> dict[str, Any] | None:
    """Why the tunnel is not up (as services.diagnosis stores it); None when that is not known, or not any more."""
    if not observed(tunnel):
        return None
    cause: dict[str, Any] | None = tunnel.state.cause
    if cause is None:
        return None
    at = cause["evidence_at"]
    return {**cause, "evidence_at": datetime.fromisoformat(at) if at else None}


def rotation_of(tunnel: Tunnel) -> dict[str, str]:
    """`stage` and the sentence `stage_text` of the rotation of its key; empty without one."""
    stage = stage_of(tunnel)
    if stage is None:
        return {"stage": "", "stage_text": ""}
    return {"stage": stage.value, "stage_text": _STAGES[stage]}


def phase1_text(tunnel: Tunnel) -> str:
    """Phase 1 in a word, for a gateway that reports."""
    return _PHASE1[Phase1(tunnel.state.phase1)]


def reset_text(tunnel: Tunnel) -> str:
    """How the last reset went: the CHILD_SAs before it, in between, and after it; "" before the first."""
    report = tunnel.state.reset_report
    if not report:
        return ""
    numbers = f"{report['before']} → {report['between']} → {report['after']}"
    outcome = f"{numbers} CHILD_SAs in {report['seconds']:.1f} s"
    return f"{outcome}. {report['problem']}" if report["problem"] else outcome


def ike_facts(tunnel: Tunnel) -> list[Fact]:
    """Step 3 in words; what has no effect is left out."""
    ike, row = tunnel.ike.settings, tunnel.ike
    facts = [Fact(label="Version", value=row.get_version_display())]
    if ike.version is IkeVersion.V1:
        facts.append(Fact(label="Negotiation mode", value=row.get_mode_display()))
    facts.append(_algorithm("Encryption", crypto.ENCRYPTION[ike.encryption]))
    if crypto.is_aead(ike.encryption):
        facts.append(_algorithm("PRF", crypto.PRF[ike.prf]))
    else:
        facts.append(_algorithm("Integrity", crypto.INTEGRITY[ike.integrity]))
    facts += [
        _algorithm("DH group", crypto.DH_GROUPS[ike.dh_group]),
        Fact(label="IKE SA lifetime", value=duration(ike.lifetime_seconds)),
        Fact(
            label="VPN gateway identifier",
            value=ike.local_fqdn or f"its IP address, {tunnel.vpn_gateway.public_ip}",
        ),
        Fact(
            label="Customer gateway identifier",
            value=ike.remote_fqdn or f"its IP address, {tunnel.customer_gateway.public_ip}",
        ),
        Fact(label="Negotiation", value=row.get_negotiation_display()),
    ]
    dead = (
        f"after {ike.dpd_timeout} s of silence. {row.get_dpd_action_display()}"
        if ike.dpd_enabled
        else "off"
    )
    return [*facts, Fact(label="Dead peer detection", value=dead)]


def ipsec_facts(tunnel: Tunnel) -> list[Fact]:
    """Step 4 in words."""
    ipsec = tunnel.ipsec.settings
    facts = [
        Fact(label="Protocol", value="ESP in tunnel mode"),
        _algorithm("Encryption", crypto.ENCRYPTION[ipsec.encryption]),
    ]
    if not crypto.is_aead(ipsec.encryption):
        facts.append(_algorithm("Integrity", crypto.INTEGRITY[ipsec.integrity]))
    if ipsec.pfs:
        facts.append(_algorithm("PFS", crypto.DH_GROUPS[ipsec.pfs]))
    else:
        facts.append(Fact(label="PFS", value="off"))
    return [
        *facts,
        Fact(label="IPsec SA lifetime", value=duration(ipsec.lifetime_seconds)),
        Fact(label="Lifetime by volume", value=f"{ipsec.lifetime_kb:,} KB"),
    ]


def warnings_of(tunnel: Tunnel) -> list[str]:
    """A sentence for each insecure choice of steps 3 and 4."""
    return weaknesses(tunnel.ike.settings, tunnel.ipsec.settings)


def duration(seconds: int) -> str:
    """`86,400 s (1 day)`: the number, and what it is in the largest unit that divides it."""
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds % size == 0:
            count = seconds // size
            return f"{seconds:,} s ({count} {name}{'' if count == 1 else 's'})"
    return f"{seconds:,} s"


def _reason(tunnel: Tunnel, word: Word) -> str:
    state, gateway = tunnel.state, tunnel.vpn_gateway
    situation = Situation(
        word=word,
        intent=Intent(tunnel.intent),
        gateway=gateway.name,
        peer=str(tunnel.customer_gateway.public_ip),
        seen=gateway.last_seen is not None,
        silent_since=short_utc(gateway.last_seen if is_silent(gateway) else None),
        reset_waits=tunnel.reset_count > state.resets_done,
        failure=state.failure,
        up=state.mappings_up,
        total=state.mappings_total,
    )
    # What a gateway gives as its reason may be a sentence already.
    return f"{explain(situation).rstrip('.')}."


def _pair_row(
    local: str, remote: str, told: MappingABC[tuple[str, str], Any] | None, tunnel: Tunnel
) -> PairRow:
    """What the gateway said of the pair; `told` is None when the gateway is silent."""
    pair = told.get((local, remote)) if told else None
    if pair is None:
        text = "Unknown" if told is None else "Not reported yet"
        return PairRow(local=local, remote=remote, state=Word.UNKNOWN, state_text=text)
    state, text = _pair_state(pair, tunnel)
    return PairRow(
        local=local,
        remote=remote,
        state=state,
        state_text=text,
        bytes_in=pair["bytes_in"],
        bytes_out=pair["bytes_out"],
    )


def _pair_state(pair: MappingABC[str, Any], tunnel: Tunnel) -> tuple[Word, str]:
    if pair["up"]:
        return Word.CONNECTED, "Up"
    if tunnel.intent != Intent.UP:
        return Word.DISABLED, "Down"
    if pair["state"] or tunnel.state.phase1 == Phase1.CONNECTING:
        return Word.NEGOTIATING, "Negotiating"
    return Word.DISCONNECTED, "Down"


def _algorithm(label: str, transform: Transform) -> Fact:
    # What is insecure is told above the facts.
    why = "" if transform.strength is Strength.INSECURE else transform.reason
    return Fact(label=label, value=transform.label, strength=transform.strength, why=why)
