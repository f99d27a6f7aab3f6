"""What the running console does by itself, beside requests: throw away old telemetry.

Each worker has a thread that asks now and then whether it is time; the database lets one of them do it.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from django.db import Error, close_old_connections

from tunnels.services.retention import prune_when_due

ASK_EVERY_SECONDS: Final = 300.0

log = logging.getLogger(__name__)


def start_upkeep() -> threading.Event:
    """Start the thread of this process; setting the event ends it."""
    ended = threading.Event()
    threading.Thread(target=_keep, args=(ended,), name="upkeep", daemon=True).start()
    return ended


def once() -> None:
    """Prune if it is time. A database that is away is met again at the next time."""
    try:
        done = prune_when_due()
    except Error as error:
        log.warning("Old telemetry could not be thrown away: %s", error)
        return
    if done and (done.lines or done.samples):
        log.info("Thrown away: %s log lines, %s samples", done.lines, done.samples)


def _keep(ended: threading.Event) -> None:
    while not ended.wait(ASK_EVERY_SECONDS):
        close_old_connections()
        once()
        close_old_connections()
