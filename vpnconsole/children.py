"""Child processes whose end is in our hands: not in the terminal's, and never left behind."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final

PR_SET_PDEATHSIG: Final = 1


def start_child(
    command: list[str], *, death_signal: signal.Signals, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a program that the terminal's Ctrl-C does not reach, and that ends with this process.

    `death_signal` is what it gets when this process is killed without a chance to stop it (Linux).
    """
    return subprocess.Popen(
        command,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent(death_signal),  # noqa: PLW1509 (no threads yet)
        **options,
    )


def stop_child(
    process: subprocess.Popen[bytes], *, ask: signal.Signals, force: signal.Signals, seconds: float
) -> None:
    """Ask the child to end, and after that many seconds force it to."""
    process.send_signal(ask)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(force)
        process.wait()


def _end_with_parent(number: int) -> Callable[[], None]:
    """A function for the child to run first: it asks for this signal when its parent dies."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    # Looked up before the fork: between fork and exec as little as possible may happen.
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, number)

    return ask
