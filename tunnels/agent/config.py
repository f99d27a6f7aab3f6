"""What the agent is told when it is started: flags, or the environment in their place."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tunnels.agent.transport import ConfigurationError
from tunnels.agent.vici_adapter import DEFAULT_SOCKET

STATE_FOLDER = "/var/lib/vpn-agent"
TOKEN_FILE = "/etc/vpn-agent/token"  # noqa: S105 - the name of a file
CHARON_LOG = "/var/log/vpn-agent/charon.log"

_GATEWAY = re.compile(r"vpngw-[a-z0-9]{8}")
_DESCRIPTION = (
    "Makes the tunnels of one VPN gateway real on this host's strongSwan, and reports what it sees."
)
_COMMANDS = """\
run (the default) works until it is told to end; plan prints what it would do, from the saved state, and does
nothing; enrol exchanges the one-time token of the gateway's page for the gateway's own and stores that. Every
flag may be given as an environment variable instead: --state-dir is VPN_AGENT_STATE_DIR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that can be set. `charon_log` is None when the log is not to be sent."""

    command: str
    console: str
    one_time_token: str = field(repr=False)
    gateway: str
    token_file: Path
    state_dir: Path
    vici: str
    charon_log: Path | None
    ca_file: Path | None
    once: bool
    check: bool
    manage_addresses: bool


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """The options. Raises ConfigurationError with a sentence; ends the process for --help and unknown flags."""
    given = _parser(environment).parse_args(arguments)
    if not given.gateway:
        raise ConfigurationError("Say which VPN gateway this is: --gateway vpngw-xxxxxxxx.")
    if not _GATEWAY.fullmatch(given.gateway):
        raise ConfigurationError(
            f"--gateway {given.gateway} is not the id of a VPN gateway; it looks like vpngw-1a2b3c4d."
        )
    if not given.console and given.command != "plan":
        raise ConfigurationError("Say where the console is: --console https://console.example.com.")
    if given.command == "enrol" and not given.one_time_token:
        raise ConfigurationError(
            "Give the one-time token: --one-time-token …; make one on the gateway's page in the console."
        )
    if not given.vici.startswith(("unix://", "/")):
        raise ConfigurationError(f"--vici {given.vici} must be unix:///path/to/charon.vici.")
    return Options(
        command=given.command,
        console=given.console,
        one_time_token=given.one_time_token,
        gateway=given.gateway,
        token_file=Path(given.token_file),
        state_dir=Path(given.state_dir),
        vici=given.vici,
        charon_log=Path(given.charon_log) if given.charon_log else None,
        ca_file=Path(given.ca_file) if given.ca_file else None,
        once=given.once,
        check=given.check,
        manage_addresses=given.manage_addresses,
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tunnels.agent", description=_DESCRIPTION, epilog=_COMMANDS
    )
    parser.add_argument("command", nargs="?", choices=("run", "plan", "enrol"), default="run")
    texts = (
        ("--console", "", "URL", "where the console is: https://… or unix:///path"),
        ("--gateway", "", "ID", "this VPN gateway's id, vpngw-xxxxxxxx"),
        ("--token-file", TOKEN_FILE, "FILE", "file of mode 0600 that holds the gateway's token"),
        ("--state-dir", STATE_FOLDER, "FOLDER", "where the agent keeps its files"),
        ("--vici", DEFAULT_SOCKET, "SOCKET", "charon's vici socket"),
        ("--charon-log", CHARON_LOG, "FILE", 'charon\'s log file; "" sends no log'),
        ("--one-time-token", "", "TOKEN", "what enrol exchanges"),
        ("--ca-file", "", "FILE", "certificates that the console's must be signed by"),
    )
    for flag, default, metavar, text in texts:
        parser.add_argument(
            flag, metavar=metavar, help=f"{text} (default: {default or 'none'})",
            default=environment.get(_variable(flag), default),
        )  # fmt: skip
    parser.add_argument("--once", action="store_true", help="one round, then end")
    parser.add_argument("--check", action="store_true", help="say what is missing, and end")
    parser.add_argument(
        "--manage-addresses", action="store_true",
        default=environment.get(_variable("--manage-addresses"), "") in {"1", "yes", "true"},
        help="give this host the health checks' addresses (on lo)",
    )  # fmt: skip
    return parser


def _variable(flag: str) -> str:
    return "VPN_AGENT_" + flag.removeprefix("--").replace("-", "_").upper()
