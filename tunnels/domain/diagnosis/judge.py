"""From the story that the lines tell, the settings and the last report to the one cause to show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tunnels.domain.diagnosis.causes import TEXTS
from tunnels.domain.diagnosis.model import Code, Configured, Diagnosis, LogEntry, Observed
from tunnels.domain.diagnosis.offers import Offer, describe, differing, our_esp, our_ike
from tunnels.domain.diagnosis.signs import read
from tunnels.domain.diagnosis.story import Failure, Story
from tunnels.domain.proposals import Negotiation
from tunnels.domain.spd import Mapping
from tunnels.domain.status import Intent, Phase1

MASK = "••••"
# Of a line, and of a value that the peer chose, no more than this is shown.
EVIDENCE_MAX = 500
VALUE_MAX = 200


def diagnose(
    lines: Iterable[LogEntry], configured: Configured, observed: Observed
) -> Diagnosis | None:
    """The cause why the tunnel is not (wholly) up, or will soon not be; None when there is none to name.

    `lines` are the newest lines about this tunnel, oldest first; leave out those from before its settings were last
    applied. The newest failure counts that no later success disproves. Never raises, whatever the lines say.
    """
    if configured.intent is not Intent.UP:
        return None
    story = Story(ike=configured.ike, ipsec=configured.ipsec)
    read(story, lines)
    down = observed.down(configured.mappings)
    failure = _standing(story, configured, observed, down)
    if failure is None:
        return _waiting(configured, down)
    if (
        failure.code is Code.DELETED_BY_PEER
        and configured.ike.negotiation is Negotiation.ON_TRAFFIC
    ):
        # An idle tunnel may be ended: the next packet opens it again.
        return _waiting(configured, down, failure.line)
    return _masked(_explain(failure, configured, down), configured)


def _standing(
    story: Story, configured: Configured, observed: Observed, down: tuple[Mapping, ...]
) -> Failure | None:
    """The newest failure that concerns something that is not up, or that is about to go down."""
    some_up = len(down) < len(configured.mappings)
    missing = {(str(one.local), str(one.remote)) for one in down}
    every = {(str(one.local), str(one.remote)) for one in configured.mappings}
    for failure in reversed(story.failures.values()):
        # Ranges that the peer asked for and we do not have belong to whatever is missing.
        known = failure.pair if failure.pair in every else None
        if failure.renewal:
            concerns = True
        elif failure.phase2:
            concerns = known in missing if known else bool(missing)
        else:
            concerns = bool(missing) and not (some_up and observed.phase1 is Phase1.ESTABLISHED)
        if concerns:
            return failure
    return None


def _waiting(
    configured: Configured, down: tuple[Mapping, ...], line: LogEntry | None = None
) -> Diagnosis | None:
    codes = {
        Negotiation.ON_TRAFFIC: Code.WAITING_FOR_TRAFFIC,
        Negotiation.PASSIVE: Code.WAITING_FOR_PEER,
    }
    code = codes.get(configured.ike.negotiation)
    if not down or code is None:
        return None
    # Who only answers cannot tell a peer that is silent from one that is out of reach.
    also = (Code.PEER_UNREACHABLE,) if code is Code.WAITING_FOR_PEER else ()
    diagnosis = replace(_from_text(code, configured), evidence=line, also=also)
    return _masked(diagnosis, configured)


def _explain(failure: Failure, configured: Configured, down: tuple[Mapping, ...]) -> Diagnosis:
    plain = replace(
        _from_text(failure.code, configured),
        evidence=failure.line, also=failure.also, ours=failure.ours, theirs=failure.theirs,
    )  # fmt: skip
    match failure.code:
        case Code.IKE_PROPOSAL_MISMATCH:
            return _with_offers(plain, our_ike(configured.ike), failure.offers, "dh_group")
        case Code.ESP_PROPOSAL_MISMATCH | Code.PFS_MISMATCH:
            return _with_offers(plain, our_esp(configured.ipsec), failure.offers, "pfs")
        case Code.IDENTITY_MISMATCH:
            return _with_identities(plain, configured)
        case Code.TS_MISMATCH:
            return replace(plain, ours=_ranges(down or configured.mappings))
        case Code.IKE_VERSION_MISMATCH:
            return replace(plain, ours=f"IKEv{configured.ike.version:d}")
        case Code.LIFETIME_REKEY:
            return replace(plain, ours=f"{configured.ipsec.lifetime_seconds} s")
        case _:
            return plain


def _from_text(code: Code, configured: Configured) -> Diagnosis:
    text = TEXTS[code]
    return Diagnosis(
        code=code,
        cause=text.cause.format(peer=configured.remote_address),
        advice=text.advice,
        step=text.step,
        field=text.field,
    )


def _with_offers(
    plain: Diagnosis, ours: Offer, theirs: tuple[Offer, ...], group_field: str
) -> Diagnosis:
    """Both sides' settings, when the peer's are known, and the first that differs."""
    kind = differing(ours, theirs)
    # A peer that names nothing but a group offered no more than that.
    told = describe(theirs) or ("no PFS" if theirs else "")
    field = {"": plain.field, "group": group_field}.get(kind, kind)
    return replace(plain, ours=str(ours), theirs=told, field=field)


def _with_identities(plain: Diagnosis, configured: Configured) -> Diagnosis:
    called, calls_itself = plain.ours, plain.theirs
    if called and called.casefold() != configured.local_identity.casefold():
        cause = "The peer expects another identity of us."
        return replace(
            plain, cause=cause, ours=configured.local_identity, theirs=called, field="local_fqdn"
        )
    if calls_itself and calls_itself.casefold() != configured.remote_identity.casefold():
        cause = "The peer identifies itself as somebody else than we expect."
        return replace(plain, cause=cause, ours=configured.remote_identity, theirs=calls_itself)
    cause = "The peer does not recognise the identity that we send, or we do not recognise its own."
    own = f"we are {configured.local_identity}, we expect {configured.remote_identity}"
    return replace(plain, cause=cause, ours=own, theirs="", field="local_fqdn")


def _ranges(mappings: Iterable[Mapping]) -> str:
    return ", ".join(str(mapping) for mapping in mappings)


def _masked(diagnosis: Diagnosis, configured: Configured) -> Diagnosis:
    """Without the key, should anybody have typed it where it is logged, and without endless values."""
    line = diagnosis.evidence
    if line is not None:
        line = replace(line, text=_clean(line.text, configured, EVIDENCE_MAX))
    return replace(
        diagnosis,
        evidence=line,
        ours=_clean(diagnosis.ours, configured, VALUE_MAX),
        theirs=_clean(diagnosis.theirs, configured, VALUE_MAX),
    )


def _clean(text: str, configured: Configured, longest: int) -> str:
    key = configured.secret.reveal()
    if key:
        text = text.replace(key, MASK)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
