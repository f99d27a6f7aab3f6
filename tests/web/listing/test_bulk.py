from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from tests import factories as make
from tests.web.actions.conftest import browser_of
from tunnels.models import Event, Tunnel

pytestmark = pytest.mark.django_db

ACTIONS = ["reset", "tags", "delete"]


@pytest.fixture
def operator(db: None) -> Client:
    """A browser of somebody who runs tunnels."""
    return browser_of("operator")


@pytest.fixture
def pair() -> list[Tunnel]:
    """A connected tunnel and one that is not."""
    made = [make.a_tunnel(name="busy", tags={"env": "prod"}), make.a_tunnel(name="idle")]
    make.connect(made[0])
    Event.objects.all().delete()
    return made


def ids(tunnels: list[Tunnel]) -> list[str]:
    """Their ids, as the checkboxes send them."""
    return [tunnel.public_id for tunnel in tunnels]


def told(response: Any) -> list[str]:
    """The messages that wait for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.mark.parametrize("action", ACTIONS)
def test_it_lists_them_before_it_does_anything(
    operator: Client, pair: list[Tunnel], action: str
) -> None:
    response = operator.get(f"/tunnels/bulk/{action}/confirm/", {"t": ids(pair)})
    html = response.content.decode()
    assert response.status_code == 200
    for tunnel in pair:
        assert tunnel.name in html
        assert f'name="t" value="{tunnel.public_id}"' in html
    assert ("Connected tunnels stay" in html) is (action == "delete")
    assert not Event.objects.exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_it_is_for_those_who_may(pair: list[Tunnel], action: str) -> None:
    form = {"t": ids(pair), "confirm": "delete 2 tunnels", "key": "a", "value": "b"}
    question, deed = f"/tunnels/bulk/{action}/confirm/", f"/tunnels/bulk/{action}/"
    assert Client().post(deed, form)["Location"].startswith("/accounts/login/")
    for role, status in (("", 404), ("viewer", 403)):
        assert browser_of(role).get(question, {"t": ids(pair)}).status_code == status
        browser = Client()
        browser.force_login(make.a_user(f"{role}x", role))
        assert browser.post(deed, form).status_code == status
    admin = browser_of("admin")
    assert admin.get(deed).status_code == 405
    assert admin.post(question, form).status_code == 405
    assert not Event.objects.exists()
    assert Tunnel.objects.count() == 2


def test_it_knows_no_other_action(operator: Client, pair: list[Tunnel]) -> None:
    assert operator.get("/tunnels/bulk/explode/confirm/", {"t": ids(pair)}).status_code == 404
    assert operator.post("/tunnels/bulk/explode/", {"t": ids(pair)}).status_code == 404


def test_it_resets_them(operator: Client, pair: list[Tunnel]) -> None:
    form = {"t": ids(pair), "next": "/tunnels/?sort=name"}
    response = operator.post("/tunnels/bulk/reset/", form)
    assert (response.status_code, response["Location"]) == (303, "/tunnels/?sort=name")
    assert told(response) == ["2 tunnels will be reset."]
    again = operator.post("/tunnels/bulk/reset/", form)
    assert "2 tunnels already wait for a reset." in told(again)
    assert Event.objects.count() == 2


def test_it_deletes_the_unconnected_and_names_the_others(
    operator: Client, pair: list[Tunnel]
) -> None:
    form = {"t": ids(pair), "confirm": "delete 2 tunnels"}
    first = operator.post("/tunnels/bulk/delete/", form)
    done, refused = told(first)
    assert done == "1 tunnel is deleted or being deleted."
    assert refused.startswith("1 tunnel left as before:\nbusy is connected and carries traffic.")
    assert [tunnel.name for tunnel in Tunnel.objects.all()] == ["busy"]
    # The second click finds one that is left, and asks again because the phrase is another now.
    assert operator.post("/tunnels/bulk/delete/", form).status_code == 422


def test_it_asks_for_the_phrase(operator: Client, pair: list[Tunnel]) -> None:
    response = operator.post("/tunnels/bulk/delete/", {"t": ids(pair), "confirm": "delete"})
    assert response.status_code == 422
    assert b"exactly as shown" in response.content
    assert Tunnel.objects.count() == 2


def test_it_tags_them(operator: Client, pair: list[Tunnel]) -> None:
    form = {"t": ids(pair), "key": ["team", ""], "value": ["net", ""], "drop": ["env"]}
    response = operator.post("/tunnels/bulk/tags/", form)
    assert told(response) == ["Tags of 2 tunnels saved."]
    assert [tunnel.tags for tunnel in Tunnel.objects.all()] == [{"team": "net"}] * 2


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Add a tag, or choose one to remove."),
        ({"key": "team", "value": ""}, "a value"),
        ({"key": ["a", "a"], "value": ["1", "2"]}, "is there twice"),
    ],
)
def test_it_says_what_is_wrong_with_tags(
    operator: Client, pair: list[Tunnel], form: dict[str, Any], sentence: str
) -> None:
    response = operator.post("/tunnels/bulk/tags/", {"t": ids(pair), **form})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Event.objects.exists()


def test_it_adds_rows_and_remembers_what_to_remove(operator: Client, pair: list[Tunnel]) -> None:
    form = {"t": ids(pair), "key": "a", "value": "1", "drop": "env", "add": "1"}
    html = operator.post("/tunnels/bulk/tags/", form).content.decode()
    assert html.count('name="key"') == 2
    assert 'value="env" checked' in html
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ([], "Select at least one tunnel first."),
        (["vpnx-00000000", "\0"], "Select at least one tunnel first."),
        ([f"vpnx-{n:08}" for n in range(51)], "51 tunnels are too many at once"),
    ],
)
@pytest.mark.parametrize("path", ["confirm/", ""])
def test_it_needs_a_sensible_number(
    operator: Client, chosen: list[str], sentence: str, path: str
) -> None:
    send = operator.get if path else operator.post
    response = send(f"/tunnels/bulk/reset/{path}", {"t": chosen})
    assert (response.status_code, response["Location"]) == (303, "/tunnels/")
    assert told(response)[0].startswith(sentence)


def test_it_closes_the_dialog_and_tells_the_list(operator: Client, pair: list[Tunnel]) -> None:
    response = operator.post(
        "/tunnels/bulk/reset/", {"t": ids(pair)}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 204
    assert {"tunnels-changed", "dialog:close", "toasts"} <= set(json.loads(response["HX-Trigger"]))
