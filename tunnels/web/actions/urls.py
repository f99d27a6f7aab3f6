"""Addresses of the actions on one tunnel: a question (GET) and the deed (POST)."""

from __future__ import annotations

from django.urls import path

from tunnels.web.actions import tags, views

urlpatterns = [
    path("tunnels/<tunnel:public_id>/reset/confirm/", views.reset_confirm, name="reset-confirm"),
    path("tunnels/<tunnel:public_id>/reset/", views.reset, name="reset"),
    path(
        "tunnels/<tunnel:public_id>/take-down/confirm/",
        views.take_down_confirm,
        name="take-down-confirm",
    ),
    path("tunnels/<tunnel:public_id>/take-down/", views.take_down, name="take-down"),
    path("tunnels/<tunnel:public_id>/bring-up/", views.bring_up, name="bring-up"),
    path("tunnels/<tunnel:public_id>/delete/confirm/", views.delete_confirm, name="delete-confirm"),
    path("tunnels/<tunnel:public_id>/delete/", views.delete, name="delete"),
    path("tunnels/<tunnel:public_id>/force-delete/", views.force_delete, name="force-delete"),
    path("tunnels/<tunnel:public_id>/tags/", tags.tags, name="tags"),
    path("tunnels/<tunnel:public_id>/tags/save/", tags.tags_save, name="tags-save"),
]
