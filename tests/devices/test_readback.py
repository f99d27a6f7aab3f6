"""Every golden file read back by a reader that knows only the device's grammar: the values must be the tunnel's."""

from __future__ import annotations

import pytest

from tests.devices.cases import CASES
from tests.devices.goldens import REFUSED, files_of
from tests.devices.understood import expected, reader_of, understood
from tests.proofs import Proves
from tunnels.devices.base import Platform
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.id)
def test_it_is_understood_as_the_tunnel(platform: Platform, case: str, proves: Proves) -> None:
    files = files_of(platform, case)
    if REFUSED in files:
        pytest.skip("refused; the golden says why")
    proves(platform.id, Kind.READ)
    assert understood(platform, files) == expected(CASES[case], silent=reader_of(platform).SILENT)
