"""A rig for the tests of a module; a machine that cannot run a lab skips them, and says why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.campaign import Campaign
from tests.chaos.rig import Rig
from tunnels.lab import LabUnavailable


@pytest.fixture(scope="module")
def bare_rig() -> Iterator[Rig]:
    """A console with a gateway and no tunnels; no agent runs."""
    try:
        with Rig() as rig:
            yield rig
    except LabUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def furnished(bare_rig: Rig) -> Rig:
    """All tunnels of the world, Connected."""
    bare_rig.furnish()
    bare_rig.start_agent()
    assert Campaign(bare_rig, seed=0).rest() == [], bare_rig.agent_output.read_text()
    return bare_rig


@pytest.fixture
def rig(furnished: Rig) -> Iterator[Rig]:
    """The same, and at rest again after each test."""
    yield furnished
    assert Campaign(furnished, seed=0).rest() == []
