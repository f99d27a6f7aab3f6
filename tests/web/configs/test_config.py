from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from tests import factories as make
from tunnels.devices.base import PSK_PLACEHOLDER, Platform
from tunnels.devices.strongswan_swanctl.platform import PLATFORM as SWANCTL
from tunnels.models import CustomerGateway, Event, Tunnel
from tunnels.services.specs import spec_of
from tunnels.web.configs.highlight import highlight

pytestmark = pytest.mark.django_db

DIALOG = {"HX-Request": "true", "HX-Target": "dialog-body"}
SWANCTL_CHOICE = {"platform": "strongswan-swanctl", "version": "5.9+"}


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel(*make.SEED_RULES)


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
    page = admin.get(page_of(tunnel), SWANCTL_CHOICE).content.decode()
    text = preview(page)
    assert f"secret = {PSK_PLACEHOLDER}" in text.replace('"', "")
    assert "local_ts = 192.168.0.0/24" in text
    assert "remote_ts = 10.0.0.0/24" in text
    assert selected(page) == ["strongSwan", "swanctl.conf", "5.9+"]
    assert Event.objects.filter(action="config-downloaded").count() == 0
    assert "Which device is it?" not in page


def test_it_begins_with_the_settings_sheet_and_invites_to_choose(
    admin: Client, tunnel: Tunnel
) -> None:
    page = admin.get(page_of(tunnel)).content.decode()
    assert selected(page) == ["Generic", "Settings sheet", "text"]
    assert "Which device is it?" in page
    assert PSK_PLACEHOLDER in preview(page)


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
    download(admin, tunnel, version="6.x")
    customer = CustomerGateway.objects.get()
    assert (customer.platform, customer.platform_version) == ("strongswan-swanctl", "6.x")
    page = admin.get(page_of(tunnel)).content.decode()
    assert selected(page) == ["strongSwan", "swanctl.conf", "6.x"]
    assert "Which device is it?" not in page


def test_it_does_not_take_the_settings_sheet_for_a_device(admin: Client, tunnel: Tunnel) -> None:
    sheet = {"platform": "generic-sheet", "version": "text"}
    assert download(admin, tunnel, **sheet).status_code == HTTPStatus.OK
    assert CustomerGateway.objects.get().platform == ""
    download(admin, tunnel)
    download(admin, tunnel, **sheet)
    assert CustomerGateway.objects.get().platform == "strongswan-swanctl"
    assert Event.objects.filter(action="config-downloaded").count() == 3


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        # What a browser without scripts sends after another vendor was chosen.
        ("?vendor=Generic&platform=strongswan-swanctl&version=5.9%2B", ["Generic", "Settings sheet", "text"]),
        ("?platform=generic-sheet", ["Generic", "Settings sheet", "text"]),
        ("?vendor=strongSwan&platform=generic-sheet&version=text", ["strongSwan", "swanctl.conf", "5.9+"]),
        ("?vendor=nobody&platform=nothing&version=0", ["Generic", "Settings sheet", "text"]),
    ],
)  # fmt: skip
def test_it_makes_the_three_lists_agree(
    admin: Client, tunnel: Tunnel, acme: Platform, query: str, shown: list[str]
) -> None:
    assert selected(admin.get(page_of(tunnel, query)).content.decode()) == shown


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"platform": "toaster"}, "Choose one of: Acme Router, strongSwan swanctl.conf"),
        ({"version": "0.1"}, "Choose one of these versions: 5.9+"),
        ({"vendor": "Generic"}, "The vendor was changed after the platform"),
    ],
)
def test_it_refuses_a_device_that_it_does_not_know(
    admin: Client, tunnel: Tunnel, acme: Platform, fields: dict[str, str], sentence: str
) -> None:
    response = download(admin, tunnel, **fields)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert sentence in response.content.decode()
    assert "Choose again" in response.content.decode()
    assert Event.objects.filter(action="config-downloaded").count() == 0


def test_it_says_what_a_device_cannot_do_and_where_to_change_it(
    admin: Client, tunnel: Tunnel, acme: Platform
) -> None:
    chosen = {"platform": acme.id, "version": "2"}
    page = admin.get(page_of(tunnel), chosen).content.decode()
    assert "Acme Router 2 cannot do what this tunnel needs" in page
    sentence = "Acme Router takes at most 2 pairs of ranges in one tunnel, and this one has 4"
    assert page.count(sentence) == 1
    assert f'href="/tunnels/{tunnel.public_id}/edit/spd/"' in page
    assert f'href="{page_of(tunnel)}?platform=generic-sheet"' in page
    assert "<pre" not in page
    assert 'name="key"' not in page
    refused = download(admin, tunnel, key="with", **chosen)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refused.content.decode().count(sentence) == 1
    assert Event.objects.filter(action="config-downloaded").count() == 0
    assert CustomerGateway.objects.get().platform == ""


def test_it_leads_readers_to_the_sheet_and_not_to_what_they_may_not_edit(
    viewer: Client, tunnel: Tunnel, acme: Platform
) -> None:
    page = viewer.get(page_of(tunnel), {"platform": acme.id}).content.decode()
    assert "takes at most 2 pairs" in page
    assert "/edit/" not in page
    assert "?platform=generic-sheet" in page


def test_it_warns_of_what_a_device_does_differently(admin: Client, tunnel: Tunnel) -> None:
    page = admin.get(page_of(tunnel), SWANCTL_CHOICE).content.decode()
    for sentence in SWANCTL.losses(spec_of(tunnel)):
        assert html_module.escape(sentence) in page
    assert SWANCTL.losses(spec_of(tunnel))


def test_it_says_how_the_file_is_proven(admin: Client, tunnel: Tunnel, acme: Platform) -> None:
    page = admin.get(page_of(tunnel), {"platform": acme.id, "version": "1"}).content.decode()
    assert "Not machine-verified:" in page
    assert re.findall(r"<td>(Acme Router|strongSwan swanctl.conf|Generic.*?)</td>", page) == [
        "Acme Router",
        "strongSwan swanctl.conf",
    ]
    assert "in no device's own language" in admin.get(page_of(tunnel)).content.decode()


def test_it_asks_the_database_as_often_for_many_mappings_as_for_few(
    admin: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    large = make.a_tunnel(*[f"10.0.{n}.0/24 192.168.{n}.0/25 192.168.{n}.128/25" for n in range(9)])
    # Session, user, two kinds of permissions, tunnel, rules, mappings.
    with django_assert_max_num_queries(7):
        admin.get(page_of(large), SWANCTL_CHOICE)


def test_its_colours_change_no_character() -> None:
    text = (
        f"# a <b>\n  key = 1 # x\nsection {{\n\tsecret = {PSK_PLACEHOLDER}\n}}\n! & \"'\r\n"
        "  \"dh\": 14\n// <i>\n    set proposal aes256\n; x\nset vpn psk 'a'\nend"
    )
    shown = highlight(text)
    assert html_module.unescape(re.sub(r"</?(?:span|mark)[^>]*>", "", shown)) == text
    assert f'<mark class="code-secret">{PSK_PLACEHOLDER}</mark>' in shown
    assert '<span class="code-name">key</span> = 1' in shown
    assert '<span class="code-comment"># a &lt;b&gt;' in shown
    assert '  &quot;<span class="code-name">dh</span>&quot;: 14' in shown
    assert 'set <span class="code-name">proposal</span> aes256' in shown
    assert '<span class="code-comment">// &lt;i&gt;' in shown
