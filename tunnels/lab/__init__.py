"""Real strongSwan gateways in a private network: for the demo, for tests, and to prove what we render."""

from __future__ import annotations

from tunnels.lab.lab import Lab
from tunnels.lab.requirements import LabError, LabUnavailable
from tunnels.lab.side import BRANCH, GATEWAY, PingResult, Side, SidePlan

__all__ = [
    "BRANCH",
    "GATEWAY",
    "Lab",
    "LabError",
    "LabUnavailable",
    "PingResult",
    "Side",
    "SidePlan",
]
