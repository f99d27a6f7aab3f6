"""Addresses of the inventory, the same five for each noun."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tunnels.web.inventory import views
from tunnels.web.inventory.nouns import NOUNS, Noun

form = require_http_methods(["GET", "POST"])


def _addresses(noun: Noun) -> list[URLPattern]:
    one = f"{noun.path}/<slug:ident>"
    return [
        path(f"{noun.path}/", require_GET(views.list_view(noun)), name=f"{noun.slug}-list"),
        path(f"{noun.path}/new/", form(views.create_view(noun)), name=f"{noun.slug}-create"),
        path(f"{one}/edit/", form(views.edit_view(noun)), name=f"{noun.slug}-edit"),
        path(
            f"{one}/delete/confirm/",
            require_GET(views.confirm_view(noun)),
            name=f"{noun.slug}-delete-confirm",
        ),
        path(f"{one}/delete/", require_POST(views.delete_view(noun)), name=f"{noun.slug}-delete"),
    ]


urlpatterns = [address for noun in NOUNS for address in _addresses(noun)]
