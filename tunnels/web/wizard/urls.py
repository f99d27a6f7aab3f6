"""Addresses of the wizard."""

from __future__ import annotations

from django.urls import path

from tunnels.web.wizard import views

urlpatterns = [
    path("tunnels/new/", views.create, name="create"),
    path("tunnels/new/<uuid:draft>/spd/check/", views.spd_check, name="wizard-spd-check"),
    path("tunnels/new/<uuid:draft>/<slug:step>/", views.wizard, name="wizard"),
]
