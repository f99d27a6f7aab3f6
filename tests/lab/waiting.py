"""Waiting for what other processes do by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], bool]) -> bool:
    """Whether the condition holds within 20 s; far longer than it takes, so that a busy machine does no harm."""
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()
