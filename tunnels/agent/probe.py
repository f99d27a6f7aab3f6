"""Health checks: an ICMP echo through each tunnel at its own pace, in a thread of their own."""

from __future__ import annotations

import contextlib
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from tunnels.agent.addresses import Address
from tunnels.agent.echo import Echo, open_echo
from tunnels.contract import HealthReport
from tunnels.domain.health import HealthCheck

# Loss and RTT are told over so many probes.
WINDOW = 20
# How soon new targets and the end are noticed.
LOOK_SECONDS = 0.2

Opener = Callable[[Address, Address], Echo]


@dataclass(slots=True)
class Verdict:
    """What the last probes say. Unhealthy after `threshold` losses in a row, healthy after one answer."""

    threshold: int
    results: deque[float | None] = field(default_factory=lambda: deque(maxlen=WINDOW))
    losses: int = 0
    healthy: bool | None = None

    def add(self, rtt: float | None) -> None:
        """One more result: milliseconds, or None for a loss."""
        self.results.append(rtt)
        self.losses = self.losses + 1 if rtt is None else 0
        if rtt is not None:
            self.healthy = True
        elif self.losses >= self.threshold:
            self.healthy = False

    def report(self) -> HealthReport | None:
        """None until there is something to say."""
        if self.healthy is None:
            return None
        answered = [rtt for rtt in self.results if rtt is not None]
        return HealthReport(
            healthy=self.healthy,
            rtt_ms=round(sum(answered) / len(answered), 3) if answered else None,
            loss=round(1 - len(answered) / len(self.results), 4),
        )


class _Target:
    """One tunnel's probe: when the next is due, and the one under way."""

    def __init__(self, check: HealthCheck, now: float) -> None:
        self.check = check
        self.verdict = Verdict(check.threshold)
        self.due = now
        self.sequence = 0
        self.sent: float | None = None
        self.echo: Echo | None = None
        self.watched = -1


class Prober:
    """`set_targets` says what to probe; `reports` what came of it. Both return at once, from any thread."""

    def __init__(
        self, *, opener: Opener = open_echo, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._opener = opener
        self._clock = clock
        self._lock = threading.Lock()
        self._targets: dict[str, _Target] = {}
        self._carrying: frozenset[str] = frozenset()
        self._retired: list[_Target] = []
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def set_targets(self, checks: Mapping[str, HealthCheck], carrying: Collection[str]) -> None:
        """Probe these tunnels. Of those not `carrying` each probe counts as lost and none is sent in clear."""
        now = self._clock()
        with self._lock:
            for tunnel, target in list(self._targets.items()):
                if checks.get(tunnel) != target.check:
                    self._retired.append(self._targets.pop(tunnel))
            for tunnel, check in checks.items():
                if tunnel not in self._targets:
                    self._targets[tunnel] = _Target(check, now)
            self._carrying = frozenset(carrying)

    def reports(self) -> dict[str, HealthReport]:
        """By tunnel; without those of which nothing is known yet."""
        with self._lock:
            found = {name: target.verdict.report() for name, target in self._targets.items()}
        return {name: report for name, report in found.items() if report}

    def turn(self) -> float:
        """Do what is due; returns the seconds until something is due again."""
        now = self._clock()
        with self._lock:
            for target in self._retired:
                self._drop(target)
            self._retired.clear()
            next_due = now + LOOK_SECONDS
            for name, target in self._targets.items():
                if target.sent is not None and now >= target.sent + target.check.timeout_ms / 1000:
                    self._finish(target, None)
                if target.sent is None and now >= target.due:
                    self._send(target, now, carrying=name in self._carrying)
                next_due = min(next_due, _next(target))
        return max(0.0, next_due - self._clock())

    def _run(self) -> None:
        while not self._ended.is_set():
            wait = self.turn()
            for key, _ in self._selector.select(wait):
                self._receive(key.data)
        for target in [*self._targets.values(), *self._retired]:
            self._drop(target)
        self._selector.close()

    def _send(self, target: _Target, now: float, *, carrying: bool) -> None:
        target.due = max(target.due + target.check.interval_ms / 1000, now)
        target.sequence += 1
        if not carrying:
            target.verdict.add(None)
            return
        try:
            if target.echo is None:
                target.echo = self._opener(target.check.local, target.check.remote)
            target.echo.send(target.sequence)
        except OSError:
            # The address is not on this host, or there is no route: the next probe begins afresh.
            self._drop(target)
            target.verdict.add(None)
            return
        target.sent = now
        target.watched = target.echo.fileno()
        self._selector.register(target.watched, selectors.EVENT_READ, target)

    def _receive(self, target: _Target) -> None:
        with self._lock:
            if target.echo is None or target.sent is None:
                return
            answered = target.echo.answered(target.sequence)
            if answered:
                self._finish(target, (self._clock() - target.sent) * 1000)
            elif answered is None:
                self._unwatch(target)  # it counts as lost when its time is over

    def _finish(self, target: _Target, rtt: float | None) -> None:
        target.verdict.add(rtt)
        target.sent = None
        self._unwatch(target)

    def _drop(self, target: _Target) -> None:
        self._unwatch(target)
        target.sent = None
        if target.echo is not None:
            target.echo.close()
            target.echo = None

    def _unwatch(self, target: _Target) -> None:
        if target.watched >= 0:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(target.watched)
            target.watched = -1


def _next(target: _Target) -> float:
    return target.due if target.sent is None else target.sent + target.check.timeout_ms / 1000
