"""The files as they were last read by a person: any change shows up in review, in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.devices.cases import CASES, render_case
from tunnels.devices.base import Platform
from tunnels.devices.registry import PLATFORMS

FOLDER = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.id)
def test_it_writes_the_golden_file(
    platform: Platform, case: str, pytestconfig: pytest.Config
) -> None:
    rendering = render_case(platform, CASES[case])
    path = FOLDER / platform.id / case / rendering.filename
    if pytestconfig.getoption("update_golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendering.text, encoding="utf-8")
    assert rendering.text == path.read_text(encoding="utf-8")


def test_it_has_no_golden_without_a_case() -> None:
    kept = {path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.is_file()}
    assert kept == {
        Path(platform.id, case, platform.filename.format(tunnel_id=spec.id))
        for platform in PLATFORMS.values()
        for case, spec in CASES.items()
    }
