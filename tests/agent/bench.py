"""A charon in memory, a journal, and an agent's hands: what the tests of plans and laws work at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.agent.fakes import FakeCharon
from tunnels.agent.apply import Applier
from tunnels.agent.fingerprint import Wanted, prepare
from tunnels.agent.journal import Journal
from tunnels.agent.observe import observe
from tunnels.agent.plan import Plan, plan
from tunnels.contract import TunnelDocument


class Bench:
    """A charon in memory, a journal, and an agent's hands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.charon = FakeCharon()
        self.journal = Journal(folder)

    def wanted(self, documents: Iterable[TunnelDocument]) -> tuple[Wanted, ...]:
        wanted, problems = prepare(documents, self.journal.salt)
        assert problems == {}
        return wanted

    def plan(self, *documents: TunnelDocument) -> Plan:
        return plan(self.wanted(documents), observe(self.charon), self.journal.entries)

    def make(self, *documents: TunnelDocument) -> Plan:
        """Plan and apply; returns the plan."""
        wanted, observation = self.wanted(documents), observe(self.charon)
        planned = plan(wanted, observation, self.journal.entries)
        applier = Applier(self.charon, self.journal, sleep=lambda _seconds: None)
        assert applier.apply(planned, wanted, observation) == {}
        return planned

    def converge(self, *documents: TunnelDocument) -> None:
        """As after a kill: a new agent reads the journal, and goes on until nothing is to do."""
        self.charon.fail_at = None
        self.journal.close()
        self.journal = Journal(self.folder)
        for _ in range(4):
            if not self.make(*documents):
                return
        pytest.fail(f"still to do: {self.plan(*documents)}")
