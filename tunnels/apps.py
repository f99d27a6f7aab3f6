"""Registers the tunnels app with Django."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class TunnelsConfig(AppConfig):
    """Tunnels, gateways, their networks and what was observed of them."""

    name = "tunnels"
    verbose_name = "VPN tunnels"

    def ready(self) -> None:
        """Give the roles their permissions after every migrate: new tables bring new permissions."""
        post_migrate.connect(_sync_roles, dispatch_uid="tunnels.sync_roles")


def _sync_roles(**kwargs: Any) -> None:
    # Models are not loaded yet when this module is.
    from tunnels.services.access import sync_roles

    # The signal comes once for each app that has models; after the last one all permissions exist.
    if (
        kwargs["app_config"]
        is [config for config in apps.get_app_configs() if config.models_module][-1]
    ):
        sync_roles()
