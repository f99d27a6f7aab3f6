"""Traffic over time: as JSON for the chart, and as a table for everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from tunnels.models.traffic import DEFAULT, RANGES, Step, traffic
from tunnels.web.access import reads
from tunnels.web.detail.views import load
from tunnels.web.http import HtmxHttpRequest, respond

LABELS: Final = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days"}
# A table of all steps would be too long to read.
TABLE_COARSER: Final = {"1h": 3, "24h": 12, "7d": 9}
_UNITS: Final = ("b/s", "kb/s", "Mb/s", "Gb/s")


@require_GET
@reads()
def traffic_page(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the table, the newest line first."""
    tunnel, span = load(public_id), _span(request)
    steps = traffic(public_id, span=span, coarser=TABLE_COARSER[span])
    context = {
        "tunnel": tunnel,
        "span": span,
        "spans": LABELS.items(),
        "rows": [_row(step) for step in reversed(steps) if step.up_most is not None],
    }
    return respond(request, "tunnels/traffic.html", context)


@require_GET
@reads()
def traffic_data(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with one list a column, all of one length; null where nothing was reported."""
    tunnel = load(public_id)
    steps = traffic(public_id, span=_span(request))
    response = JsonResponse({"total": tunnel.state.mappings_total, **_columns(steps)})
    patch_cache_control(response, private=True, no_cache=True)
    return response


def rate(bits: float | None) -> str:
    """`1.2 Mb/s`; "–" when it is not known."""
    if bits is None:
        return "–"
    unit = 0
    while bits >= 1_000 and unit < len(_UNITS) - 1:
        bits, unit = bits / 1_000, unit + 1
    return (
        f"{bits:.0f} {_UNITS[unit]}" if bits >= 100 or unit == 0 else f"{bits:.1f} {_UNITS[unit]}"
    )


def _span(request: HtmxHttpRequest) -> str:
    asked = request.GET.get("range", DEFAULT)
    return asked if asked in RANGES else DEFAULT


def _columns(steps: Sequence[Step]) -> dict[str, list[Any]]:
    return {
        "at": [int(step.at.timestamp()) for step in steps],
        "in": [_whole(step.bits_in) for step in steps],
        "out": [_whole(step.bits_out) for step in steps],
        "up": [step.up_least for step in steps],
        "rtt": [step.rtt_ms and round(step.rtt_ms, 2) for step in steps],
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _row(step: Step) -> dict[str, Any]:
    up = (
        f"{step.up_least}"
        if step.up_least == step.up_most
        else f"{step.up_least} to {step.up_most}"
    )
    return {
        "at": step.at,
        "bits_in": rate(step.bits_in),
        "bits_out": rate(step.bits_out),
        "up": up,
        "rtt": "–" if step.rtt_ms is None else f"{step.rtt_ms:.1f} ms",
        "loss": "–" if step.loss is None else f"{step.loss:.0%}",
    }
