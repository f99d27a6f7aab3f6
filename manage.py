#!/usr/bin/env python
"""Administrative commands of VPN Console: `python manage.py help` lists them."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run one management command; what the environment lacks is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vpnconsole.settings")
    from vpnconsole.env import Misconfigured, environment

    try:
        environment()
    except Misconfigured as error:
        sys.exit(f"vpnconsole: {error}")

    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except Misconfigured as error:
        sys.exit(f"vpnconsole: {error}")
    except OperationalError as error:
        sys.exit(
            f"vpnconsole: the database does not answer ({str(error).strip().splitlines()[0]}); "
            "start the console with `make run` in another terminal, or correct DATABASE_URL."
        )


if __name__ == "__main__":
    main()
