"""All addresses: accounts, health, and the console itself at the root."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from tunnels.api.agents import api as agents
from vpnconsole.accounts import closed
from vpnconsole.health import healthz, readyz

# Pages of allauth that send or await a letter, or open the console to anybody.
LETTERS = r"^accounts/(?:signup|email|confirm-email|password/reset|login/code)(?:/|$)"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="tunnels:list")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    re_path(LETTERS, closed),
    path("accounts/", include("allauth.urls")),
    path("api/agent/v1/", agents.urls),
    path("", include("tunnels.web.urls")),
]
