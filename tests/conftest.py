"""Fixtures for all tests, and the start and stop of their PostgreSQL."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pytest_django.plugin import DjangoDbBlocker

from tests.cluster import stop_cluster
from tests.proofs import proves as proves

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


# A busy machine is no bug: no property has a time limit.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to rewrite the golden files."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files under tests/golden; read the difference before committing it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to bless files that nobody reads."""
    if config.getoption("update_golden") and os.environ.get("CI"):
        raise pytest.UsageError("--update-golden is for people: CI compares and never rewrites")


def pytest_unconfigure() -> None:
    """Stop PostgreSQL last, after pytest-django has dropped its databases."""
    stop_cluster()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """End what still talks to the test database, such as a late thread of the live server, before it is dropped."""
    yield
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def no_key_leaks() -> Iterator[None]:
    """Fail a test during which the canary key was seen in a response or in a log line."""
    from tests import canary  # its factories need Django to be set up

    canary.leaks.clear()
    handler = canary.CanaryHandler()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    assert canary.leaks == []


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive Debian's Chromium, and keep it from calling anybody."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: install Debian's package chromium")
    arguments = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    arguments += ["--disable-background-networking", "--disable-component-update"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": arguments}
