"""How a page answers: in full, as a part for htmx, or by sending the browser elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_cache_control, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

# The element of base.html whose content is the open dialog.
DIALOG: Final = "dialog-body"

TOASTS: Final = "toasts"
CLOSE_DIALOG: Final = "dialog:close"


class HtmxHttpRequest(HttpRequest):
    """A request behind our decorators: somebody is signed in, and htmx's headers are read."""

    user: User
    htmx: HtmxDetails


class SeeOther(HttpResponseRedirectBase):
    """303: the answer to a form is another page, which the browser gets with GET."""

    status_code = 303


def in_dialog(request: HtmxHttpRequest) -> bool:
    """Whether the answer goes into the open dialog."""
    return bool(request.htmx) and request.htmx.target == DIALOG


def is_partial(request: HtmxHttpRequest) -> bool:
    """Whether the answer is a part of the page.

    A boosted link or form replaces the whole page, except inside the dialog, which keeps it.
    """
    if not request.htmx or request.htmx.history_restore_request:
        return False
    return not request.htmx.boosted or in_dialog(request)


def respond(
    request: HtmxHttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    partial: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, or its part named `partial` when htmx asks; without `partial` always the page.

    The template learns by `in_dialog` whether it is shown in the dialog. A form with mistakes
    answers with status 422, which htmx swaps in like a 200.
    """
    part = partial is not None and is_partial(request)
    name = f"{template}#{partial}" if part else template
    content = {**(context or {}), "in_dialog": part and in_dialog(request)}
    response = render(request, name, content, status=status)
    # One address has two answers, and neither is for a shared cache.
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    patch_cache_control(response, private=True, no_cache=True)
    return with_toasts(request, response) if part else response


def redirect(request: HtmxHttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Send the browser to an address, a view's name or an object; waiting messages show there."""
    url = resolve_url(to, *args, **kwargs)
    return HttpResponseClientRedirect(url) if request.htmx else SeeOther(url)


def done(
    request: HtmxHttpRequest, to: Any, *args: Any, event: str | None = None, **kwargs: Any
) -> HttpResponse:
    """The answer to a write that worked: the page below the dialog stays and hears of it.

    For htmx: the dialog closes, messages appear as toasts, and `event` (such as
    "tunnels-changed") tells lists to fetch themselves again. Without an event, or without
    JavaScript: the browser goes to `to`.
    """
    if event is None or not request.htmx:
        return redirect(request, to, *args, **kwargs)
    response = HttpResponse(status=204)
    trigger_client_event(response, CLOSE_DIALOG)
    trigger_client_event(response, event)
    return with_toasts(request, response)


def with_toasts(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Hand the waiting messages to the page that htmx keeps open; they appear as toasts."""
    waiting = [
        {"level": message.level_tag, "text": str(message)}
        for message in messages.get_messages(request)
    ]
    if waiting:
        trigger_client_event(response, TOASTS, {"items": waiting})
    return response
