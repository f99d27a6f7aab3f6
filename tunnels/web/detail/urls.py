"""Addresses of one tunnel's page."""

from __future__ import annotations

from django.urls import path

from tunnels.web.detail import editing, rotation, traffic, views

urlpatterns = [
    path("tunnels/<tunnel:public_id>/", views.detail, name="detail"),
    path("tunnels/<tunnel:public_id>/live/", views.detail_live, name="detail-live"),
    path("tunnels/<tunnel:public_id>/traffic/", traffic.traffic_page, name="traffic"),
    path("tunnels/<tunnel:public_id>/traffic/data/", traffic.traffic_data, name="traffic-data"),
    path(
        "tunnels/<tunnel:public_id>/rotation/<slug:action>/confirm/",
        rotation.rotation_confirm,
        name="rotation-confirm",
    ),
    path("tunnels/<tunnel:public_id>/rotation/<slug:action>/", rotation.rotate, name="rotate"),
    path("tunnels/<tunnel:public_id>/reveal-psk/", views.reveal_psk, name="reveal-psk"),
    path("tunnels/<tunnel:public_id>/edit/<step:step>/", editing.edit, name="edit"),
    path(
        "tunnels/<tunnel:public_id>/edit/<step:step>/impact/",
        editing.edit_impact_view,
        name="edit-impact",
    ),
    path("tunnels/<tunnel:public_id>/edit/spd/check/", editing.edit_check, name="edit-check"),
]
