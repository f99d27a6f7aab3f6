"""Rotating the key of a tunnel: each step is asked as a dialog or a page, then done by a POST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from tunnels.domain.findings import RuleError
from tunnels.domain.rotation import check_rotatable
from tunnels.models import Tunnel
from tunnels.services import rotation
from tunnels.services.rotation import RISKS, stage_of
from tunnels.web.access import writes
from tunnels.web.back import way_back
from tunnels.web.detail.views import load
from tunnels.web.http import HtmxHttpRequest, done, respond

CHANGED: Final = "tunnels-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One step: what does it, and what is said when it changed something and when there was nothing to change."""

    do: Callable[..., bool]
    done: str
    nothing: str


DEEDS: Final[Mapping[str, Deed]] = MappingProxyType(
    {
        "start": Deed(
            do=rotation.start_rotation,
            done="Rotation of the key of {name} started. Now give the device the new key.",
            nothing="The key of {name} is being rotated already.",
        ),
        "finish": Deed(
            do=rotation.finish_rotation,
            done="The old key of {name} is dropped.",
            nothing="{name} has one key only.",
        ),
        "cancel": Deed(
            do=rotation.cancel_rotation,
            done="{name} keeps its old key.",
            nothing="No rotation of {name} is under way.",
        ),
    }
)


@require_GET
@writes("tunnels.change_tunnel")
def rotation_confirm(request: HtmxHttpRequest, public_id: str, action: str) -> HttpResponse:
    """Ask before a step."""
    _deed(action)
    return _ask(request, action, load(public_id))


@require_POST
@writes("tunnels.change_tunnel")
def rotate(request: HtmxHttpRequest, public_id: str, action: str) -> HttpResponse:
    """Do a step."""
    deed, tunnel = _deed(action), load(public_id)
    forced = {"force": True} if action == "finish" and "force" in request.POST else {}
    try:
        changed = deed.do(actor=request.user, tunnel=tunnel, **forced)
    except RuleError as error:
        return _ask(request, action, tunnel, problem=str(error))
    if changed:
        messages.success(request, deed.done.format(name=tunnel.name))
    else:
        messages.info(request, deed.nothing.format(name=tunnel.name))
    return done(request, way_back(request), event=CHANGED)


def _deed(action: str) -> Deed:
    if action not in DEEDS:
        raise Http404
    return DEEDS[action]


def _ask(
    request: HtmxHttpRequest, action: str, tunnel: Tunnel, *, problem: str = ""
) -> HttpResponse:
    stage = stage_of(tunnel)
    if action == "start" and not problem:
        findings = check_rotatable(tunnel.ike.settings.version)
        obstacle = findings[0].message if findings else ""
    else:
        obstacle = ""
    context = {
        "tunnel": tunnel,
        "back": way_back(request),
        "problem": problem or obstacle,
        "impossible": bool(obstacle),
        "risk": RISKS.get(stage, "") if stage else "",
    }
    return respond(
        request,
        f"tunnels/rotation/{action}.html",
        context,
        partial="dialog",
        status=422 if problem else 200,
    )
