"""`--check`: what is missing before the agent can do its work, one sentence each."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tunnels.agent.charon import CharonUnreachable
from tunnels.agent.config import Options
from tunnels.agent.logline import LogReader
from tunnels.agent.transport import ConfigurationError, Console
from tunnels.agent.vici_adapter import ViciCharon

SAMPLE_BYTES = 64_000


def examine(options: Options) -> list[str]:
    """Sentences; none when everything is in place. Writes nothing, and does not speak to the console."""
    findings: list[str] = []
    try:
        if options.console:
            Console(
                options.console, gateway=options.gateway,
                token_file=options.token_file, ca_file=options.ca_file,
            ).close()  # fmt: skip
    except ConfigurationError as error:
        findings.append(str(error))
    findings.extend(_charon(options.vici))
    if options.charon_log:
        findings.extend(_log(options.charon_log))
    findings.extend(_folder(options.state_dir))
    if options.manage_addresses and not shutil.which("ip"):
        findings.append("--manage-addresses needs the program ip: install iproute2.")
    return findings


def _charon(address: str) -> list[str]:
    charon = ViciCharon(address)
    try:
        charon.version()
    except CharonUnreachable as error:
        return [f"{error} Is charon running, and may this user open its socket?"]
    finally:
        charon.close()
    return []


def _log(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - SAMPLE_BYTES))
            lines = file.read().split(b"\n")[1:-1]
    except OSError as error:
        return [
            f"charon's log {path} cannot be read: {error.strerror}. See the filelog in docs/agent.md."
        ]
    if not lines:
        return []
    if not any(LogReader.understands(line) for line in lines):
        settings = "time_format, time_add_ms, ike_name and log_level"
        return [f"charon's log {path} has another format: set {settings} as in docs/agent.md."]
    return []


def _folder(path: Path) -> list[str]:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return [f"The state folder {path} cannot be written."]
    return []
