"""All addresses: accounts, health, and the console itself at the root."""

from __future__ import annotations

from django.urls import include, path

from tunnels.api.agents import api as agents
from vpnconsole.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("api/agent/v1/", agents.urls),
    path("", include("tunnels.web.urls")),
]
