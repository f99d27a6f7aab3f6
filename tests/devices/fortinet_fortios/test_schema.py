"""Fortinet's own schema judges every FortiOS file, in every version that is offered."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.devices.cases import CASES
from tests.devices.goldens import REFUSED, files_of
from tests.proofs import Proves
from tests.vendors import fortios_schema
from tests.vendors.tunnels import rendered_somehow, tunnels
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.spec import TunnelSpec

FORTIOS = PLATFORMS["fortinet-fortios"]


@pytest.mark.parametrize("version", FORTIOS.versions)
@pytest.mark.parametrize("case", CASES)
def test_it_has_nothing_against_a_golden(case: str, version: str, proves: Proves) -> None:
    files = files_of(FORTIOS, case)
    if REFUSED in files:
        pytest.skip("refused; the golden says why")
    proves(FORTIOS.id, Kind.CHECKED, by=fortios_schema.judge())
    [text] = files.values()
    assert fortios_schema.complaints(text, version=version) == []
    assert fortios_schema.settings(text) > 40


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tunnels(), st.sampled_from(FORTIOS.versions))
def test_it_has_nothing_against_any_tunnel(spec: TunnelSpec, version: str) -> None:
    for text in rendered_somehow(FORTIOS, spec, version=version):
        assert fortios_schema.complaints(text, version=version) == []
