"""A lab for the tests of a module; where none can run they are skipped, or fail in CI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vendors.needed import missing
from tunnels.lab import Lab, LabUnavailable


@pytest.fixture(scope="session")
def needs_lab() -> None:
    """For tests that make labs of their own."""
    try:
        with Lab(start=False):
            pass
    except LabUnavailable as reason:
        missing(str(reason))


@pytest.fixture(scope="module")
def lab(needs_lab: None) -> Iterator[Lab]:
    """Two running charons, the same for all tests of a module."""
    with Lab() as running:
        yield running
