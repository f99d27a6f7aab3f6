from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vpnconsole.console import Start, free_port, launch, rest


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A folder that other users may pass, unlike pytest's own: as root PostgreSQL needs that."""
    folder = Path(tempfile.mkdtemp(prefix="vpnconsole-test-"))
    folder.chmod(0o755)
    yield folder / "var"
    shutil.rmtree(folder)


@pytest.fixture
def port() -> int:
    """Where the console of this test listens."""
    return free_port()


@pytest.fixture
def start(var_dir: Path, port: int) -> Iterator[Start]:
    """Start the console, with these arguments and environment variables; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        given = {"VPNCONSOLE_VAR_DIR": str(var_dir), "PORT": str(port), **variables}
        started.append(launch(*arguments, **given))
        return started[-1]

    yield run
    for process in started:
        process.terminate()
        rest(process)
        assert process.stdout is not None
        process.stdout.close()
