from __future__ import annotations

import pytest
from django.test import Client

from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "page",
    ["signup/", "email/", "confirm-email/", "confirm-email/a:b/", "password/reset/",
     "password/reset/done/", "password/reset/key/1-abc/", "login/code/confirm/"],
)  # fmt: skip
def test_it_has_no_page_that_needs_mail(client: Client, page: str) -> None:
    address = f"/accounts/{page}"
    assert client.get(address).status_code == 404
    assert client.post(address, {"email": "somebody@example.com"}).status_code == 404
    client.force_login(make.a_user("ada", "admin"))
    assert client.get(address).status_code == 404


def test_it_tells_who_has_forgotten_the_password_whom_to_ask(client: Client) -> None:
    assert "An administrator can give you a new one." in client.get("/accounts/login/").text
    client.force_login(make.a_user("vera", "viewer"))
    page = client.get("/accounts/password/change/").text
    assert "An administrator can give you a new one." in page
    assert "password/reset" not in page


def test_its_start_leads_to_the_tunnels(client: Client) -> None:
    visitor = client.get("/", follow=True)
    assert visitor.request["PATH_INFO"] == "/accounts/login/"
    client.force_login(make.a_user("vera", "viewer"))
    assert client.get("/", follow=True).request["PATH_INFO"] == "/tunnels/"
    client.force_login(make.a_user("nobody"))
    stranger = client.get("/", follow=True)
    assert stranger.status_code == 404
    assert "Your account has no role in this console yet." in stranger.text
