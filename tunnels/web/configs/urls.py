"""Addresses of a tunnel's device file."""

from __future__ import annotations

from django.urls import path

from tunnels.web.configs import views

urlpatterns = [
    path("tunnels/<tunnel:public_id>/config/", views.config, name="config"),
    path(
        "tunnels/<tunnel:public_id>/config/download/",
        views.config_download,
        name="config-download",
    ),
]
