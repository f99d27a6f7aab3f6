from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from tests.factories import a_user
from tests.web.gallery import TEMPLATES
from tunnels.services.access import sync_roles
from tunnels.web.context import navigation
from vpnconsole.env import BASE_DIR

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.gallery")]

HTMX = {"HX-Request": "true"}
IN_DIALOG = {**HTMX, "HX-Boosted": "true", "HX-Target": "dialog-body"}
SENT = {
    "name": "paris",
    "kind": "vpc",
    "mode": "main",
    "ranges": "10.0.0.0/24",
    "key": "only-for-this-page",
}


@pytest.fixture(autouse=True)
def _gallery(settings: Any) -> None:
    first, *others = settings.TEMPLATES
    settings.TEMPLATES = [{**first, "DIRS": [*first["DIRS"], TEMPLATES]}, *others]
    sync_roles()


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(a_user(role or "stranger", role))
    return client


# --- Two answers of one address -----------------------------------------------------------------


def test_it_answers_a_browser_with_the_page() -> None:
    response = signed_in("viewer").get("/gallery/")
    assert b"<!DOCTYPE html>" in response.content
    assert b"The tunnel was created." in response.content
    assert "HX-Trigger" not in response
    assert {"HX-Request", "HX-Target"} <= set(response["Vary"].split(", "))
    assert "private" in response["Cache-Control"]


def test_it_answers_htmx_with_the_part_and_its_toasts() -> None:
    response = signed_in("viewer").get("/gallery/", headers=HTMX)
    assert b"<html" not in response.content
    assert b"<table" in response.content
    assert "HX-Request" in response["Vary"]
    told = json.loads(response["HX-Trigger"])
    assert told == {"toasts": {"items": [{"level": "success", "text": "The tunnel was created."}]}}


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_it_answers_with_the_page_what_replaces_the_page(header: str) -> None:
    response = signed_in("viewer").get("/gallery/", headers={**HTMX, header: "true"})
    assert b"<!DOCTYPE html>" in response.content


def test_it_shows_one_form_as_page_and_in_the_dialog() -> None:
    client = signed_in("viewer")
    page = client.get("/gallery/form/").content.decode()
    part = client.get("/gallery/form/", headers=IN_DIALOG).content.decode()
    assert re.search(r"<h1[^>]*>New thing</h1>", page)
    assert 'id="dialog-title"' not in page
    assert '<h2 class="sheet-title" id="dialog-title">New thing</h2>' in part
    assert "<html" not in part


def test_it_answers_mistakes_with_422() -> None:
    client = signed_in("operator")
    assert client.post("/gallery/save/", {}).status_code == 422
    part = client.post("/gallery/save/", {}, headers=IN_DIALOG)
    assert part.status_code == 422
    assert b"<html" not in part.content


def test_it_ends_a_form_elsewhere_or_closes_the_dialog() -> None:
    client = signed_in("operator")
    plain = client.post("/gallery/save/", SENT)
    assert (plain.status_code, plain["Location"]) == (303, "/gallery/")
    assert b"It was saved." in client.get("/gallery/").content
    part = client.post("/gallery/save/", SENT, headers=IN_DIALOG)
    assert (part.status_code, part.content) == (204, b"")
    told = json.loads(part["HX-Trigger"])
    assert told.keys() == {"dialog:close", "rows-changed", "toasts"}
    assert told["toasts"]["items"] == [{"level": "success", "text": "It was saved."}]


# --- Access ---------------------------------------------------------------------------------------


def test_it_sends_those_who_are_not_signed_in_to_the_login() -> None:
    client = Client()
    read = client.get("/gallery/?page=2")
    assert (read.status_code, read["Location"]) == (
        302,
        "/accounts/login/?next=/gallery/%3Fpage%3D2",
    )
    write = client.post("/gallery/save/", SENT)
    assert (write.status_code, write["Location"]) == (302, "/accounts/login/?next=/tunnels/")


def test_it_sends_htmx_to_the_login_and_back_to_the_open_page() -> None:
    headers = {**HTMX, "HX-Current-URL": "http://testserver/tunnels/?tag=a"}
    response = Client().get("/gallery/", headers=headers)
    assert response["HX-Redirect"] == "/accounts/login/?next=/tunnels/%3Ftag%3Da"
    foreign = {**HTMX, "HX-Current-URL": "https://elsewhere.example/"}
    response = Client().get("/gallery/", headers=foreign)
    assert response["HX-Redirect"] == "/accounts/login/?next=/tunnels/"


def test_it_is_not_there_for_strangers() -> None:
    client = signed_in("")
    read = client.get("/gallery/")
    assert read.status_code == client.post("/gallery/save/", SENT).status_code == 404
    assert b"no role in this console yet" in read.content


def test_it_tells_readers_which_role_a_write_needs() -> None:
    response = signed_in("viewer").post("/gallery/save/", SENT)
    assert response.status_code == 403
    assert "needs the role operator" in response.content.decode()


def test_it_refuses_a_write_by_get_before_asking_who() -> None:
    assert Client().get("/gallery/save/").status_code == 405


# --- Navigation -----------------------------------------------------------------------------------


def test_it_leads_only_where_the_user_may_go() -> None:
    request = RequestFactory().get("/tunnels/")
    request.user = a_user("viewer", "viewer")
    labels = [item.label for section in navigation(request) for item in section.items]
    assert "Tunnels" in labels
    assert "Users" not in labels
    request.user = a_user("stranger")
    assert navigation(request) == ()
    request.user = AnonymousUser()
    assert navigation(request) == ()


def test_it_marks_the_open_page() -> None:
    request = RequestFactory().get("/tunnels/vpnx-1a2b3c4d/")
    request.user = a_user("viewer", "viewer")
    current = [i.label for section in navigation(request) for i in section.items if i.current]
    assert current == ["Tunnels"]


# --- Errors ---------------------------------------------------------------------------------------


def test_it_tells_of_its_own_mistake_and_no_more(client: Client) -> None:
    client.raise_request_exception = False
    response = client.get("/gallery/broken/")
    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()
    assert "on purpose" not in response.content.decode()


def test_it_explains_a_form_without_its_token() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "a", "password": "b"})
    assert response.status_code == 403
    assert "This form is too old" in response.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "404", "429", "500"])
def test_its_error_pages_need_nothing(name: str) -> None:
    page = render_to_string(f"{name}.html")
    assert len(re.findall(r"<h1", page)) == 1
    assert re.search(r"<p data-error>\s*\S", page)


def test_it_slows_down_guessing(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    sent = {"login": "olga", "password": "wrong"}
    assert client.post("/accounts/login/", sent).status_code == 200
    response = client.post("/accounts/login/", sent)
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()


# --- Content-Security-Policy and accessibility of the source ----------------------------------------

INLINE = re.compile(
    r"<style\b|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js:"
    r"|<script(?![^>]*\ssrc=)(?![^>]*application/json)",
    re.IGNORECASE,
)


def _templates() -> list[Path]:
    return sorted((BASE_DIR / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", _templates(), ids=lambda path: path.name)
def test_its_templates_have_nothing_inline(path: Path) -> None:
    assert INLINE.findall(path.read_text(encoding="utf-8")) == []


def test_it_ties_help_and_mistakes_to_their_fields() -> None:
    page = signed_in("operator").post("/gallery/save/", {"name": "much-too-long"}).content.decode()
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    described = re.findall(r'aria-describedby="([^"]+)"', page)
    assert "id_name_helptext id_name_error" in described
    assert "id_key_helptext id_key_error" in described
    assert {name for names in described for name in names.split()} <= ids
