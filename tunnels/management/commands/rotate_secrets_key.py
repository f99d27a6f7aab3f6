"""`manage.py rotate_secrets_key`: replace the key that protects stored pre-shared keys."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tunnels.domain.findings import RuleError
from tunnels.services import keys
from tunnels.services.access import SystemActor

ACTOR = SystemActor(name="manage.py")
NEXT = (
    "Next: restart the console, so that it writes with the new key; then run\n"
    "  manage.py rotate_secrets_key --drop-old\n"
    "Keep a copy of the key file with every backup of the database: one is useless without the other."
)


class Command(BaseCommand):
    """Rotate the key of the key file."""

    help = (
        "Encrypt all stored pre-shared keys with a new key. In order: (1) run it, (2) restart the console, "
        "(3) run it with --drop-old. It may be killed at any time and run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One switch: the last of the three steps."""
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="after the restart: remove the old keys from the key file",
        )

    def handle(self, *args: Any, drop_old: bool, **options: Any) -> None:
        """Do the step and say what comes next; a refusal is one sentence."""
        try:
            done = keys.drop_old(actor=ACTOR) if drop_old else keys.rotate(actor=ACTOR)
        except RuleError as error:
            raise CommandError(str(error)) from None
        if done.new_key:
            self.stdout.write("A new key is in front of the key file.")
        self.stdout.write(f"Pre-shared keys encrypted anew: {done.encrypted}.")
        if drop_old:
            self.stdout.write("Only the newest key is left.")
            self.stdout.write(
                "Unfinished drafts of new tunnels lose their key; whoever has one open types it again."
            )
        elif done.keys > 1:
            self.stdout.write(NEXT)
