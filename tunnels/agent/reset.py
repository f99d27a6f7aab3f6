"""A reset's outcome: how many CHILD_SAs carried before, right after closing, and at the end, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tunnels.agent.charon import Charon, IkeSa
from tunnels.agent.fingerprint import Wanted
from tunnels.agent.journal import Entry, Journal, OpenReset
from tunnels.agent.observe import Observation
from tunnels.contract import ResetReport

# Most resets end within milliseconds: they are awaited on the spot. The others are looked at in later rounds.
QUICK_SECONDS = 1.0
POLL_SECONDS = 0.02
# A tunnel that is not up after so long has its reset reported as failed; the watchdog goes on trying.
LONGEST_SECONDS = 15.0


class Resetter:
    """Keeps the resets that have begun in the journal, and closes them."""

    def __init__(self, charon: Charon, journal: Journal, *, sleep: Callable[[float], None]) -> None:
        self._charon = charon
        self._journal = journal
        self._sleep = sleep

    def count(self, tunnel: str, *, among: Sequence[IkeSa]) -> int:
        """How many CHILD_SAs of these IKE_SAs still carry traffic."""
        old = {sa.unique_id for sa in among}
        return sum(
            child.carries
            for sa in self._charon.sas(tunnel)
            if sa.unique_id in old
            for child in sa.children
        )

    def open(self, tunnel: Wanted, *, before: int, between: int, started: float) -> None:
        """Journal a reset that has just initiated, and wait a moment for its end. Raises CharonUnreachable."""
        number = tunnel.document.resets
        opened = OpenReset(number=number, before=before, between=between, started=started)
        entry = self._journal.entries.get(tunnel.id, Entry())
        self._journal.record(tunnel.id, entry.model_copy(update={"open_reset": opened}))
        waited = 0.0
        while waited < QUICK_SECONDS and tunnel.active:
            up = {
                child.name
                for sa in self._charon.sas(tunnel.id)
                for child in sa.children
                if child.carries
            }
            if up >= tunnel.children:
                self._close(tunnel, opened, after=len(up))
                return
            self._sleep(POLL_SECONDS)
            waited += POLL_SECONDS

    def settle(self, observation: Observation, wanted: Sequence[Wanted]) -> bool:
        """Close the resets whose end can be told from this observation; returns whether some are still open."""
        still_open = False
        for tunnel in wanted:
            entry = self._journal.entries.get(tunnel.id)
            opened = entry.open_reset if entry else None
            if opened is None:
                continue
            after = len(observation.carrying(tunnel.id) & tunnel.children)
            late = time.time() - opened.started > LONGEST_SECONDS
            if after == len(tunnel.children) or late or not tunnel.up:
                self._close(tunnel, opened, after=after)
            else:
                still_open = True
        return still_open

    def _close(self, tunnel: Wanted, opened: OpenReset, *, after: int) -> None:
        total = len(tunnel.children)
        problem = ""
        if opened.between:
            problem = f"{opened.between} mappings were still up after closing."
        elif after < total and tunnel.active:
            problem = f"{after} of {total} mappings came up again."
        elif after < total:
            problem = f"{after} of {total} mappings are up again; it is for the peer or for traffic to open them."
        report = ResetReport(
            number=opened.number, before=opened.before, between=opened.between, after=after,
            seconds=round(max(0.0, time.time() - opened.started), 3),
            ok=not opened.between and (after == total or not tunnel.active), problem=problem,
        )  # fmt: skip
        entry = self._journal.entries.get(tunnel.id, Entry())
        self._journal.record(
            tunnel.id,
            entry.model_copy(
                update={"open_reset": None, "reset": report, "resets_done": opened.number}
            ),
        )
