"""`make demo` as a process: tunnels that carry, the same after a second start, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.vpnconsole.console import Start, rest, until_line
from tunnels.lab import Lab, LabUnavailable
from vpnconsole.postgres import embedded_database

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("run")]

WAIT_SECONDS = 60
STATE = (
    "SELECT word, mappings_up, rtt_ms FROM tunnels_tunnelstate "
    "JOIN tunnels_tunnel ON id = tunnel_id WHERE name = %s"
)
SEEN = "SELECT last_seen FROM tunnels_vpngateway WHERE name = 'frankfurt-1' AND last_seen > %s"


@pytest.fixture
def lab_works() -> None:
    try:
        with Lab(start=False):
            pass
    except LabUnavailable as reason:
        pytest.skip(str(reason))


def until(condition: Callable[[], object]) -> bool:
    """Wait for something that other processes do; whether they did."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def ask(var_dir: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    database = embedded_database(var_dir / "postgres")
    with psycopg.connect(
        host=database["HOST"], dbname=database["NAME"], user=database["USER"]
    ) as connection:
        return connection.execute(query.encode(), values).fetchall()


def processes(*folders: Path) -> list[str]:
    """Command lines of the processes that have to do with one of these folders."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            about = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if any(os.fsencode(folder) in about for folder in folders):
            found.append(about.replace(b"\0", b" ").decode(errors="replace"))
    return found


def gone(*folders: Path) -> bool:
    """Whether no process has to do with them, after a while at most."""
    return until(lambda: not processes(*folders))


def inhabitants(shell: Path) -> set[tuple[str, str]]:
    """The processes (number, time of start) in the network namespaces of both sides.

    A namespace lives as long as somebody is in it. Its own number proves nothing: the kernel gives it away again.
    """
    spaces = set()
    for side in ("gateway", "branch"):
        command = [str(shell.parent.parent / side / "in"), "readlink", "/proc/self/ns/net"]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        spaces.add(said.stdout.strip())
    assert len(spaces) == 2
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if str((path / "ns" / "net").readlink()) in spaces:
                found.add(_identity(path))
        except OSError:  # it ended meanwhile
            continue
    return found


def alive(inhabitants: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those that still are."""
    found = set()
    for number, start in inhabitants:
        try:
            if _identity(Path("/proc", number)) == (number, start):
                found.add((number, start))
        except OSError:
            continue
    return found


def _identity(path: Path) -> tuple[str, str]:
    return path.name, (path / "stat").read_text().rpartition(")")[2].split()[19]


def carries(shell: Path) -> bool:
    done = subprocess.run(
        [shell, "ping", "-c", "1", "-W", "1", "-I", "192.168.0.1", "10.0.0.1"],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def test_its_tunnels_are_real_and_nothing_stays(
    lab_works: None, start: Start, var_dir: Path
) -> None:
    interfaces = {name for _, name in socket.if_nameindex()}
    told = ""
    for _ in range(2):
        began = time.time()
        process = start("--demo")
        told = until_line(process, "Those at 198.51.100.x")
        shells = re.findall(r"^  (/\S+/branch/in) ping", told, re.MULTILINE)
        assert len(shells) == 1, told
        shell = Path(shells[0])
        assert until(partial(carries, shell))
        assert until(partial(ask, var_dir, SEEN, _at(began)))
        assert until(lambda: ask(var_dir, STATE, "idc-shanghai")[0][:2] == ("connected", 5))
        assert until(lambda: ask(var_dir, STATE, "idc-shanghai")[0][2])
        assert {name for _, name in socket.if_nameindex()} == interfaces

        door = var_dir / "run" / "console.sock"
        assert stat.S_IMODE(door.stat().st_mode) == 0o600
        assert stat.S_IMODE((var_dir / "demo" / "token").stat().st_mode) == 0o600
        inside = inhabitants(shell)
        assert len(inside) >= 5, "two that hold the namespaces, two charons, the agent"

        os.killpg(process.pid, signal.SIGINT)
        last = rest(process)
        assert process.returncode == 0
        assert last.splitlines()[-1] == "Stopped."
        assert "Traceback" not in last
        assert gone(var_dir, shell.parent.parent)
        assert not alive(inside)
        assert not shell.exists()
        assert not door.exists()
        assert {name for _, name in socket.if_nameindex()} == interfaces
    assert "password" not in told, "the second run works with the data of the first"


def test_it_starts_again_what_was_killed(lab_works: None, start: Start, var_dir: Path) -> None:
    process = start("--demo")
    told = until_line(process, "Those at 198.51.100.x")
    shell = Path(re.findall(r"^  (/\S+/branch/in) ping", told, re.MULTILINE)[0])
    assert until(lambda: carries(shell))
    for side in ("gateway", "branch"):
        lab_side = shell.parent.parent / side
        kill = f"kill -9 $(cat {lab_side / 'pid'})"
        subprocess.run([lab_side / "in", "sh", "-c", kill], check=True)
        assert f"strongSwan of the {side} ended" in until_line(process, "strongSwan of the")
    gateway = shell.parent.parent / "gateway"
    subprocess.run(
        [gateway / "in", "sh", "-c", f"kill -9 $(cat {gateway / 'agent.pid'})"], check=True
    )
    assert "The agent ended" in until_line(process, "The agent ended")
    assert until(lambda: carries(shell))


def test_it_goes_on_without_its_live_part(start: Start, var_dir: Path) -> None:
    long = var_dir / ("x" * 100)
    process = start("--demo", VPNCONSOLE_VAR_DIR=str(long))
    told = until_line(process, "VPN Console is at")
    assert "The demo runs without its live part, so all tunnels stay in Provisioning." in told
    assert "too long for a socket" in told
    assert ask(long, STATE, "idc-shanghai")[0][0] == "provisioning"


def _at(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(seconds))
