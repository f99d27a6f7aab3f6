"""Carrying out a plan, one tunnel after the other; what fails at one does not stop the next.

Every step may be repeated, because a kill can fall between any two requests: what a step is about to make of a
tunnel is journalled before its first request, and that it did after its last.

A replacement loads before it terminates. A refused configuration then leaves the old tunnel running, and a peer
that comes back at once already meets the new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from tunnels.agent.charon import Charon, CharonRefused, IkeSa
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
        for step in plan.steps:
            if step.tunnel in problems:
                continue
            self._note(step.tunnel, str(step))
            try:
                if step.kind is Kind.REMOVE:
                    self._remove(step, by_id.get(step.tunnel), observation)
                else:
                    self._make(step, by_id[step.tunnel], observation, attempts or {})
            except CharonRefused as refused:
                problems[step.tunnel] = f"charon refused: {refused}."
            except StepFailed as failed:
                problems[step.tunnel] = str(failed)
            if step.tunnel in problems:
                self._note(step.tunnel, problems[step.tunnel])
        return problems

    def settle(self, observation: Observation, wanted: Sequence[Wanted]) -> bool:
        """Close the resets whose end can be told now; returns whether some are still open."""
        return self._resetter.settle(observation, wanted)

    def _make(
        self, step: Step, tunnel: Wanted, observation: Observation, attempts: Mapping[str, int]
    ) -> None:
        match step.kind:
            case Kind.REPLACE:
                self._load(step, tunnel, observation)
                self._terminate(tunnel.id, observation.sas.get(tunnel.id, ()))
                self._applied(tunnel)
            case Kind.LOAD:
                self._load(step, tunnel, observation)
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
        self._record(
            step.tunnel, entry, applied=None, pending=None, revision=tunnel.document.revision
        )

    def _begin(self, tunnel: Wanted) -> None:
        """Journal what charon may hold from now on."""
        entry = self._entry(tunnel)
        if entry.pending != tunnel.fingerprint:
            # With something else pending already, three contents are possible: too many to compare with.
            applied = entry.applied if entry.pending is None else None
            self._record(tunnel.id, entry, applied=applied, pending=tunnel.fingerprint)

    def _load(self, step: Step, tunnel: Wanted, observation: Observation) -> None:
        self._begin(tunnel)
        if step.secrets:
            self._load_secrets(tunnel, observation)
        if step.connection:
            self._charon.load_connection(tunnel.message)

    def _load_secrets(
        self, tunnel: Wanted, observation: Observation | None = None, *, sign_previous: bool = False
    ) -> None:
        messages = secret_messages(tunnel.document)
        if sign_previous:
            messages.reverse()
        for message in messages:
            self._charon.load_shared(message)
        previous = f"{tunnel.id}-previous"
        if observation and previous in observation.secrets and not tunnel.document.previous_psk:
            self._charon.unload_shared(previous)

    def _applied(self, tunnel: Wanted, *, signing_previous: bool = False) -> None:
        entry = self._entry(tunnel)
        changes: dict[str, object] = {}
        if entry.applied is None and entry.resets_done < tunnel.document.resets:
            # A reset asked for while charon had nothing of the tunnel is done by loading it; there is no outcome.
            changes = {"resets_done": tunnel.document.resets, "reset": None, "open_reset": None}
        self._record(
            tunnel.id, entry,
            applied=tunnel.fingerprint, pending=None, revision=tunnel.document.revision,
            signing_previous=signing_previous, **changes,
        )  # fmt: skip

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
        self._begin(tunnel)
        self._load_secrets(tunnel)
        self._charon.load_connection(tunnel.message)
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
                self._begin(tunnel)
                self._load_secrets(tunnel, sign_previous=previous)
                self._applied(tunnel, signing_previous=previous)
        for child in step.open:
            self._charon.initiate(ike=tunnel.id, child=child)

    def _entry(self, tunnel: Wanted) -> Entry:
        return self._journal.entries.get(tunnel.id, Entry())

    def _record(self, tunnel: str, entry: Entry, **changes: object) -> None:
        self._journal.record(tunnel, entry.model_copy(update=changes))
