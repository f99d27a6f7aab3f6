"""Addresses of the list."""

from __future__ import annotations

from django.urls import path

from tunnels.web.listing import bulk, views

urlpatterns = [
    path("tunnels/", views.tunnel_list, name="list"),
    path("tunnels/live/", views.list_live, name="list-live"),
    path("tunnels/bulk/<slug:action>/confirm/", bulk.bulk_confirm, name="bulk-confirm"),
    path("tunnels/bulk/<slug:action>/", bulk.bulk, name="bulk"),
]
