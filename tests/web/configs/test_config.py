from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from tests import factories as make
from tunnels.devices import registry
from tunnels.devices.base import PSK_PLACEHOLDER
from tunnels.devices.strongswan_swanctl.platform import PLATFORM as SWANCTL
from tunnels.domain.findings import Finding
from tunnels.models import CustomerGateway, Event, Tunnel
from tunnels.services.specs import spec_of
from tunnels.web.configs.highlight import highlight

pytestmark = pytest.mark.django_db

DIALOG = {"HX-Request": "true", "HX-Target": "dialog-body"}
SWANCTL_CHOICE = {"platform": "strongswan-swanctl", "version": "5.9+"}


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel(*make.SEED_RULES)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make.a_user("ada", "admin"))
    return client


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(make.a_user("vera", "viewer"))
    return client


def page_of(tunnel: Tunnel, query: str = "") -> str:
    return f"/tunnels/{tunnel.public_id}/config/{query}"


def download(client: Client, tunnel: Tunnel, **fields: str) -> Any:
    return client.post(page_of(tunnel, "download/"), {**SWANCTL_CHOICE, **fields})


def preview(page: str) -> str:
    """The text of the preview, as a browser would copy it."""
    found = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert found
    return html_module.unescape(re.sub(r"<[^>]+>", "", found[1]))


def selected(page: str) -> list[str]:
    return [html_module.unescape(text) for text in re.findall(r"<option[^>]*selected>(.*?)<", page)]


def test_it_previews_the_file_without_the_key(admin: Client, tunnel: Tunnel) -> None:
    page = admin.get(page_of(tunnel)).content.decode()
    text = preview(page)
    assert f"secret = {PSK_PLACEHOLDER}" in text.replace('"', "")
    assert "local_ts = 192.168.0.0/24" in text
    assert "remote_ts = 10.0.0.0/24" in text
    assert selected(page) == ["strongSwan", "swanctl.conf", "5.9+"]
    assert Event.objects.filter(action="config-downloaded").count() == 0


def test_it_downloads_the_file_with_the_key(admin: Client, tunnel: Tunnel) -> None:
    response = download(admin, tunnel, key="with")
    assert response.status_code == HTTPStatus.OK
    text = response.content.decode()
    assert make.CANARY_PSK in text
    assert "local_ts = 192.168.0.0/24" in text
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == (
        f'attachment; filename="{tunnel.public_id}-swanctl.conf"'
    )
    assert response["Cache-Control"] == "private, no-store"
    event = Event.objects.get(action="config-downloaded")
    assert (event.actor_name, event.level, event.target_id) == (
        "ada",
        "warning",
        tunnel.public_id,
    )
    assert event.message.endswith("for strongSwan swanctl.conf 5.9+ downloaded, with the key")


@pytest.mark.parametrize("fields", [{}, {"key": "without"}, {"key": "WITH"}])
def test_it_downloads_a_redacted_copy(
    viewer: Client, tunnel: Tunnel, fields: dict[str, str]
) -> None:
    response = download(viewer, tunnel, **fields)
    assert response.status_code == HTTPStatus.OK
    assert make.CANARY_PSK not in response.content.decode()
    assert PSK_PLACEHOLDER in response.content.decode()
    assert Event.objects.get(action="config-downloaded").level == "info"


def test_it_refuses_the_key_to_readers_and_writes_nothing_down(
    viewer: Client, tunnel: Tunnel
) -> None:
    response = download(viewer, tunnel, key="with")
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert make.CANARY_PSK not in response.content.decode()
    assert Event.objects.filter(action="config-downloaded").count() == 0
    page = viewer.get(page_of(tunnel)).content.decode()
    assert 'value="without"' in page
    assert 'value="with"' not in page


def test_it_is_not_there_for_strangers(client: Client, tunnel: Tunnel) -> None:
    client.force_login(make.a_user("sam"))
    assert client.get(page_of(tunnel)).status_code == HTTPStatus.NOT_FOUND
    assert download(client, tunnel).status_code == HTTPStatus.NOT_FOUND


def test_it_does_not_download_by_get(admin: Client, tunnel: Tunnel) -> None:
    response = admin.get(page_of(tunnel, "download/"), {**SWANCTL_CHOICE, "key": "with"})
    assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_it_remembers_the_device(admin: Client, tunnel: Tunnel) -> None:
    download(admin, tunnel, platform="generic-sheet", version="text")
    assert CustomerGateway.objects.get().platform == "generic-sheet"
    assert selected(admin.get(page_of(tunnel)).content.decode())[0] == "Generic"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        # What a browser without scripts sends after another vendor was chosen.
        ("?vendor=Generic&platform=strongswan-swanctl&version=5.9%2B", ["Generic", "Settings sheet", "text"]),
        ("?platform=generic-sheet", ["Generic", "Settings sheet", "text"]),
        ("?vendor=nobody&platform=nothing&version=0", ["strongSwan", "swanctl.conf", "5.9+"]),
    ],
)  # fmt: skip
def test_it_makes_the_three_lists_agree(
    admin: Client, tunnel: Tunnel, query: str, shown: list[str]
) -> None:
    assert selected(admin.get(page_of(tunnel, query)).content.decode()) == shown


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"platform": "toaster"}, "Choose one of: strongSwan swanctl.conf"),
        ({"version": "0.1"}, "Choose one of these versions: 5.9+"),
    ],
)
def test_it_refuses_a_device_that_it_does_not_know(
    admin: Client, tunnel: Tunnel, fields: dict[str, str], sentence: str
) -> None:
    response = download(admin, tunnel, **fields)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert sentence in response.content.decode()
    assert Event.objects.filter(action="config-downloaded").count() == 0


def test_it_says_what_a_device_cannot_do(
    admin: Client, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding(rule="no-dh19", message="It has no DH19; choose DH14.")
    weak = replace(SWANCTL, unsupported=lambda _spec: [finding], losses=lambda _spec: ["Lost."])
    monkeypatch.setattr(registry, "PLATFORMS", {weak.id: weak})
    monkeypatch.setattr("tunnels.web.configs.choice.PLATFORMS", {weak.id: weak})
    page = admin.get(page_of(tunnel))
    assert page.status_code == HTTPStatus.OK
    assert "It has no DH19; choose DH14." in page.content.decode()
    assert "<pre" not in page.content.decode()
    assert 'name="key"' not in page.content.decode()
    refused = download(admin, tunnel, key="with")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refused.content.decode().count("It has no DH19; choose DH14.") == 1
    assert Event.objects.filter(action="config-downloaded").count() == 0


def test_it_warns_of_what_a_device_does_differently(admin: Client, tunnel: Tunnel) -> None:
    page = admin.get(page_of(tunnel)).content.decode()
    for sentence in SWANCTL.losses(spec_of(tunnel)):
        assert html_module.escape(sentence) in page
    assert SWANCTL.losses(spec_of(tunnel))


def test_it_keeps_the_focus_on_the_list_that_was_changed(admin: Client, tunnel: Tunnel) -> None:
    page = admin.get(page_of(tunnel), headers={**DIALOG, "HX-Trigger-Name": "platform"})
    autofocus = re.findall(r'<select[^>]*name="(\w+)"[^>]*autofocus', page.content.decode())
    assert autofocus == ["platform"]
    assert "<html" not in page.content.decode()


def test_it_asks_the_database_as_often_for_many_mappings_as_for_few(
    admin: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    large = make.a_tunnel(*[f"10.0.{n}.0/24 192.168.{n}.0/25 192.168.{n}.128/25" for n in range(9)])
    # Session, user, two kinds of permissions, tunnel, rules, mappings.
    with django_assert_max_num_queries(7):
        admin.get(page_of(large))


def test_its_colours_change_no_character() -> None:
    text = f"# a <b>\n  key = 1 # x\nsection {{\n\tsecret = {PSK_PLACEHOLDER}\n}}\n! & \"'\r\nend"
    shown = highlight(text)
    assert html_module.unescape(re.sub(r"</?(?:span|mark)[^>]*>", "", shown)) == text
    assert f'<mark class="code-secret">{PSK_PLACEHOLDER}</mark>' in shown
    assert '<span class="code-name">key</span> = 1' in shown
    assert '<span class="code-comment"># a &lt;b&gt;' in shown
