"""Addresses of the comparison with a pasted configuration."""

from __future__ import annotations

from django.urls import path

from tunnels.web.compare import views

urlpatterns = [
    path("tunnels/<tunnel:public_id>/compare/", views.compare, name="compare"),
    path("tunnels/<tunnel:public_id>/compare/check/", views.compare_check, name="compare-check"),
]
