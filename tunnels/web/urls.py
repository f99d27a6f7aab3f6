"""Addresses of the console's pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, register_converter

from tunnels.web import converters

app_name = "tunnels"

register_converter(converters.TunnelId, "tunnel")
register_converter(converters.Step, "step")


@login_required
def tunnel_list(request: HttpRequest) -> HttpResponse:
    """Answer with the list of tunnels."""
    return HttpResponse("VPN Console")


urlpatterns = [
    path("tunnels/", tunnel_list, name="list"),
    path("", include("tunnels.web.wizard.urls")),
    path("", include("tunnels.web.detail.urls")),
    path("", include("tunnels.web.inventory.urls")),
    path("", include("tunnels.web.activity.urls")),
    path("", include("tunnels.web.users.urls")),
    path("", include("tunnels.web.configs.urls")),
    path("", include("tunnels.web.logs.urls")),
]
