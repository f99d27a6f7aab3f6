from __future__ import annotations

from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client


def test_it_is_alive_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_it_is_ready_with_every_migration(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ready\n")


@pytest.mark.django_db
def test_it_is_not_ready_while_a_migration_waits(client: Client) -> None:
    with patch(
        "vpnconsole.health.MigrationExecutor.migration_plan", autospec=True, return_value=["one"]
    ):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert b"manage.py migrate" in response.content


def test_it_is_not_ready_without_a_database(client: Client) -> None:
    with patch(
        "vpnconsole.health.MigrationExecutor", autospec=True, side_effect=OperationalError("gone")
    ):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert b"does not answer" in response.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_refuses_a_post(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
