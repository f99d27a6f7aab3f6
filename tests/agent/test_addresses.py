"""Health-check addresses on a real lo of a lab's side: only what was added is removed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tunnels.lab import Lab

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import sys
from ipaddress import ip_address
from pathlib import Path
from tunnels.agent.addresses import HostAddresses
folder, *addresses = sys.argv[1:]
sys.stdout.write(HostAddresses(Path(folder)).ensure([ip_address(text) for text in addresses]))
"""


def ensure(lab: Lab, folder: Path, *addresses: str) -> str:
    """In a process of its own each time, as after a restart of the agent."""
    done = lab.gateway.run(
        [sys.executable, "-c", CODE, str(folder), *addresses], env={"PYTHONPATH": str(ROOT)}
    )
    return done.stdout


def shown(lab: Lab) -> set[str]:
    (lo,) = json.loads(lab.gateway.run(["ip", "-json", "address", "show", "dev", "lo"]).stdout)
    return {entry["local"] for entry in lo["addr_info"]}


def test_it_adds_what_is_missing_and_removes_only_that(lab: Lab, tmp_path: Path) -> None:
    before = shown(lab)
    assert "10.0.0.1" in before
    assert ensure(lab, tmp_path, "10.0.0.1", "169.254.128.2", "fd00::2") == ""
    assert shown(lab) == before | {"169.254.128.2", "fd00::2"}
    assert ensure(lab, tmp_path, "fd00::2") == ""
    assert shown(lab) == before | {"fd00::2"}
    assert ensure(lab, tmp_path) == ""
    assert shown(lab) == before


def test_without_the_right_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "--user", sys.executable, "-c", CODE, str(tmp_path), "203.0.113.99"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"no user namespace, or no right to write here: {done.stderr.strip()[-80:]}")
    assert done.stdout.startswith("203.0.113.99 could not be added to lo: RTNETLINK answers:")
