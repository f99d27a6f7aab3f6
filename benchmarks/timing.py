"""Measuring things beside each other: always A B A B, so that a slow moment of the machine hits all."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

Step = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.p50:8.2f} {self.p95:8.2f}"


def times_of(taken: Sequence[float]) -> Times:
    """Median and 95th percentile of at least two values."""
    return Times(median(taken), quantiles(taken, n=20, method="inclusive")[-1])


def nothing() -> None:
    """No preparation."""


def interleaved(rounds: int, *steps: Step, warm_up: int = 5, before: Step = nothing) -> list[Times]:
    """The times of these steps, run in turn; the first rounds warm up and do not count.

    `before` runs before each step, outside the time.
    """
    taken: list[list[float]] = [[] for _ in steps]
    for number in range(rounds + warm_up):
        for times, step in zip(taken, steps, strict=True):
            before()
            started = perf_counter()
            step()
            if number >= warm_up:
                times.append((perf_counter() - started) * 1000)
        gc.collect(0)
    return [times_of(times) for times in taken]
