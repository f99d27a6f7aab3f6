"""A tunnel in words for its page. Only what was observed is shown as observed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from tunnels.domain import crypto
from tunnels.domain.crypto import Strength, Transform
from tunnels.domain.proposals import IkeVersion, weaknesses
from tunnels.domain.status import (
    Intent,
    Phase1,
    Provisioning,
    Situation,
    Word,
    explain,
    shown_word,
)
from tunnels.models import Mapping, Tunnel
from tunnels.services.actions import is_silent
from tunnels.web.moments import short_utc

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


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
    """One mapping and what is known about it: the `state` is told by dot and `state_text`."""

    local: str
    remote: str
    state: Word
    state_text: str


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
    return f"{stamp}-{tunnel.revision}-{tunnel.reset_count}-{is_silent(tunnel.vpn_gateway):d}"


def observed(tunnel: Tunnel) -> bool:
    """Whether what the gateway said last is there and still counts."""
    return tunnel.state.observed_at is not None and not is_silent(tunnel.vpn_gateway)


def rule_rows(tunnel: Tunnel) -> list[RuleRows]:
    """All mappings, rule by rule, the health-check pair last (one query)."""
    state, text = _pair_state(tunnel)
    mappings = Mapping.objects.filter(tunnel=tunnel).select_related("rule")
    return [
        RuleRows(
            title=f"Rule {position}" if position else "Health check",
            pairs=tuple(
                PairRow(
                    local=str(mapping.local_cidr),
                    remote=str(mapping.remote_cidr),
                    state=state,
                    state_text=text,
                )
                for mapping in group
            ),
        )
        for position, group in groupby(mappings, lambda row: row.rule.position if row.rule else 0)
    ]


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


def _pair_state(tunnel: Tunnel) -> tuple[Word, str]:
    """What is known of every pair. The gateway counts the pairs that are up; a count names none of them."""
    state = tunnel.state
    if is_silent(tunnel.vpn_gateway):
        return Word.UNKNOWN, "Unknown"
    current = state.provisioning == Provisioning.APPLIED.value
    if state.observed_at is None or not current:
        return Word.UNKNOWN, "Not reported yet"
    if state.mappings_up >= state.mappings_total:
        return Word.CONNECTED, "Up"
    if state.mappings_up:
        return Word.UNKNOWN, "Not reported one by one"
    if tunnel.intent != Intent.UP:
        return Word.DISABLED, "Down"
    if state.phase1 != Phase1.NONE.value:
        return Word.NEGOTIATING, "Negotiating"
    return Word.DISCONNECTED, "Down"


def _algorithm(label: str, transform: Transform) -> Fact:
    # What is insecure is told above the facts.
    why = "" if transform.strength is Strength.INSECURE else transform.reason
    return Fact(label=label, value=transform.label, strength=transform.strength, why=why)
