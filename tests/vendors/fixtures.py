"""Fixtures: the unpacked programs of other vendors. A conftest.py imports those that its tests want."""

from __future__ import annotations

import pytest

from tests.vendors.libreswan import Libreswan
from tests.vendors.needed import find
from tests.vendors.openiked import OpenIked


@pytest.fixture(scope="session")
def libreswan() -> Libreswan:
    """Libreswan's programs; where they cannot run the test is skipped, or fails in CI."""
    return find(Libreswan.find)


@pytest.fixture(scope="session")
def openiked() -> OpenIked:
    """OpenIKED's daemon; where it cannot run the test is skipped, or fails in CI."""
    return find(OpenIked.find)
