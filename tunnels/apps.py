"""Registers the tunnels app with Django."""

from __future__ import annotations

from django.apps import AppConfig


class TunnelsConfig(AppConfig):
    """Tunnels, gateways, their networks and what was observed of them."""

    name = "tunnels"
    verbose_name = "VPN tunnels"
