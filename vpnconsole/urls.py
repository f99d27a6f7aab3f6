"""All addresses: accounts, health, and the console itself at the root."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from vpnconsole.health import healthz, readyz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="tunnels:list")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("", include("tunnels.web.urls")),
]
