"""Addresses of a tunnel's log."""

from __future__ import annotations

from django.urls import path

from tunnels.web.logs import views

urlpatterns = [
    path("tunnels/<tunnel:public_id>/log/", views.log, name="log"),
    path("tunnels/<tunnel:public_id>/log/download/", views.log_download, name="log-download"),
]
