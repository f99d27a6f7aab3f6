"""Who may see a page and who may change something: decorators for function views.

Nobody signed in: to the login page. A stranger, who may not even look: 404, as if there were
nothing. A reader who may look but not do this: 403, with the role that it needs.
The services check permissions again; here the answer gets its shape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeAlias, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from tunnels.services.access import require
from tunnels.web.http import HtmxHttpRequest

P = ParamSpec("P")
View: TypeAlias = Callable[Concatenate[HtmxHttpRequest, P], HttpResponseBase]
Guarded: TypeAlias = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

LOOK: Final = "tunnels.view_tunnel"


def reads(permission: str = LOOK) -> Callable[[View[P]], Guarded[P]]:
    """Let those see the page who have this permission; to others it does not exist (Http404)."""

    def decorate(view: View[P]) -> Guarded[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            asked = cast("HtmxHttpRequest", request)
            if not request.user.is_authenticated:
                return to_login(asked)
            if not request.user.has_perms({LOOK, permission}):
                raise Http404
            return view(asked, *args, **kwargs)

        return guarded

    return decorate


def writes(*permissions: str) -> Callable[[View[P]], Guarded[P]]:
    """Let those use the view who have all these permissions, forms that lead to a write included.

    Raises Http404 for strangers and PermissionDenied, naming the role, for readers.
    """

    def decorate(view: View[P]) -> Guarded[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            asked = cast("HtmxHttpRequest", request)
            if not request.user.is_authenticated:
                return to_login(asked)
            if not request.user.has_perm(LOOK):
                raise Http404
            for permission in permissions:
                require(asked.user, permission.partition(".")[2])
            return view(asked, *args, **kwargs)

        return guarded

    return decorate


def to_login(request: HtmxHttpRequest) -> HttpResponse:
    """The way to the login page and back to the page that is open now.

    After a plain POST it is the way to the start: the address of a write has no page to show.
    """
    start = resolve_url(settings.LOGIN_REDIRECT_URL)
    if request.htmx:
        login = redirect_to_login(request.htmx.current_url_abs_path or start)
        return HttpResponseClientRedirect(login.url)
    return redirect_to_login(request.get_full_path() if request.method == "GET" else start)
