"""Addresses of the user pages."""

from __future__ import annotations

from django.urls import path

from tunnels.web.users import views

urlpatterns = [
    path("users/", views.user_list, name="user-list"),
    path("users/new/", views.user_create, name="user-create"),
    path("users/<int:pk>/edit/", views.user_edit, name="user-edit"),
    path(
        "users/<int:pk>/password/confirm/",
        views.user_password_confirm,
        name="user-password-confirm",
    ),
    path("users/<int:pk>/password/", views.user_password, name="user-password"),
]
