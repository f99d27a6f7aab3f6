"""`manage.py prune`: throw away old telemetry now; the running console does it once an hour."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tunnels.services.retention import prune


class Command(BaseCommand):
    """Prune log lines and samples."""

    help = "Throw away log lines of gateways and traffic samples that are older or more than the settings allow."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say how much went."""
        done = prune()
        self.stdout.write(f"Thrown away: {done.lines} log lines, {done.samples} samples.")
