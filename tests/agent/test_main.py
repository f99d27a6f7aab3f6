"""The command line: options, what --check finds, and that no framework comes along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.console import a_token
from tests.agent.documents import GATEWAY
from tunnels.agent.__main__ import main
from tunnels.agent.config import parse
from tunnels.agent.files import lock_folder
from tunnels.agent.transport import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ["--console", "https://console.example.com", "--gateway", GATEWAY]


def test_the_environment_stands_in_for_flags() -> None:
    environment = {
        "VPN_AGENT_CONSOLE": "unix:///run/console", "VPN_AGENT_GATEWAY": "vpngw-99999999",
        "VPN_AGENT_STATE_DIR": "/srv/agent", "VPN_AGENT_MANAGE_ADDRESSES": "yes",
    }  # fmt: skip
    options = parse(["--gateway", GATEWAY, "--charon-log", ""], environment)
    assert options.console == "unix:///run/console"
    assert options.gateway == GATEWAY
    assert options.state_dir == Path("/srv/agent")
    assert options.manage_addresses
    assert options.charon_log is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--gateway vpngw-"),
        (["--gateway", "office"], "not the id of a VPN gateway"),
        (["--gateway", GATEWAY], "where the console is"),
        ([*CONSOLE, "--vici", "tcp://127.0.0.1:4502"], "--vici"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(arguments: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parse(arguments, {})


def test_check_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "charon.log"
    log.write_text("Nov 23 15:36:02 06[IKE] one\n" * 3)
    flags = [
        *CONSOLE, "--token-file", str(tmp_path / "token"), "--vici", f"unix://{tmp_path}/vici",
        "--charon-log", str(log), "--state-dir", str(tmp_path / "state"), "--check",
    ]  # fmt: skip
    assert main(flags) == 1
    token, vici, format_ = capsys.readouterr().out.splitlines()
    assert "token cannot be read: No such file" in token
    assert "Is charon running" in vici
    assert "has another format" in format_
    assert not (tmp_path / "state").exists()


def test_it_ends_with_a_sentence_when_it_cannot_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--gateway", "x", *CONSOLE[:2]]) == 2
    plan = [*CONSOLE, "plan", "--state-dir", str(tmp_path), "--vici", f"unix://{tmp_path}/vici"]
    assert main([*plan, "--charon-log", ""]) == 1
    blocked = tmp_path / "file"
    blocked.touch()
    assert (
        main(
            [
                *CONSOLE,
                "--state-dir",
                str(blocked / "state"),
                "--token-file",
                str(a_token(tmp_path)),
            ]
        )
        == 2
    )
    said = capsys.readouterr().err.splitlines()
    assert "not the id" in said[0]
    assert "charon cannot be reached" in said[1]
    assert said[2].endswith(": Not a directory.")


def test_it_runs_without_django() -> None:
    code = "import sys, tunnels.agent.__main__; print([m for m in sys.modules if m.split('.')[0] == 'django'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_two_agents_do_not_share_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = lock_folder(tmp_path)
    assert held is not None
    assert (
        main([*CONSOLE, "--state-dir", str(tmp_path), "--token-file", str(a_token(tmp_path))]) == 2
    )
    os.close(held)
    assert "Another agent works with" in capsys.readouterr().err
