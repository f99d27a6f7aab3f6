"""The files as they were last read by a person: any change shows up in review, in full.

A device that cannot do what a case asks for has its refusal as the golden.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.devices.cases import CASES
from tests.devices.goldens import FOLDER, files_of
from tests.proofs import Proves
from tunnels.devices.base import Platform
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.id)
def test_it_writes_the_golden_files(
    platform: Platform, case: str, pytestconfig: pytest.Config, proves: Proves
) -> None:
    proves(platform.id, Kind.GOLDEN)
    files = files_of(platform, case)
    folder = FOLDER / platform.id / case
    if pytestconfig.getoption("update_golden"):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    kept = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert files == kept


def test_it_has_no_golden_without_a_case() -> None:
    kept = {path.relative_to(FOLDER) for path in FOLDER.glob("*/*")}
    assert kept == {Path(platform, case) for platform in PLATFORMS for case in CASES}
