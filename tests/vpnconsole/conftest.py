from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A folder that other users may pass, unlike pytest's own: as root PostgreSQL needs that."""
    folder = Path(tempfile.mkdtemp(prefix="vpnconsole-test-"))
    folder.chmod(0o755)
    yield folder / "var"
    shutil.rmtree(folder)
