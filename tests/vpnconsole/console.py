"""The console as a process of its own, for tests that start and stop it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable

from vpnconsole.env import BASE_DIR

Start = Callable[..., "subprocess.Popen[str]"]


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start the console as a terminal would: as the leader of its own process group."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "vpnconsole.run", *arguments],
        cwd=BASE_DIR,
        env={**kept, "WEB_WORKERS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def until_line(process: subprocess.Popen[str], beginning: str) -> str:
    """What it printed until a line that begins so, or until it ended."""
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if line.startswith(beginning):
            break
    return told


def until_ready(process: subprocess.Popen[str]) -> str:
    """What it printed until it serves, or until it ended."""
    return until_line(process, "VPN Console is at")


def rest(process: subprocess.Popen[str]) -> str:
    """What it printed since `until_ready`, which communicate() would lose, up to its end."""
    assert process.stdout is not None
    told = process.stdout.read()
    process.wait()
    return told
