"""What tests prove about device files, handed from where they run to where the proofs are counted.

A test says so as its first act: `proves("cisco-ios", Kind.READ)`; whether it passed is known when it has ended. `make
devices` counts (tests/devices/__main__.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest

from tunnels.devices.proofs import Kind

PROPERTY = "device-proof"


class Proves(Protocol):
    """Say what this test proves: of which platform, which kind, by whose software, and how many at once."""

    def __call__(self, platform_id: str, kind: Kind, *, by: str = "", count: int = 1) -> None: ...


@pytest.fixture
def proves(record_property: Callable[[str, object], None]) -> Proves:
    """Note what the test proves, should it pass."""

    def note(platform_id: str, kind: Kind, *, by: str = "", count: int = 1) -> None:
        record_property(PROPERTY, [platform_id, str(kind), by, count])

    return note
