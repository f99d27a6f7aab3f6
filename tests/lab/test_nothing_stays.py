"""However a lab's owner ends: no process, no interface, no file stays."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.waiting import wait_for
from tunnels.lab import Lab
from tunnels.lab.requirements import find_program

pytestmark = [
    pytest.mark.charon,
    pytest.mark.xdist_group("lab"),
    pytest.mark.usefixtures("needs_lab"),
]

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
# Ctrl-C counts also when the tests themselves run in the background, where a shell has it ignored.
OWNER = """
import signal, time
from tunnels.lab import Lab
signal.signal(signal.SIGINT, signal.default_int_handler)
with Lab() as lab:
    print(lab.folder, flush=True)
    time.sleep(600)
"""


def _processes(folder: Path) -> list[str]:
    """Command lines of the processes that have to do with the lab of this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            about = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if os.fsencode(folder) in about:
            found.append((path / "cmdline").read_text(errors="replace"))
    return found


def _interfaces() -> set[str]:
    return {name for _, name in socket.if_nameindex()}


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[str]]:
    """Another process that owns a lab; it prints the lab's folder."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_after_the_end() -> None:
    before = _interfaces()
    with Lab() as lab:
        folder = lab.folder
        assert len(_processes(folder)) >= 3
        assert _interfaces() == before
    assert not folder.exists()
    assert wait_for(lambda: not _processes(folder))
    assert _interfaces() == before
    lab.close()  # twice does no harm


def test_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), Lab() as lab:
        raise ZeroDivisionError
    assert not lab.folder.exists()
    assert wait_for(lambda: not _processes(lab.folder))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_after_a_signal_to_the_owner(owner: subprocess.Popen[str], number: signal.Signals) -> None:
    assert owner.stdout is not None
    folder = Path(owner.stdout.readline().strip())
    assert (folder / "gateway" / "vici").is_socket()
    assert len(_processes(folder)) >= 3
    owner.send_signal(number)
    assert owner.wait(20) != 0
    assert wait_for(lambda: not folder.exists())
    assert wait_for(lambda: not _processes(folder))


def test_after_the_death_of_process_1() -> None:
    with Lab() as lab:
        assert lab._process is not None
        lab._process.kill()
        assert wait_for(lambda: not lab.gateway.charon_runs())
    assert not lab.folder.exists()
    assert wait_for(lambda: not _processes(lab.folder))


def test_an_ordinary_user_has_a_lab_too() -> None:
    if os.geteuid() != 0:
        pytest.skip("this whole run is an ordinary user's: nothing to add")
    python = find_program("python3.11") if sys.prefix == sys.base_prefix else "/usr/bin/python3"
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copytree(ROOT / "tunnels" / "lab", folder / "tunnels" / "lab")
        (folder / "tunnels" / "__init__.py").touch()
        folder.chmod(0o755)
        done = subprocess.run(
            [
                "setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
                str(python), "-B", "-c", AS_NOBODY,
            ],
            cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)
    assert done.stderr == ""
    lab_folder, ping = done.stdout.splitlines()
    assert ping == "True"
    assert not Path(lab_folder).exists()


AS_NOBODY = """
import os
from tunnels.lab import Lab
assert os.geteuid() == 65534
with Lab() as lab:
    print(lab.folder)
    assert "kernel-libipsec" in lab.branch.swanctl("--stats")
    print(lab.gateway.ping("203.0.113.10", "203.0.113.20").passes)
"""
