"""Addresses of the console's pages."""

from __future__ import annotations

from django.urls import include, path, register_converter

from tunnels.web import converters

app_name = "tunnels"

register_converter(converters.TunnelId, "tunnel")
register_converter(converters.Step, "step")


urlpatterns = [
    path("", include("tunnels.web.listing.urls")),
    path("", include("tunnels.web.actions.urls")),
    path("", include("tunnels.web.wizard.urls")),
    path("", include("tunnels.web.detail.urls")),
    path("", include("tunnels.web.inventory.urls")),
    path("", include("tunnels.web.gateways.urls")),
    path("", include("tunnels.web.activity.urls")),
    path("", include("tunnels.web.users.urls")),
    path("", include("tunnels.web.configs.urls")),
    path("", include("tunnels.web.compare.urls")),
    path("", include("tunnels.web.logs.urls")),
]
