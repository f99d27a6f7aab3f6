"""Throwing away old telemetry: lines of the gateways' logs, and the counters behind the charts.

Events, which say who did what, stay. Rows go in batches, each a transaction of its own, so that nothing waits for
long and a kill loses no more than one batch of work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from tunnels.models import Chore, LogLine, Sample, VpnGateway

BATCH: Final = 2_000
EVERY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows went."""

    lines: int
    samples: int


def prune() -> Pruned:
    """Throw away what is older than the settings allow, and the oldest lines of a gateway that has too many."""
    limits, now = settings.VPNCONSOLE, timezone.now()
    lines = _delete(LogLine.objects.filter(stored_at__lt=now - timedelta(days=limits.log_days)))
    for gateway in VpnGateway.objects.order_by("pk").values_list("pk", flat=True):
        lines += _delete_beyond(gateway, limits.log_lines_per_gateway)
    samples = _delete(Sample.objects.filter(at__lt=now - timedelta(days=limits.sample_days)))
    return Pruned(lines=lines, samples=samples)


def prune_when_due() -> Pruned | None:
    """Prune unless some process of the console began that within the last hour; None when it was not due."""
    return prune() if Chore.claim("prune", every=EVERY) else None


def _delete_beyond(gateway: int, count: int) -> int:
    """All lines of the gateway but the newest `count`."""
    lines = LogLine.objects.filter(vpn_gateway=gateway)
    edge = lines.order_by("-epoch", "-cursor").values_list("epoch", "cursor")[count : count + 1]
    for epoch, cursor in edge:
        return _delete(lines.filter(Q(epoch__lt=epoch) | Q(epoch=epoch, cursor__lte=cursor)))
    return 0


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while True:
        numbers = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
        if not numbers:
            return deleted
        # Nothing refers to these rows, so this is one statement.
        count, _ = rows.model._default_manager.filter(pk__in=numbers).delete()
        deleted += count
