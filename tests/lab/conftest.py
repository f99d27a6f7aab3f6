"""A lab for the tests of a module; what is missing to run one skips them, and says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tunnels.lab import Lab, LabUnavailable


@pytest.fixture(scope="session")
def needs_lab() -> None:
    """For tests that make labs of their own."""
    try:
        with Lab(start=False):
            pass
    except LabUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def lab(needs_lab: None) -> Iterator[Lab]:
    """Two running charons, the same for all tests of a module."""
    with Lab() as running:
        yield running
