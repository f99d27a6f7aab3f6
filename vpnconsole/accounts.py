"""How accounts come to be: administrators make them, visitors never do."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import Http404, HttpRequest, HttpResponse


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's behaviour without public sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves: this console reaches into private networks."""
        return False


def closed(request: HttpRequest) -> HttpResponse:
    """Answer 404 for what allauth offers and this console does not: it sends no mail."""
    raise Http404
