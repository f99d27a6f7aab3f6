"""Health-check addresses of this host: what the agent added to lo, it removes again, and nothing else."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TypeAlias

from tunnels.agent.files import replace_file

Address: TypeAlias = "IPv4Address | IPv6Address"
COMMAND_SECONDS = 10.0


class HostAddresses:
    """`ensure` makes the host have exactly these addresses, of those that are ours to manage."""

    def __init__(self, folder: Path) -> None:
        """Read what was added before. Raises OSError."""
        self._path = folder / "addresses.json"
        self._added: set[Address] = set()
        try:
            self._added = {ip_address(text) for text in json.loads(self._path.read_text())}
        except (FileNotFoundError, ValueError, TypeError):
            # Lost: then they stay on the host, which does no harm.
            return

    def ensure(self, wanted: Iterable[Address]) -> str:
        """Add and remove. Returns what went wrong as a sentence, or "". Raises OSError when it cannot be noted."""
        addresses = set(wanted)
        problem = ""
        for address in sorted(addresses, key=str):
            if not _on_host(address):
                # Noted before it is done: a kill in between leaves a note too many, never an address too many.
                self._note(self._added | {address})
                problem = _ip("add", address) or problem
        for address in sorted(self._added - addresses, key=str):
            problem = _ip("del", address) or problem
            self._note(self._added - {address})
        return problem

    def _note(self, added: set[Address]) -> None:
        if added != self._added:
            self._added = added
            replace_file(self._path, json.dumps(sorted(str(address) for address in added)).encode())


def _on_host(address: Address) -> bool:
    done = _run("-json", "address", "show", "to", f"{address}/{address.max_prefixlen}")
    return done is not None and str(address) in done.stdout


def _ip(verb: str, address: Address) -> str:
    done = _run("address", verb, f"{address}/{address.max_prefixlen}", "dev", "lo")
    if done is None:
        return "The program ip is not there or did not end: install iproute2."
    words = "added to" if verb == "add" else "removed from"
    if done.returncode and verb == "add":
        return f"{address} could not be {words} lo: {done.stderr.strip()}."
    return ""


def _run(*arguments: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            ["ip", *arguments], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
