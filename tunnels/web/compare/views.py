"""Compare a pasted configuration with the tunnel. The text comes in the body of a POST and goes nowhere from there."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from tunnels.compare.grammars import GRAMMARS
from tunnels.compare.text import too_much
from tunnels.domain.findings import RuleError
from tunnels.models import Tunnel
from tunnels.services.comparison import compare_configuration
from tunnels.web.access import reads
from tunnels.web.compare.present import groups
from tunnels.web.detail.views import load
from tunnels.web.http import HtmxHttpRequest, respond

TEMPLATE: Final = "tunnels/compare.html"
CHUNK: Final = 65_536
# So much of a body that is too large is read and thrown away, so that the browser comes to read the answer.
DRAINED_MAX: Final = 67_108_864


@require_GET
@reads()
def compare(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with the page to paste into."""
    return _page(request, load(public_id))


# Only until the size is known: reading the token would read the whole body, and Django refuses a large one with a page
# that gives no reason. _compare checks the token.
@csrf_exempt
@sensitive_post_parameters("text")
@require_POST
@reads()
def compare_check(request: HtmxHttpRequest, public_id: str) -> HttpResponse:
    """Answer with what differs; 422 with the reason for what cannot be compared. Nothing pasted is in the answer."""
    tunnel = load(public_id, with_key=True)
    if _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        _drain(request)
        return _page(request, tunnel, refused=too_much("1 MB"), status=422)
    return _compare(request, tunnel)


@csrf_protect
def _compare(request: HtmxHttpRequest, tunnel: Tunnel) -> HttpResponse:
    grammar = request.POST.get("grammar", "")
    try:
        answer = compare_configuration(
            actor=request.user, tunnel=tunnel, text=request.POST.get("text", ""), grammar=grammar
        )
    except RuleError as error:
        return _page(request, tunnel, chosen=grammar, refused=error, status=422)
    return _page(request, tunnel, chosen=grammar, answer=answer, groups=groups(answer.differences))


def _page(
    request: HtmxHttpRequest,
    tunnel: Tunnel,
    *,
    status: int = 200,
    chosen: str = "",
    refused: RuleError | None = None,
    **context: Any,
) -> HttpResponse:
    context |= {
        "tunnel": tunnel,
        "grammars": GRAMMARS.values(),
        "chosen": chosen,
        "refusals": [finding.message for finding in refused.findings] if refused else [],
    }
    response = respond(request, TEMPLATE, context, partial="answer", status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def _length(request: HtmxHttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def _drain(request: HtmxHttpRequest) -> None:
    left = DRAINED_MAX
    while left > 0 and (read := len(request.read(CHUNK))):
        left -= read
