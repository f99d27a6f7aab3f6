from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vpnconsole.env import BASE_DIR, Misconfigured
from vpnconsole.run import refuse_taken_port, welcome

# They collect static files into the same folder, so one process runs them one after the other.
pytestmark = pytest.mark.xdist_group("run")

Start = Callable[..., "subprocess.Popen[str]"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(var_dir: Path, port: int) -> Iterator[Start]:
    """Start the console as a terminal would: as the leader of its own process group."""
    started: list[subprocess.Popen[str]] = []

    def run(**variables: str) -> subprocess.Popen[str]:
        given = {"VPNCONSOLE_VAR_DIR": str(var_dir), "PORT": str(port), "WEB_WORKERS": "1"}
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-m", "vpnconsole.run"],
            cwd=BASE_DIR,
            env={**kept, **given, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
        rest(process)
        assert process.stdout is not None
        process.stdout.close()


def until_ready(process: subprocess.Popen[str]) -> str:
    """What it printed until it serves, or until it ended."""
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if line.startswith("VPN Console is at"):
            break
    return told


def rest(process: subprocess.Popen[str]) -> str:
    """What it printed since `until_ready`, which communicate() would lose, up to its end."""
    assert process.stdout is not None
    told = process.stdout.read()
    process.wait()
    return told


def answer(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    result = response.status, response.read()
    connection.close()
    return result


def refusal(process: subprocess.Popen[str]) -> str:
    told = rest(process)
    assert process.returncode == 1
    assert "Traceback" not in told
    lines = [line for line in told.splitlines() if line.startswith("vpnconsole: ")]
    assert len(lines) == 1
    return lines[0]


def test_it_serves_until_ctrl_c_and_keeps_its_data(start: Start, port: int, var_dir: Path) -> None:
    first = start()
    until_ready(first)
    assert answer(port, "/readyz") == (200, b"ready\n")
    assert "already runs" in refusal(start(PORT=str(free_port())))
    os.killpg(first.pid, signal.SIGINT)
    told = rest(first)
    assert first.returncode == 0
    assert re.search(r"^Sign in as admin with the password \S{12,}$", told, re.MULTILINE)
    assert told.splitlines()[-1] == "Stopped."
    log = (var_dir / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down")
    assert not (var_dir / "postgres" / "postmaster.pid").exists()

    second = start()
    told = until_ready(second)
    second.send_signal(signal.SIGTERM)
    told += rest(second)
    assert second.returncode == 0
    assert "password" not in told


def test_it_recovers_from_kill_9(start: Start, port: int, var_dir: Path) -> None:
    first = start()
    until_ready(first)
    postmaster = int((var_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    first.kill()
    first.wait()
    os.kill(postmaster, signal.SIGKILL)
    again = start(PORT=str(free_port()))
    assert "VPN Console is at" in until_ready(again)


def test_it_says_so_when_the_database_dies(start: Start, var_dir: Path) -> None:
    process = start()
    until_ready(process)
    postmaster = int((var_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert "PostgreSQL ended by itself" in refusal(process)


def test_it_refuses_a_taken_port_before_any_work(start: Start, port: int, var_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen(1)
        assert f"port {port} of 127.0.0.1 is taken" in refusal(start())
    assert not (var_dir / "postgres").exists()


def test_it_refuses_a_database_that_does_not_answer(start: Start) -> None:
    url = f"postgresql://me:canary@127.0.0.1:{free_port()}/x"
    told = refusal(start(DATABASE_URL=url))
    assert "the database does not answer" in told
    assert "canary" not in told


def test_it_refuses_a_wrong_variable(start: Start) -> None:
    assert "PORT must be a whole number" in refusal(start(PORT="http"))


@pytest.mark.parametrize(
    ("host", "sentence"),
    [("192.0.2.1", "set BIND to an address of this machine"), ("no such", "BIND is no such")],
)
def test_it_refuses_an_address_that_is_not_its_own(host: str, sentence: str, port: int) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        refuse_taken_port(host, port)


def test_it_tells_the_password_only_when_it_made_one() -> None:
    assert "password" not in welcome("http://localhost:8000/", None)
    assert "s3cret" in welcome("http://localhost:8000/", "s3cret")
