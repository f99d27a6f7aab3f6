"""Registers the project's own system checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register


class VpnconsoleConfig(AppConfig):
    """The project itself."""

    name = "vpnconsole"
    verbose_name = "VPN Console"

    def ready(self) -> None:
        """Have `manage.py check` examine what the environment gave."""
        from vpnconsole.checks import check_hosts, check_key_files

        register(check_hosts)
        register(check_key_files)
