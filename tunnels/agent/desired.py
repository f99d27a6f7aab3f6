"""What the agent holds to be wanted, and the gate that an answer passes before it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from tunnels.agent.fingerprint import Wanted, prepare
from tunnels.agent.journal import Entry
from tunnels.agent.observe import Observation
from tunnels.agent.plan import UnsafePlan, plan
from tunnels.agent.state import DesiredState, StateStore
from tunnels.contract import SyncAnswer, TunnelDocument


class Desired:
    """Begins with the saved state. `wanted` is None as long as nothing is known.

    `problems` says, by tunnel, why charon cannot be told of it; such a tunnel is left as it is.
    """

    def __init__(self, store: StateStore, *, salt: bytes) -> None:
        """Raises OSError."""
        self._store = store
        self._salt = salt
        self._refused = b""
        self.refused_plan = ""
        self.revision = 0
        self.documents: tuple[TunnelDocument, ...] = ()
        self.wanted: tuple[Wanted, ...] | None = None
        self.problems: dict[str, str] = {}
        saved = store.load()
        if saved is not None:
            self._hold(saved, *prepare(saved.tunnels, salt))

    @property
    def problem(self) -> str:
        """What was wrong with the saved state."""
        return self._store.problem

    def adopt(
        self,
        answer: SyncAnswer,
        observation: Observation | None,
        entries: Mapping[str, Entry],
    ) -> list[str]:
        """Take over the answer's tunnels, save them, and return the ids of those that are not as before.

        An answer that would remove most of what runs is refused once: `refused_plan` says so, and the revision
        stays the old one, so that the console sends it again. The same once more is meant. With charon away,
        what it held is taken to be what was wanted. Raises OSError when it cannot be saved.
        """
        state = DesiredState(
            gateway=answer.gateway, revision=answer.revision, tunnels=answer.tunnels or ()
        )
        digest = hashlib.sha256(state.model_dump_json(include={"tunnels"}).encode()).digest()
        candidate, problems = prepare(state.tunnels, self._salt)
        if digest != self._refused:
            seen = observation or Observation(connections=_up(self.wanted or ()))
            try:
                plan(candidate, seen, entries, held=problems).raise_if_unsafe()
            except UnsafePlan as unsafe:
                self._refused, self.refused_plan = digest, str(unsafe)
                return []
        before = {document.id: document for document in self.documents}
        self._store.save(state)
        self._hold(state, candidate, problems)
        self._refused, self.refused_plan = b"", ""
        return list(_changed(before, self.documents))

    def _hold(
        self, state: DesiredState, wanted: tuple[Wanted, ...], problems: dict[str, str]
    ) -> None:
        self.revision = state.revision
        self.documents = state.tunnels
        self.wanted, self.problems = wanted, problems


def _up(wanted: Sequence[Wanted]) -> frozenset[str]:
    return frozenset(tunnel.id for tunnel in wanted if tunnel.up)


def _changed(
    before: Mapping[str, TunnelDocument], after: Sequence[TunnelDocument]
) -> Iterator[str]:
    for document in after:
        if before.get(document.id) != document:
            yield document.id
