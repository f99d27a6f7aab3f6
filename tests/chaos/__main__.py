"""`python -m tests.chaos`: so many cycles of killing, and one line of what came of it."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path

from tests.chaos.campaign import Campaign
from tests.chaos.rig import Rig
from tunnels.lab import LabError, LabUnavailable


def main() -> int:
    """Run; the exit code is 0 when every cycle was well."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--cycles", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311
    parser.add_argument("--evidence", type=Path, help="a folder for the logs of what fails")
    given = parser.parse_args()
    # Ended in an orderly manner it leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    _say(f"chaos: {given.cycles} cycles, seed {given.seed}")
    try:
        with Rig() as rig:
            rig.furnish()
            rig.start_agent()
            campaign = Campaign(rig, seed=given.seed, evidence=given.evidence)
            problems = campaign.rest()
            if problems:
                _say("\n".join(["It did not come up:", *problems]))
                return 1
            well = campaign.run(given.cycles, say=_say)
            _say(campaign.summary)
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if well else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
