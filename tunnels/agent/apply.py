"""Carrying out a plan; what fails at one tunnel does not stop the next.

Every step may be repeated, because a kill can fall between any two requests: what a step is about to make of a
tunnel is journalled before its first request, and that it did after its last. Steps that only load go together:
what all of them are about to make, all requests, what all of them did.

A replacement loads before it terminates. A refused configuration then leaves the old tunnel running, and a peer
that comes back at once already meets the new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from tunnels.agent.charon import Charon, CharonRefused, IkeSa, Load
from tunnels.agent.fingerprint import Wanted
from tunnels.agent.journal import Entry, Journal
from tunnels.agent.observe import Observation
from tunnels.agent.plan import Kind, Plan, Step
from tunnels.agent.render import secret_messages
from tunnels.agent.reset import Resetter
from tunnels.domain.status import Intent

# A silent peer does not answer a DELETE; after so long its SAs are dropped without it.
TERMINATE_SECONDS = 1.0
GONE_SECONDS = 3.0
POLL_SECONDS = 0.02
# So many tunnels are loaded together: charon never waits for us, and a kill leaves no more of them half told.
LOADS_TOGETHER = 64

Note = Callable[[str, str], None]


class StepFailed(Exception):
    """A step did not do what it is for; the message is for people."""


class Applier:
    """Applies plans to a charon and keeps the journal. `note(tunnel, text)` writes a line of the tunnel's log."""

    def __init__(
        self,
        charon: Charon,
        journal: Journal,
        *,
        note: Note = lambda _tunnel, _text: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._charon = charon
        self._journal = journal
        self._note = note
        self._sleep = sleep
        self._resetter = Resetter(charon, journal, sleep=sleep)

    def apply(
        self,
        plan: Plan,
        wanted: Sequence[Wanted],
        observation: Observation,
        *,
        attempts: Mapping[str, int] | None = None,
    ) -> dict[str, str]:
        """Do the steps. Returns what failed, by tunnel, as sentences.

        `attempts` is how often each tunnel was initiated in vain. Raises CharonUnreachable (the rest of the plan
        is not done then) and OSError when the journal cannot be written.
        """
        by_id = {tunnel.id: tunnel for tunnel in wanted}
        problems: dict[str, str] = {}
        for batch in _batches(plan.steps):
            steps = [step for step in batch if step.tunnel not in problems]
            for step in steps:
                self._note(step.tunnel, str(step))
            if _only_loads(batch[0]):
                failed = self._load_together(steps, by_id, observation)
            else:
                failed = self._alone(steps, by_id, observation, attempts or {})
            for tunnel, problem in failed.items():
                self._note(tunnel, problem)
            problems.update(failed)
        return problems

    def settle(self, observation: Observation, wanted: Sequence[Wanted]) -> bool:
        """Close the resets whose end can be told now; returns whether some are still open."""
        return self._resetter.settle(observation, wanted)

    def _alone(
        self,
        steps: Sequence[Step],
        by_id: Mapping[str, Wanted],
        observation: Observation,
        attempts: Mapping[str, int],
    ) -> dict[str, str]:
        for step in steps:
            try:
                if step.kind is Kind.REMOVE:
                    self._remove(step, by_id.get(step.tunnel), observation)
                else:
                    self._make(step, by_id[step.tunnel], observation, attempts)
            except CharonRefused as refused:
                return {step.tunnel: _refusal(str(refused))}
            except StepFailed as failed:
                return {step.tunnel: str(failed)}
        return {}

    def _load_together(
        self, steps: Sequence[Step], by_id: Mapping[str, Wanted], observation: Observation
    ) -> dict[str, str]:
        tunnels = [by_id[step.tunnel] for step in steps]
        self._begin(*tunnels)
        refused = self._charon.load(
            [_load(*pair, observation) for pair in zip(steps, tunnels, strict=True)]
        )
        self._applied(*(tunnel for tunnel in tunnels if tunnel.id not in refused))
        return {tunnel: _refusal(reason) for tunnel, reason in refused.items()}

    def _make(
        self, step: Step, tunnel: Wanted, observation: Observation, attempts: Mapping[str, int]
    ) -> None:
        match step.kind:
            case Kind.REPLACE:
                self._load(tunnel, _load(step, tunnel, observation))
                self._terminate(tunnel.id, observation.sas.get(tunnel.id, ()))
                self._applied(tunnel)
            case Kind.LOAD:
                self._load(tunnel, _load(step, tunnel, observation))
                for child in step.close:
                    self._charon.terminate(child=child, seconds=TERMINATE_SECONDS)
                self._applied(tunnel)
            case Kind.RESET:
                self._reset(tunnel)
            case _:
                self._initiate(step, tunnel, attempts.get(tunnel.id, 0))

    def _remove(self, step: Step, tunnel: Wanted | None, observation: Observation) -> None:
        """Unload first: a peer that comes back between the two finds nothing to come back to."""
        self._charon.unload_connection(step.tunnel)
        self._terminate(step.tunnel, observation.sas.get(step.tunnel, ()))
        if self._charon.sas(step.tunnel):
            raise StepFailed("charon still holds an SA of this tunnel after closing it.")
        for secret in sorted({step.tunnel, f"{step.tunnel}-previous"} & observation.secrets):
            self._charon.unload_shared(secret)
        if tunnel is None or tunnel.document.intent is Intent.DELETING:
            self._journal.forget(step.tunnel)
            return
        entry = self._journal.entries.get(step.tunnel, Entry())
        changes = {"applied": None, "pending": None, "revision": tunnel.document.revision}
        self._journal.record(step.tunnel, entry.model_copy(update=changes))

    def _begin(self, *tunnels: Wanted) -> None:
        """Journal what charon may hold from now on."""
        begun = {}
        for tunnel in tunnels:
            entry = self._entry(tunnel)
            if entry.pending != tunnel.fingerprint:
                # With something else pending already, three contents are possible: too many to compare with.
                applied = entry.applied if entry.pending is None else None
                begun[tunnel.id] = entry.model_copy(
                    update={"applied": applied, "pending": tunnel.fingerprint}
                )
        self._journal.record_all(begun)

    def _load(self, tunnel: Wanted, load: Load) -> None:
        self._begin(tunnel)
        for reason in self._charon.load([load]).values():
            raise CharonRefused(reason)

    def _applied(self, *tunnels: Wanted, signing_previous: bool = False) -> None:
        done = {}
        for tunnel in tunnels:
            entry = self._entry(tunnel)
            changes = {
                "applied": tunnel.fingerprint,
                "pending": None,
                "revision": tunnel.document.revision,
                "signing_previous": signing_previous,
            }
            if entry.applied is None and entry.resets_done < tunnel.document.resets:
                # A reset asked for while charon had nothing of the tunnel is done by loading it; there is no outcome.
                changes |= {
                    "resets_done": tunnel.document.resets, "reset": None, "open_reset": None,
                }  # fmt: skip
            done[tunnel.id] = entry.model_copy(update=changes)
        self._journal.record_all(done)

    def _terminate(self, tunnel: str, before: Sequence[IkeSa]) -> None:
        """Close its IKE_SAs and see that those of `before` are gone; a newer one is the peer's and may stay."""
        self._charon.terminate(ike=tunnel, seconds=TERMINATE_SECONDS)
        old = {sa.unique_id for sa in before}
        waited = 0.0
        while old & {sa.unique_id for sa in self._charon.sas(tunnel)}:
            if waited >= GONE_SECONDS:
                raise StepFailed(f"charon did not close the tunnel within {GONE_SECONDS:g} s.")
            self._sleep(POLL_SECONDS)
            waited += POLL_SECONDS

    def _reset(self, tunnel: Wanted) -> None:
        before = self._charon.sas(tunnel.id)
        started = time.time()
        self._terminate(tunnel.id, before)
        between = self._resetter.count(tunnel.id, among=before)
        secrets = tuple(secret_messages(tunnel.document))
        self._load(tunnel, Load(tunnel=tunnel.id, secrets=secrets, connection=tunnel.message))
        self._applied(tunnel)
        if tunnel.active:
            up = {child.name for sa in self._charon.sas(tunnel.id) for child in sa.children}
            for child in sorted(tunnel.children - up):
                self._charon.initiate(ike=tunnel.id, child=child)
        carried = sum(child.carries for sa in before for child in sa.children)
        self._resetter.open(tunnel, before=carried, between=between, started=started)

    def _initiate(self, step: Step, tunnel: Wanted, attempts: int) -> None:
        """Ask for each missing CHILD_SA; charon puts them on one IKE_SA.

        While two keys are valid the peer may have either, and refuses the wrong one: every other attempt signs
        with the previous key.
        """
        if tunnel.document.previous_psk:
            previous = attempts % 2 == 1
            if self._entry(tunnel).signing_previous != previous:
                # The last one loaded counts.
                secrets = secret_messages(tunnel.document)[:: -1 if previous else 1]
                self._load(tunnel, Load(tunnel=tunnel.id, secrets=tuple(secrets)))
                self._applied(tunnel, signing_previous=previous)
        for child in step.open:
            self._charon.initiate(ike=tunnel.id, child=child)

    def _entry(self, tunnel: Wanted) -> Entry:
        return self._journal.entries.get(tunnel.id, Entry())


def _batches(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Steps in their order: those that only load are together, every other one is alone."""
    loads: list[Step] = []
    for step in steps:
        if loads and (not _only_loads(step) or len(loads) == LOADS_TOGETHER):
            yield loads
            loads = []
        if _only_loads(step):
            loads.append(step)
        else:
            yield [step]
    if loads:
        yield loads


def _only_loads(step: Step) -> bool:
    return step.kind is Kind.LOAD and not step.close


def _load(step: Step, tunnel: Wanted, observation: Observation) -> Load:
    previous = f"{tunnel.id}-previous"
    stale = previous in observation.secrets and not tunnel.document.previous_psk
    return Load(
        tunnel=tunnel.id,
        secrets=tuple(secret_messages(tunnel.document)) if step.secrets else (),
        forget=(previous,) if step.secrets and stale else (),
        connection=tunnel.message if step.connection else None,
    )


def _refusal(reason: str) -> str:
    return f"charon refused: {reason}."
