"""When to try again: per tunnel, twice as long after each time, never for good."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Waiting times by key. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float], *, first: float, longest: float) -> None:
        self._clock = clock
        self._first = first
        self._longest = longest
        self._attempts: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def tried(self, key: str) -> float:
        """Count an attempt; returns the seconds until the next one."""
        attempts = self._attempts.get(key, 0)
        wait = min(self._first * 2.0 ** min(attempts, 32), self._longest)
        self._attempts[key] = attempts + 1
        self._due[key] = self._clock() + wait
        return wait

    def attempts(self, key: str) -> int:
        """How often it was tried since it was last well."""
        return self._attempts.get(key, 0)

    def well(self, key: str) -> None:
        """Forget the attempts: it works, or is another thing now."""
        self._attempts.pop(key, None)
        self._due.pop(key, None)

    @property
    def waiting(self) -> frozenset[str]:
        """The keys whose time has not come."""
        now = self._clock()
        return frozenset(key for key, due in self._due.items() if due > now)

    def seconds_left(self) -> float:
        """Until the first of them; infinite when none waits."""
        now = self._clock()
        return min((due - now for due in self._due.values() if due > now), default=float("inf"))
