"""What to do, from what is wanted and what is there: a pure function, and a value that prints and can be refused.

Rules: what is already so costs nothing; one tunnel's change touches that tunnel only; what goes, goes first; what
is not ours is not in the plan; knowing nothing asks for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from tunnels.agent.fingerprint import Fingerprint, Wanted
from tunnels.agent.journal import Entry
from tunnels.agent.observe import Observation
from tunnels.domain.status import Intent

# A plan that removes more than this many tunnels, and more than half of what runs, wants to be asked for twice.
REMOVALS_UNASKED = 2


class Kind(IntEnum):
    """The kinds of step, in the order in which they are done."""

    REMOVE = 1
    REPLACE = 2
    LOAD = 3
    RESET = 4
    INITIATE = 5


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One step at one tunnel. `close` and `open` are names of CHILD_SAs, sorted.

    `connection` and `secrets` say what a LOAD loads; a REPLACE loads both.
    """

    kind: Kind
    tunnel: str
    why: str
    close: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    connection: bool = False
    secrets: bool = False

    def __str__(self) -> str:
        text = f"{self.kind.name.lower():8} {self.tunnel}: {self.why}"
        if self.close:
            text += f"; close {', '.join(self.close)}"
        if self.open:
            text += f"; open {', '.join(self.open)}"
        return text


class UnsafePlan(Exception):
    """The plan would remove most of what runs; the message says how much."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are done. `running` is the number of our connections that charon holds."""

    steps: tuple[Step, ...] = ()
    running: int = 0
    removals: int = 0

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self.steps) or "Nothing to do."

    def raise_if_unsafe(self) -> None:
        """Raises UnsafePlan when more than two running tunnels and more than half of them would go."""
        if self.removals > REMOVALS_UNASKED and self.removals * 2 > self.running:
            raise UnsafePlan(
                f"{self.removals} of {self.running} running tunnels would be removed; "
                "this is done only if the next answer says the same."
            )


def plan(
    wanted: Sequence[Wanted] | None,
    observation: Observation,
    entries: Mapping[str, Entry],
    *,
    held: Collection[str] = (),
    patient: Collection[str] = (),
) -> Plan:
    """The steps that make `wanted` true; none when nothing is known.

    `held` are tunnels whose last step failed a moment ago: they wait for their turn. `patient` are tunnels that
    were initiated a moment ago: they are not initiated again yet.
    """
    if wanted is None:
        return Plan(running=len(observation.connections))
    steps = list(_removals(wanted, observation, held))
    removals = sum(step.tunnel in observation.connections for step in steps)
    for tunnel in wanted:
        if tunnel.up and tunnel.id not in held:
            entry = entries.get(tunnel.id, Entry())
            steps.extend(_steps(tunnel, observation, entry, wait=tunnel.id in patient))
    return Plan(tuple(sorted(steps)), running=len(observation.connections), removals=removals)


def _removals(
    wanted: Sequence[Wanted], observation: Observation, held: Collection[str]
) -> Iterator[Step]:
    reasons = {
        tunnel.id: "deleted" if tunnel.document.intent is Intent.DELETING else "taken down"
        for tunnel in wanted
        if not tunnel.up
    }
    kept = {tunnel.id for tunnel in wanted if tunnel.up}
    for tunnel_id in observation.present - kept:
        if tunnel_id not in held:
            why = reasons.get(tunnel_id, "no longer wanted")
            yield Step(Kind.REMOVE, tunnel_id, why)


def _steps(tunnel: Wanted, observation: Observation, entry: Entry, *, wait: bool) -> Iterator[Step]:
    content = _content(tunnel, observation, entry)
    if content is not None:
        yield content
    up = observation.carrying(tunnel.id)
    # Without an entry this tunnel is new here: resets of before are not ours to repeat.
    reset = entry.applied is not None and tunnel.document.resets > entry.resets_begun
    if reset:
        yield Step(Kind.RESET, tunnel.id, f"reset {tunnel.document.resets} was asked for")
    elif tunnel.active:
        missing = tunnel.children - up
        if content is not None:
            closed = tunnel.children if content.kind is Kind.REPLACE else set(content.close)
            missing |= closed & tunnel.children
        elif wait or observation.negotiates(tunnel.id):
            return
        if missing:
            yield Step(
                Kind.INITIATE, tunnel.id, f"{len(missing)} of {len(tunnel.children)} mappings are down",
                open=tuple(sorted(missing)),
            )  # fmt: skip


def _content(tunnel: Wanted, observation: Observation, entry: Entry) -> Step | None:
    """The step that loads what charon does not have, or has otherwise."""
    loaded = tunnel.id in observation.connections
    living = {child.name for child in observation.children(tunnel.id)}
    running = tunnel.id in observation.sas
    if entry.applied is None and running:
        return _replace(tunnel, "it runs with unknown settings")
    candidates = [known for known in (entry.applied, entry.pending) if known is not None]
    change = _Change()
    for known in candidates:
        change = change.joined(_difference(known, tunnel.fingerprint))
    if change.replace and (running or loaded):
        return _replace(tunnel, change.replace)
    whole = not loaded or not candidates or entry.pending is not None or bool(change.replace)
    connection = whole or change.connection
    secrets = whole or change.secrets or _secrets_differ(tunnel, observation)
    close = (living - tunnel.children) | (living & change.close)
    if not (connection or secrets or close):
        return None
    return Step(
        Kind.LOAD, tunnel.id, _reason(loaded=loaded, change=change, connection=connection),
        close=tuple(sorted(close)), connection=connection, secrets=secrets,
    )  # fmt: skip


def _replace(tunnel: Wanted, why: str) -> Step:
    return Step(Kind.REPLACE, tunnel.id, why, connection=True, secrets=True)


def _reason(*, loaded: bool, change: _Change, connection: bool) -> str:
    if not loaded:
        return "charon does not have it"
    if change.replace:
        return change.replace
    if change.connection:
        return "mappings or IPsec settings changed"
    return "charon may not have all of it" if connection else "keys or mappings are not as wanted"


def _secrets_differ(tunnel: Wanted, observation: Observation) -> bool:
    wanted = {tunnel.id}
    if tunnel.document.previous_psk:
        wanted.add(f"{tunnel.id}-previous")
    return wanted != {tunnel.id, f"{tunnel.id}-previous"} & observation.secrets


@dataclass(frozen=True, slots=True)
class _Change:
    """How one content differs from another; `replace` is why the whole tunnel must be negotiated anew."""

    replace: str = ""
    connection: bool = False
    secrets: bool = False
    close: frozenset[str] = frozenset()

    def joined(self, other: _Change) -> _Change:
        return _Change(
            replace=self.replace or other.replace,
            connection=self.connection or other.connection,
            secrets=self.secrets or other.secrets,
            close=self.close | other.close,
        )


def _difference(known: Fingerprint, wanted: Fingerprint) -> _Change:
    replace = ""
    if known.ike != wanted.ike:
        replace = "IKE settings, addresses or identities changed"
    elif known.psk != wanted.psk and not _rotates(known, wanted):
        replace = "the pre-shared key was replaced"
    return _Change(
        replace=replace,
        connection=known.children != wanted.children,
        secrets=(known.psk, known.previous) != (wanted.psk, wanted.previous),
        close=frozenset(
            name for name, digest in known.children.items() if wanted.children.get(name) != digest
        ),
    )


def _rotates(known: Fingerprint, wanted: Fingerprint) -> bool:
    """A rotation begins (the key we had stays accepted), or is called off (we go back to the previous key).

    An IKE_SA stands on keys of its own once it is authenticated: neither ends it.
    """
    return known.psk == wanted.previous or known.previous == wanted.psk
