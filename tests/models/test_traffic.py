from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pytest_django import DjangoAssertNumQueries

from tests import factories as make
from tunnels.models import Sample, Tunnel
from tunnels.models.traffic import RANGES, Step, traffic

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel()


def sample(
    tunnel: Tunnel, ago: float, count: int, *, up: int = 1, rtt: float | None = None
) -> None:
    """Counters as they stood so many seconds ago: `count` bytes in, half of it out."""
    Sample.objects.create(
        tunnel=tunnel,
        at=NOW - timedelta(seconds=ago),
        bytes_in=count,
        bytes_out=count // 2,
        packets_in=0,
        packets_out=0,
        mappings_up=up,
        rtt_ms=rtt,
        loss=None if rtt is None else 0.25,
    )


def told(steps: tuple[Step, ...]) -> dict[int, tuple[float | None, float | None]]:
    """Minutes ago → bits a second, for the steps of which something is known."""
    return {
        int((NOW - step.at).total_seconds() // 60): (step.bits_in, step.bits_out)
        for step in steps
        if step.up_most is not None
    }


def test_it_makes_rates_of_counters(tunnel: Tunnel) -> None:
    sample(tunnel, 150, 0)
    sample(tunnel, 90, 6_000)
    sample(tunnel, 60, 6_000)
    sample(tunnel, 30, 12_000)
    steps = tuple(traffic(tunnel.public_id, now=NOW))
    # In the last minute 6,000 bytes in 30 s; in the one before 6,000 bytes in 60 s, then none in 30.
    before = (pytest.approx(6_000 * 8 / 90), pytest.approx(3_000 * 8 / 90))
    assert told(steps) == {2: (None, None), 1: before, 0: (1_600.0, 800.0)}


def test_it_takes_a_smaller_counter_for_a_new_series(tunnel: Tunnel) -> None:
    sample(tunnel, 130, 900_000)
    sample(tunnel, 70, 100)
    sample(tunnel, 10, 6_100)
    assert told(tuple(traffic(tunnel.public_id, now=NOW))) == {
        2: (None, None),
        1: (None, None),
        0: (800.0, 400.0),
    }


def test_it_keeps_the_worst_and_the_mean_of_a_step(tunnel: Tunnel) -> None:
    sample(tunnel, 25, 0, up=4, rtt=10)
    sample(tunnel, 15, 0, up=1, rtt=None)
    sample(tunnel, 5, 0, up=3, rtt=20)
    last = traffic(tunnel.public_id, now=NOW)[-1]
    assert (last.up_least, last.up_most, last.rtt_ms, last.loss) == (1, 4, 15.0, 0.25)


@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("coarser", [1, 9])
def test_it_has_at_most_300_steps_up_to_now_in_one_query(
    tunnel: Tunnel, span: str, coarser: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = make.a_tunnel("10.0.9.0/24 192.168.9.0/24", name="other")
    sample(other, 20, 1)
    sample(tunnel, RANGES[span][0] + RANGES[span][1] * 3 * coarser, 5)
    with django_assert_num_queries(1):
        steps = traffic(tunnel.public_id, span=span, coarser=coarser, now=NOW)
    assert 6 <= len(steps) <= 300
    assert steps[-1].at <= NOW < steps[-1].at + timedelta(seconds=RANGES[span][1] * coarser)
    assert {later.at - step.at for step, later in pairwise(steps)} == {
        timedelta(seconds=RANGES[span][1] * coarser)
    }
    assert all(step.up_most is None for step in steps)
