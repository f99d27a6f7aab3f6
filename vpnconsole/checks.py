"""System checks: settings that work, but that nobody should leave so."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

from vpnconsole.env import EVERY_ADDRESS, environment


def check_hosts(**_: Any) -> list[CheckMessage]:
    """Warn when requests for any host name are answered, or when all but loopback are refused."""
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            checks.Warning(
                "ALLOWED_HOSTS accepts any host name.",
                hint="List the names by which people reach the console.",
                id="vpnconsole.W001",
            )
        )
    bind = environment().bind
    everywhere = bind in EVERY_ADDRESS or f"[{bind}]" in EVERY_ADDRESS
    if everywhere and not environment().allowed_hosts:
        found.append(
            checks.Warning(
                "BIND opens the console to the network, but it answers to localhost only.",
                hint="Set ALLOWED_HOSTS to the names by which people reach the console.",
                id="vpnconsole.W002",
            )
        )
    return found


def check_key_files(**_: Any) -> list[CheckMessage]:
    """Refuse key files that other users may read."""
    files = [settings.VPNCONSOLE.secrets_keys_file, environment().var_dir / "secret_key"]
    return [
        checks.Error(
            f"Other users may read the key file {file}.",
            hint=f"Run: chmod 600 {file}",
            id="vpnconsole.E001",
        )
        for file in files
        if isinstance(file, Path)
        and file.exists()
        and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
