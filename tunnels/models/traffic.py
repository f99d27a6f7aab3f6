"""The read side of samples: traffic, mappings up and round trips over time, as so many equal steps.

Counters only rise. A smaller value than the one before begins a new series: between the two nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from django.db import connection
from django.utils import timezone

# Name in addresses → (seconds back, seconds a step). A step is never shorter than two samples, so that none is empty
# while the gateway reports, and there are at most 300.
RANGES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"1h": (3_600, 60), "24h": (86_400, 300), "7d": (604_800, 2_400)}
)
DEFAULT: Final = "1h"

_SQL: Final = """
WITH sampled AS (
    SELECT at, bytes_in, bytes_out, mappings_up, rtt_ms, loss,
           bytes_in - lag(bytes_in) OVER earlier AS more_in,
           bytes_out - lag(bytes_out) OVER earlier AS more_out,
           extract(epoch FROM at - lag(at) OVER earlier) AS seconds
    FROM tunnels_sample
    WHERE tunnel_id = (SELECT id FROM tunnels_tunnel WHERE public_id = %(tunnel)s) AND at >= %(before)s
    WINDOW earlier AS (ORDER BY at, id)
)
SELECT floor(extract(epoch FROM at - %(start)s) / %(step)s)::int AS number,
       sum(more_in) FILTER (WHERE known) * 8 / nullif(sum(seconds) FILTER (WHERE known), 0),
       sum(more_out) FILTER (WHERE known) * 8 / nullif(sum(seconds) FILTER (WHERE known), 0),
       min(mappings_up), max(mappings_up), avg(rtt_ms), avg(loss)
FROM (SELECT *, more_in >= 0 AND more_out >= 0 AS known FROM sampled) AS judged
WHERE at >= %(start)s
GROUP BY number
ORDER BY number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step from `at` on: bits a second, the fewest and most mappings up, mean round trip in ms, loss from 0 to 1.

    What nobody reported is None.
    """

    at: datetime
    bits_in: float | None = None
    bits_out: float | None = None
    up_least: int | None = None
    up_most: int | None = None
    rtt_ms: float | None = None
    loss: float | None = None


def traffic(
    public_id: str, *, span: str = DEFAULT, coarser: int = 1, now: datetime | None = None
) -> Sequence[Step]:
    """All steps of a range of RANGES up to now, the oldest first, in one query; `coarser` makes fewer of them."""
    seconds, step = RANGES[span]
    step *= coarser
    end = int((now or timezone.now()).timestamp()) // step + 1
    first = end - seconds // step
    start = datetime.fromtimestamp(first * step, UTC)
    steps = {number: Step(at=_at(first + number, step)) for number in range(end - first)}
    parameters: dict[str, str | int | datetime] = {
        "tunnel": public_id,
        "start": start,
        "before": _at(first - 1, step),
        "step": step,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL, parameters)
        for number, bits_in, bits_out, least, most, rtt, loss in cursor.fetchall():
            if number in steps:
                steps[number] = Step(
                    at=steps[number].at,
                    bits_in=_float(bits_in),
                    bits_out=_float(bits_out),
                    up_least=least,
                    up_most=most,
                    rtt_ms=_float(rtt),
                    loss=_float(loss),
                )
    return tuple(steps.values())


def _at(number: int, step: int) -> datetime:
    return datetime.fromtimestamp(number * step, UTC)


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
