"""`python -m tunnels.lab`: a lab in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys

from tunnels.lab.lab import Lab
from tunnels.lab.requirements import LabError, LabUnavailable
from tunnels.lab.side import Side


def main() -> int:
    """Start a lab, say how to use it, wait for Ctrl-C or SIGTERM, end it. Returns the exit code."""
    argparse.ArgumentParser(
        prog="python -m tunnels.lab",
        description="Two strongSwan gateways in a private network of their own. Ctrl-C ends it.",
    ).parse_args()
    try:
        with Lab() as lab:
            # Waited for instead of raised, so that neither interrupts the clearing up.
            awaited = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
            signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
            _say(
                "A lab of two strongSwan gateways is running. Ctrl-C ends it, and nothing stays behind.\n"
            )
            for side in lab.sides.values():
                _describe(side)
            gateway, branch = lab.gateway, lab.branch
            _say("For example:")
            _say(f"  {gateway.shell} swanctl --stats")
            _say(f"  {gateway.shell} ping {branch.addresses[0]}")
            _say(f"  {branch.shell} bash\n")
            signal.sigwait(awaited)
    except KeyboardInterrupt:
        return 130
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _say("The lab has ended.")
    return 0


def _describe(side: Side) -> None:
    _say(f"{side.name}")
    _say(f"  addresses  {', '.join(side.addresses)}")
    _say(f"  inside     {', '.join(side.plan.lan)}")
    _say(f"  vici       unix://{side.vici_socket}")
    _say(f"  log        {side.log_path}")
    _say(f"  swanctl    {side.folder / 'swanctl' / 'conf.d'}")
    _say(f"  run in it  {side.shell} COMMAND …\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
