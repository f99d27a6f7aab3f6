"""The way back: an action returns people to the page where they chose it."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from tunnels.web.http import HtmxHttpRequest


def way_back(request: HtmxHttpRequest, *, gone: str = "") -> str:
    """The path to return to: the form's `next`, else the page that is open, else the list.

    Addresses outside this console are ignored, and so are pages under the path `gone`, which the action
    removes. The open page is what htmx says it is, or what the link's referrer was.
    """
    start = reverse("tunnels:list")
    said = request.POST.get("next") or request.GET.get("next")
    open_page = (
        request.htmx.current_url_abs_path if request.htmx else request.headers.get("Referer")
    )
    path = _inside(request, said) or _inside(request, open_page) or start
    return start if gone and path.startswith(gone) else path


def _inside(request: HtmxHttpRequest, address: str | None) -> str:
    if not address or not url_has_allowed_host_and_scheme(address, {request.get_host()}):
        return ""
    parts = urlsplit(address)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # A question is no place to return to; nor is anything that a browser could take for another site.
    asks = path.startswith("//") or parts.path.endswith("/confirm/") or parts.path == request.path
    return "" if asks or not path.startswith("/") else path
