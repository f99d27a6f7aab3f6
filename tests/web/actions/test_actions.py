from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tests.web.actions.conftest import browser_of
from tunnels.models import Event, Tunnel, VpnGateway

pytestmark = pytest.mark.django_db

# What each deed needs in its form, what must be true before, and the event that it leaves.
Prepare = Callable[[Tunnel], object]


def _nothing(tunnel: Tunnel) -> None:
    """Leave the tunnel as it is."""


def _down(tunnel: Tunnel) -> None:
    Tunnel.objects.filter(pk=tunnel.pk).update(intent="down")


def _hanging(tunnel: Tunnel) -> None:
    Tunnel.objects.filter(pk=tunnel.pk).update(intent="deleting")
    _silent(tunnel)


def _silent(tunnel: Tunnel) -> None:
    VpnGateway.objects.filter(pk=tunnel.vpn_gateway_id).update(
        last_seen=timezone.now() - timedelta(hours=1)
    )


NAME = {"confirm": "idc-shanghai"}
DEEDS: list[Any] = [
    pytest.param("reset", {}, make.connect, "tunnel-reset", id="reset"),
    pytest.param("take-down", {}, make.connect, "tunnel-taken-down", id="take-down"),
    pytest.param("bring-up", {}, _down, "tunnel-brought-up", id="bring-up"),
    pytest.param("delete", NAME, _nothing, "tunnel-deleted", id="delete"),
    pytest.param("delete", NAME, _silent, "tunnel-delete-requested", id="delete-silent"),
    pytest.param("force-delete", NAME, _hanging, "tunnel-deleted", id="force-delete"),
    pytest.param(
        "tags/save", {"key": ["team"], "value": ["net"]}, _nothing, "tunnel-retagged", id="tags"
    ),
]
each_deed = pytest.mark.parametrize(("deed", "form", "prepare", "event"), DEEDS)
QUESTIONS = ["reset/confirm", "take-down/confirm", "delete/confirm", "tags"]


def told(response: Any) -> list[str]:
    """The messages that wait for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


@each_deed
def test_it_does_it_once_and_goes_back(
    operator: Client, tunnel: Tunnel, deed: str, form: dict[str, Any], prepare: Prepare, event: str
) -> None:
    prepare(tunnel)
    Event.objects.all().delete()
    address = f"/tunnels/{tunnel.public_id}/{deed}/"
    first = operator.post(address, {**form, "next": "/tunnels/?q=idc"})
    assert (first.status_code, first["Location"]) == (303, "/tunnels/?q=idc")
    assert len(told(first)) == 1
    second = operator.post(address, form)
    assert second.status_code == 303
    (recorded,) = Event.objects.all()
    assert (recorded.action, recorded.actor_name) == (event, "olga")
    assert (recorded.target_id, recorded.target_name) == (tunnel.public_id, tunnel.name)


@each_deed
def test_it_closes_the_dialog_and_tells_the_list(
    operator: Client, tunnel: Tunnel, deed: str, form: dict[str, Any], prepare: Prepare, event: str
) -> None:
    prepare(tunnel)
    response = operator.post(
        f"/tunnels/{tunnel.public_id}/{deed}/",
        form,
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/tunnels/"},
    )
    assert response.status_code == 204
    assert {"dialog:close", "tunnels-changed", "toasts"} <= set(json.loads(response["HX-Trigger"]))
    assert Event.objects.filter(action=event).count() == 1


@each_deed
@pytest.mark.parametrize(("role", "status"), [("", 404), ("viewer", 403)])
def test_it_refuses_others(
    tunnel: Tunnel,
    deed: str,
    form: dict[str, Any],
    prepare: Prepare,
    event: str,
    role: str,
    status: int,
) -> None:
    prepare(tunnel)
    Event.objects.all().delete()
    response = browser_of(role).post(f"/tunnels/{tunnel.public_id}/{deed}/", form)
    assert response.status_code == status
    assert not Event.objects.exists()
    assert Tunnel.objects.filter(pk=tunnel.pk).exists()


@each_deed
def test_it_does_nothing_by_get_or_unasked(
    operator: Client, tunnel: Tunnel, deed: str, form: dict[str, Any], prepare: Prepare, event: str
) -> None:
    prepare(tunnel)
    Event.objects.all().delete()
    address = f"/tunnels/{tunnel.public_id}/{deed}/"
    assert operator.get(address).status_code == 405
    anonymous = Client().post(address, form)
    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith("/accounts/login/")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    assert strict.post(address, form).status_code == 403
    assert not Event.objects.exists()


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_asks_as_a_page_and_as_a_dialog(operator: Client, tunnel: Tunnel, question: str) -> None:
    address = f"/tunnels/{tunnel.public_id}/{question}/"
    Event.objects.all().delete()
    page = operator.get(address, headers={"Referer": "http://testserver/tunnels/?q=x"})
    assert page.status_code == 200
    assert b"<html" in page.content
    assert b'name="next" value="/tunnels/?q=x"' in page.content
    dialog = operator.get(address, headers={"HX-Request": "true", "HX-Target": "dialog-body"})
    assert b"<html" not in dialog.content
    assert b"data-dialog-close" in dialog.content
    assert operator.post(address).status_code == 405
    assert not Event.objects.exists()


@pytest.mark.parametrize("question", QUESTIONS)
def test_its_questions_are_for_those_who_may(tunnel: Tunnel, question: str) -> None:
    address = f"/tunnels/{tunnel.public_id}/{question}/"
    assert browser_of("viewer").get(address).status_code == 403
    assert browser_of("").get(address).status_code == 404
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_knows_no_tunnel_of_that_id(operator: Client, question: str) -> None:
    assert operator.get(f"/tunnels/vpnx-00000000/{question}/").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "http://testserver//evil.example/",
        "",
    ],
)
def test_it_never_leads_to_another_site(operator: Client, tunnel: Tunnel, address: str) -> None:
    response = operator.post(f"/tunnels/{tunnel.public_id}/reset/", {"next": address})
    assert response["Location"] == "/tunnels/"


def test_it_does_not_go_back_to_what_is_gone(operator: Client, tunnel: Tunnel) -> None:
    form = {**NAME, "next": f"/tunnels/{tunnel.public_id}/log/"}
    response = operator.post(f"/tunnels/{tunnel.public_id}/delete/", form)
    assert response["Location"] == "/tunnels/"


def test_it_leaves_the_page_of_a_deleted_tunnel(operator: Client, tunnel: Tunnel) -> None:
    page = f"http://testserver/tunnels/{tunnel.public_id}/"
    response = operator.post(
        f"/tunnels/{tunnel.public_id}/delete/",
        NAME,
        headers={"HX-Request": "true", "HX-Current-URL": page},
    )
    assert response["HX-Redirect"] == "/tunnels/"


def test_it_warns_before_a_reset(operator: Client, tunnel: Tunnel) -> None:
    page = operator.get(f"/tunnels/{tunnel.public_id}/reset/confirm/")
    assert b"Traffic over this tunnel stops" in page.content


def test_it_says_why_a_reset_is_refused(operator: Client, tunnel: Tunnel) -> None:
    _down(tunnel)
    response = operator.post(f"/tunnels/{tunnel.public_id}/reset/")
    assert response.status_code == 422
    assert b"bring it up instead of resetting it" in response.content


@pytest.mark.parametrize("deed", ["take-down", "bring-up"])
def test_it_does_not_switch_what_is_being_deleted(
    operator: Client, tunnel: Tunnel, deed: str
) -> None:
    _hanging(tunnel)
    response = operator.post(f"/tunnels/{tunnel.public_id}/{deed}/", follow=True)
    assert b"is being deleted" in response.content
    tunnel.refresh_from_db()
    assert tunnel.intent == "deleting"


def test_it_does_not_delete_what_is_connected(operator: Client, tunnel: Tunnel) -> None:
    make.connect(tunnel)
    page = operator.get(f"/tunnels/{tunnel.public_id}/delete/confirm/").content.decode()
    assert "carries traffic" in page
    assert f'action="/tunnels/{tunnel.public_id}/take-down/"' in page
    assert f'action="/tunnels/{tunnel.public_id}/delete/"' not in page
    refused = operator.post(f"/tunnels/{tunnel.public_id}/delete/", NAME)
    assert refused.status_code == 422
    assert Tunnel.objects.filter(pk=tunnel.pk, intent="up").exists()


def test_it_deletes_what_a_silent_gateway_called_connected(
    operator: Client, tunnel: Tunnel
) -> None:
    make.connect(tunnel)
    _silent(tunnel)
    page = operator.get(f"/tunnels/{tunnel.public_id}/delete/confirm/")
    assert b"The gateway is silent" in page.content
    operator.post(f"/tunnels/{tunnel.public_id}/delete/", NAME)
    assert Tunnel.objects.get(pk=tunnel.pk).intent == "deleting"
    page = operator.get(f"/tunnels/{tunnel.public_id}/delete/confirm/")
    assert b"Force the deletion" in page.content


@pytest.mark.parametrize("deed", ["delete", "force-delete"])
@pytest.mark.parametrize("typed", ["", "idc", "IDC-SHANGHAI"])
def test_it_asks_for_the_name(operator: Client, tunnel: Tunnel, deed: str, typed: str) -> None:
    _hanging(tunnel) if deed == "force-delete" else None
    response = operator.post(f"/tunnels/{tunnel.public_id}/{deed}/", {"confirm": typed})
    assert response.status_code == 422
    assert b"exactly as shown" in response.content
    assert Tunnel.objects.filter(pk=tunnel.pk).exists()


def test_it_forces_nothing_while_the_gateway_reports(operator: Client, tunnel: Tunnel) -> None:
    make.connect(tunnel)
    Tunnel.objects.filter(pk=tunnel.pk).update(intent="deleting")
    page = operator.get(f"/tunnels/{tunnel.public_id}/delete/confirm/")
    assert b"There is nothing to do" in page.content
    response = operator.post(f"/tunnels/{tunnel.public_id}/force-delete/", NAME)
    assert response.status_code == 422
    assert b"wait until it confirms" in response.content
    assert Tunnel.objects.filter(pk=tunnel.pk).exists()
