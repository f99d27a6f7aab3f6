"""What the filters offer: all regions, networks and gateways of a small console in one query.

Where there are more than a list should hold, the filter becomes a field for the beginning of a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db.models import F, Model, QuerySet, Value

from tunnels.models import Ccn, CustomerGateway, Region, Vpc, VpnGateway

MOST: Final = 60


def choices() -> Mapping[str, list[tuple[str, str]] | None]:
    """For each of region, network, gateway and customer: (value, label) pairs by label, or None for too many."""
    found: dict[str, list[tuple[str, str]]] = {
        "region": [], "network": [], "gateway": [], "customer": [],
    }  # fmt: skip
    first, *others = (
        _offer(Region.objects.all(), "region", "code"),
        _offer(Vpc.objects.all(), "network", "public_id"),
        _offer(Ccn.objects.all(), "network", "public_id"),
        _offer(VpnGateway.objects.all(), "gateway", "public_id"),
        _offer(CustomerGateway.objects.all(), "customer", "public_id"),
    )
    for kind, value, label in first.union(*others, all=True):
        found[kind].append((value, label))
    return {
        kind: sorted(pairs, key=lambda pair: pair[1].lower())
        if len(pairs) <= MOST or kind == "region"
        else None
        for kind, pairs in found.items()
    }


def _offer(rows: QuerySet[Model], kind: str, value: str) -> QuerySet[Model, tuple[str, str, str]]:
    columns = rows.order_by().values_list(Value(kind), F(value), F("name"))
    return columns[: MOST + 1]
