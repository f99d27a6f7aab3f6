"""`manage.py load_example`: data to look around in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tunnels.domain.findings import RuleError
from tunnels.services.access import SystemActor
from tunnels.services.example import load_example

NEXT = """Now try:
  - the list of tunnels: search for 192.168.2.7 to see which tunnels carry it
  - New tunnel on frankfurt-1: 10.0.0.0/24 with 192.168.1.0/24 is refused, because idc-shanghai has it;
    10.0.1.0/24 with 192.168.1.0/24 is not
  - Download config of idc-shanghai: the file for the customer's device
The tunnels stay in Provisioning: the gateways of the example do not exist. `make demo` brings one of them to life."""


class Command(BaseCommand):
    """Load the example."""

    help = (
        "Make a small example: regions, VPCs, gateways and tunnels. A second run changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it and say what was made; a refusal is one sentence."""
        try:
            made = load_example(actor=SystemActor(name="manage.py"))
        except RuleError as error:
            raise CommandError(
                f"The example was not loaded: {error} It fits best into an empty console."
            ) from None
        if not made:
            self.stdout.write("The example is there already; nothing was changed.")
            return
        self.stdout.write("The example was loaded:")
        for thing in made:
            self.stdout.write(f"  {thing}")
        self.stdout.write(NEXT)
