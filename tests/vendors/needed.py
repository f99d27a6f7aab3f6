"""Software that tests need: without it they skip at a desk and fail where CI is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn, TypeVar

import pytest

from tests.vendors.packages import Unavailable

Found = TypeVar("Found")


def missing(reason: str) -> NoReturn:
    """Skip the test because of `reason`, or fail it where CI is set: there, everything is there."""
    if os.environ.get("CI"):
        pytest.fail(f"Nothing is skipped in CI. {reason}", pytrace=False)
    pytest.skip(reason)


def find(finder: Callable[[], Found]) -> Found:
    """What the finder finds; where it raises Unavailable, the test is skipped with that sentence, or fails in CI."""
    try:
        return finder()
    except Unavailable as reason:
        missing(str(reason))
