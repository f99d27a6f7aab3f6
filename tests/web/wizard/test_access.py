"""Who may walk the wizard."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories as make

pytestmark = pytest.mark.django_db

DRAFT = UUID("7d3c5f9e-58d8-4d2f-9b0c-0d6f3a1e2b4c")
PAGES = [
    reverse("tunnels:create"),
    reverse("tunnels:wizard", kwargs={"draft": DRAFT, "step": "basic"}),
]
CHECK = reverse("tunnels:wizard-spd-check", kwargs={"draft": DRAFT})


@pytest.mark.parametrize("page", PAGES)
def test_to_strangers_it_does_not_exist(client: Client, page: str) -> None:
    client.force_login(make.a_user("sam"))
    assert client.get(page).status_code == 404
    assert client.post(CHECK).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_readers_may_not(client: Client, page: str) -> None:
    client.force_login(make.a_user("vera", "viewer"))
    assert client.get(page).status_code == 403
    assert client.post(CHECK).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_operators_may(client: Client, page: str) -> None:
    client.force_login(make.a_user("olivia", "operator"))
    assert client.get(page, follow=True).status_code == 200


def test_writes_answer_405_to_get_and_reads_to_post(client: Client) -> None:
    client.force_login(make.a_user("olivia", "operator"))
    assert client.get(CHECK).status_code == 405
    assert client.post(PAGES[0]).status_code == 405
    assert client.put(PAGES[1]).status_code == 405
