from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.vpnconsole.console import Start, free_port, rest, until_ready
from vpnconsole.env import Misconfigured
from vpnconsole.run import refuse_taken_port, welcome

# They collect static files into the same folder, so one process runs them one after the other.
pytestmark = pytest.mark.xdist_group("run")


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
