"""The loop: observe → sync → plan → gate → apply → report, again and again.

Each round looks at what is, not at what happened, so any round may be the first one after a kill. With the console
away it goes on from the saved state; with charon away it says so.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from tunnels.agent.addresses import HostAddresses
from tunnels.agent.apply import Applier
from tunnels.agent.backoff import Backoff
from tunnels.agent.charon import Charon, CharonUnreachable, Version
from tunnels.agent.desired import Desired
from tunnels.agent.journal import Entry, Journal
from tunnels.agent.logs import Logs
from tunnels.agent.observe import Observation, accumulate, observe
from tunnels.agent.plan import Kind, Plan, plan
from tunnels.agent.probe import Prober
from tunnels.agent.report import Accepted, Reporter, boot_id, gone
from tunnels.agent.transport import BadAnswer, SyncFailed, Unauthorised
from tunnels.contract import LOG_LINES_MAX, AgentFacts, SyncAnswer, SyncRequest, TunnelReport
from tunnels.domain.status import Intent

POLL_SECONDS = (0.2, 300.0)
# While something is being negotiated it is looked at so often, and told when it changes.
LIVELY_SECONDS = 0.5
SOON_SECONDS = 0.05
# After an unexpected failure; it is logged with its context.
STUMBLE_SECONDS = 5.0

log = logging.getLogger("vpn-agent")
_random = secrets.SystemRandom()


class Syncs(Protocol):
    """The console, as the loop needs it."""

    def sync(self, request: SyncRequest) -> SyncAnswer:
        """Post a request. Raises SyncFailed."""


class Agent:
    """All parts together. `round` does one round; `run` does them until `stop`."""

    def __init__(
        self,
        *,
        charon: Charon,
        console: Syncs | None,
        desired: Desired,
        journal: Journal,
        logs: Logs,
        prober: Prober,
        addresses: HostAddresses | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`console` is None for an agent that only holds the saved state."""
        self._charon = charon
        self._console = console
        self._desired = desired
        self._journal = journal
        self._logs = logs
        self._prober = prober
        self._addresses = addresses
        self._clock = clock
        self._applier = Applier(charon, journal, note=logs.note)
        self._reporter = Reporter(journal)
        self._failures = Backoff(clock, first=2.0, longest=300.0)
        self._initiations = Backoff(clock, first=5.0, longest=300.0)
        self._silences = Backoff(clock, first=5.0, longest=60.0)
        self._refusals = Backoff(clock, first=60.0, longest=600.0)
        self._ended = threading.Event()
        self._observation: Observation | None = None
        self._version: Version | None = None
        self._vici_error = ""
        self._problems: dict[str, str] = {}
        self._answer_problem = ""
        self._address_problem = ""
        self._poll = 5.0
        self._next_sync = 0.0
        self._accepted = Accepted(clock)
        # What the console knows of this gateway from an earlier process is not known here: all is told first.
        self._tell_all = True

    def stop(self) -> None:
        """End after the round that is under way; tunnels keep running."""
        self._ended.set()

    def run(self) -> None:
        """Rounds until `stop`."""
        self._prober.start()
        try:
            while not self._ended.is_set():
                self._ended.wait(self._safe_round())
        finally:
            self._prober.stop()

    def _safe_round(self) -> float:
        try:
            return self.round()
        except Exception:
            log.exception("A round failed; the next one is in %s s", STUMBLE_SECONDS)
            return STUMBLE_SECONDS

    def round(self) -> float:
        """One round; returns the seconds until the next. Raises OSError when the state folder fails."""
        self._observe()
        self._logs.collect(self._desired.documents)
        before = self._clock()
        if before >= self._next_sync:
            self._sync()
            if self._clock() - before > LIVELY_SECONDS:
                self._observe()  # what was seen before that wait is old
        if self._observation is not None:
            self._reconcile(self._observation)
        self._probe()
        return self._wait()

    def close(self) -> None:
        """Close the files."""
        self._journal.close()
        self._logs.close()

    def _observe(self) -> None:
        try:
            if self._version is None:
                self._version = self._charon.version()
            observation = observe(self._charon)
        except CharonUnreachable as error:
            if not self._vici_error:
                log.warning("%s", error)
                self._logs.note("", str(error))
            self._vici_error, self._observation, self._version = str(error), None, None
            return
        if self._vici_error:
            log.info("charon answers again")
            self._logs.note("", "charon answers again.")
            self._vici_error = ""
        self._observation = observation
        every = (child for tunnel in observation.sas for child in observation.children(tunnel))
        self._journal.count(accumulate(self._journal.counters, every))

    # --- With the console ---

    def _sync(self) -> None:
        if self._console is None:
            self._next_sync = float("inf")
            return
        request = self._request()
        try:
            answer = self._console.sync(request)
            self._take(answer)
        except SyncFailed as failed:
            backoff = self._refusals if isinstance(failed, Unauthorised) else self._silences
            wait = backoff.tried("console")
            if str(failed) != self._answer_problem:
                log.warning("%s Next try in %.0f s.", failed, wait)
                if isinstance(failed, BadAnswer):
                    self._logs.note("", f"{failed} Nothing was changed.")
            self._answer_problem = str(failed)
            self._next_sync = self._clock() + _jittered(wait)
            return
        self._accepted.take(request.tunnels, all_of_them=request.complete)
        self._tell_all = answer.report_all or (self._tell_all and not request.complete)
        self._answer_problem = ""
        self._silences.well("console")
        self._refusals.well("console")
        self._poll = min(max(answer.poll_seconds, POLL_SECONDS[0]), POLL_SECONDS[1])
        more = self._logs.waiting >= LOG_LINES_MAX
        self._next_sync = self._clock() + (SOON_SECONDS if more else _jittered(self._poll))

    def _take(self, answer: SyncAnswer) -> None:
        """Raises BadAnswer when it cannot be what it seems; then nothing is changed."""
        if answer.tunnels is None and answer.revision != self._desired.revision:
            raise BadAnswer(f"The console spoke of revision {answer.revision} without sending it.")
        self._logs.acknowledged(answer.acknowledged)
        if answer.tunnels is None:
            return
        for tunnel in self._desired.adopt(answer, self._observation, self._journal.entries):
            # What failed with the old content need not fail with the new.
            self._failures.well(tunnel)
            self._initiations.well(tunnel)
        if self._desired.refused_plan:
            log.warning("%s", self._desired.refused_plan)
            self._logs.note("", self._desired.refused_plan)

    def _request(self) -> SyncRequest:
        reports = self._reports()
        # Without charon nothing is known of any tunnel: "complete" would say that they are all gone.
        complete = self._tell_all and self._observation is not None and bool(self._desired.revision)
        return SyncRequest(
            facts=self._facts(),
            revision=self._desired.revision,
            complete=complete,
            tunnels=reports if complete else self._accepted.news(reports),
            gone=gone(self._desired.documents, self._observation) if self._observation else (),
            log_stream=self._logs.stream,
            log=self._logs.first(LOG_LINES_MAX),
        )

    def _reports(self) -> tuple[TunnelReport, ...]:
        problems = {**self._problems, **self._desired.problems}
        observation = self._observation
        if observation is None:
            # Nothing is known of the SAs: saying "down" would be as wrong as repeating "up".
            return ()
        return self._reporter.tunnels(
            self._desired.documents, observation, problems=problems, health=self._prober.reports()
        )

    def _facts(self) -> AgentFacts:
        problems = (
            self._answer_problem, self._desired.problem, self._journal.problem, self._logs.problem,
            self._address_problem,
        )  # fmt: skip
        return AgentFacts(
            agent_version=agent_version(),
            charon_version=self._version.charon_version if self._version else "",
            plugins=self._version.plugins if self._version else (),
            boot_id=boot_id(),
            clock=datetime.now(UTC),
            vici_error=self._vici_error,
            foreign=self._observation.foreign if self._observation else (),
            refused_plan=self._desired.refused_plan,
            problems=tuple(problem for problem in problems if problem),
        )

    # --- With charon ---

    def _reconcile(self, observation: Observation) -> None:
        wanted = self._desired.wanted
        if wanted is None:
            return
        if self._addresses is not None:
            checks = [tunnel.document.health for tunnel in wanted if tunnel.up]
            self._address_problem = self._addresses.ensure(check.local for check in checks if check)
        planned = plan(
            wanted, observation, self._journal.entries,
            held=self._failures.waiting | self._desired.problems.keys(), patient=self._initiations.waiting,
        )  # fmt: skip
        try:
            if planned:
                self._apply(planned, observation)
            self._applier.settle(self._observation or observation, wanted)
        except CharonUnreachable as error:
            # The next round observes, and says so if it is still away.
            log.warning("%s", error)
            return
        self._advance()
        self._watch(planned)
        if self._accepted.urgent(self._reports()):
            self._next_sync = min(self._next_sync, self._clock() + SOON_SECONDS)

    def _apply(self, planned: Plan, observation: Observation) -> None:
        wanted = self._desired.wanted or ()
        attempts = {tunnel.id: self._initiations.attempts(tunnel.id) for tunnel in wanted}
        for step in planned.steps:
            log.info("%s", step)
        failed = self._applier.apply(planned, wanted, observation, attempts=attempts)
        for step in planned.steps:
            if step.tunnel not in failed:
                self._problems.pop(step.tunnel, None)
                self._failures.well(step.tunnel)
        for tunnel, problem in failed.items():
            wait = self._failures.tried(tunnel)
            log.warning("%s: %s Next try in %.0f s.", tunnel, problem, wait)
        self._problems.update(failed)
        self._observe()

    def _watch(self, planned: Plan) -> None:
        """Count the initiations: a tunnel that stays down is tried again later and later."""
        for step in planned.steps:
            if step.kind is Kind.INITIATE:
                wait = self._initiations.tried(step.tunnel)
                attempt = self._initiations.attempts(step.tunnel)
                if attempt > 1:
                    self._logs.note(
                        step.tunnel,
                        f"watchdog: attempt {attempt}, the next in {wait:.0f} s if need be.",
                    )
        if self._observation is not None:
            for tunnel in self._desired.wanted or ():
                if tunnel.children <= self._observation.carrying(tunnel.id):
                    self._initiations.well(tunnel.id)

    def _advance(self) -> None:
        """A revision that changed nothing for charon is applied as soon as it is known."""
        present = self._observation.present if self._observation else frozenset()
        for tunnel in self._desired.wanted or ():
            entry = self._journal.entries.get(tunnel.id, Entry())
            settled = entry.applied == tunnel.fingerprint and entry.pending is None
            if not tunnel.up:
                settled = tunnel.document.intent is Intent.DOWN and tunnel.id not in present
            if settled and entry.revision != tunnel.document.revision:
                self._journal.record(
                    tunnel.id, entry.model_copy(update={"revision": tunnel.document.revision})
                )

    def _probe(self) -> None:
        checks = {
            tunnel.id: tunnel.document.health.check
            for tunnel in self._desired.wanted or ()
            if tunnel.up and tunnel.document.health
        }
        carrying = {
            tunnel for tunnel in checks if self._observation and self._observation.carrying(tunnel)
        }
        self._prober.set_targets(checks, carrying)

    def _wait(self) -> float:
        until_sync = max(0.0, self._next_sync - self._clock())
        due = [
            until_sync,
            self._failures.seconds_left(),
            self._initiations.seconds_left(),
            self._poll,
        ]
        if self._lively():
            due.append(LIVELY_SECONDS)
        return max(SOON_SECONDS, min(due))

    def _lively(self) -> bool:
        observation = self._observation
        return observation is not None and any(
            observation.negotiates(tunnel.id) or self._resetting(tunnel.id)
            for tunnel in self._desired.wanted or ()
        )

    def _resetting(self, tunnel: str) -> bool:
        entry = self._journal.entries.get(tunnel)
        return entry is not None and entry.open_reset is not None


def agent_version() -> str:
    """The version that this agent was installed as."""
    try:
        return version("vpnconsole")
    except PackageNotFoundError:
        return "source"


def _jittered(seconds: float) -> float:
    """A tenth more or less, so that many agents do not come in step."""
    return seconds * _random.uniform(0.9, 1.1)
