from __future__ import annotations

import html
import logging
from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.debug import SafeExceptionReporterFilter

from tests import factories as make
from tests.devices.cases import render_case
from tunnels.devices.registry import PLATFORMS
from tunnels.models import Event, Tunnel
from tunnels.services.specs import spec_of
from tunnels.web.compare.views import compare_check

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "answer"}
# Not the tunnel's own key: another secret that a paste may hold.
CANARY = "Canary-of-the-paste-91f2"


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel(*make.SEED_RULES)


def address(tunnel: Tunnel, name: str = "compare-check") -> str:
    return reverse(f"tunnels:{name}", args=[tunnel.public_id])


def own_file(tunnel: Tunnel, platform: str = "strongswan-swanctl") -> str:
    """The file that the device was given, key included."""
    return render_case(PLATFORMS[platform], spec_of(tunnel)).text


def paste(client: Client, tunnel: Tunnel, text: str, **more: Any) -> Any:
    """Paste as the form does."""
    grammar = more.pop("grammar", "")
    return client.post(address(tunnel), {"text": text, "grammar": grammar}, **more)


def shown(response: Any) -> str:
    """The page as text."""
    return html.unescape(response.content.decode())


def test_it_shows_where_to_paste(viewer: Client, tunnel: Tunnel) -> None:
    response = viewer.get(address(tunnel, "compare"))
    page = shown(response)
    assert response.status_code == HTTPStatus.OK
    assert page.index("Recognise it by itself") < page.index("strongSwan swanctl.conf")
    assert 'enctype="multipart/form-data"' in page
    assert "A pre-shared key in it is not compared" in page
    assert "These two" not in page


@pytest.mark.parametrize(
    "platform", ["strongswan-swanctl", "strongswan-ipsec-conf", "fortinet-fortios", "cisco-ios"]
)
def test_it_finds_nothing_in_our_own_file(admin: Client, tunnel: Tunnel, platform: str) -> None:
    response = paste(admin, tunnel, own_file(tunnel, platform))
    assert response.status_code == HTTPStatus.OK
    assert "These two will negotiate." in shown(response)
    assert "To be resolved" not in shown(response)


def test_it_names_a_difference_with_both_values_and_the_line(admin: Client, tunnel: Tunnel) -> None:
    text = own_file(tunnel)
    number = text[: text.index("remote_ts = 10.0.1.0/24")].count("\n") + 1
    page = shown(
        paste(admin, tunnel, text.replace("remote_ts = 10.0.1.0/24", "remote_ts = 10.0.1.0/25"))
    )
    assert "One difference must be resolved before these two will negotiate." in page
    assert "192.168.2.0/24 ↔ 10.0.1.0/24" in page
    assert "192.168.2.0/24 ↔ 10.0.1.0/25" in page
    assert str(number) in page.split("10.0.1.0/25")[1].split("</tr>")[0]


def test_it_puts_nothing_of_the_paste_back(admin: Client, tunnel: Tunnel) -> None:
    text = (
        own_file(tunnel).replace(make.CANARY_PSK, CANARY) + f"\n# {CANARY} and a comment of mine\n"
    )
    for headers in ({}, HTMX):
        page = shown(paste(admin, tunnel, text, headers=headers))
        assert "another key" in page
        assert CANARY not in page
        assert "comment of mine" not in page
    field = page_field(shown(paste(admin, tunnel, text)))
    assert field == ""


def page_field(page: str) -> str:
    """What stands in the field."""
    return page.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]


def test_it_answers_htmx_with_the_answer_alone(admin: Client, tunnel: Tunnel) -> None:
    page = shown(paste(admin, tunnel, own_file(tunnel), headers=HTMX))
    assert "These two will negotiate." in page
    assert "<textarea" not in page
    assert "<html" not in page


def test_it_keeps_the_kind_that_was_chosen(admin: Client, tunnel: Tunnel) -> None:
    page = shown(paste(admin, tunnel, "config x\nend\n", grammar="fortios"))
    assert '<option value="fortios" selected>' in page
    assert "There is no config vpn ipsec phase1-interface" in page


def test_it_compares_no_key_for_those_who_may_not_see_it(
    viewer: Client, admin: Client, tunnel: Tunnel
) -> None:
    right = own_file(tunnel)
    wrong = right.replace(make.CANARY_PSK, CANARY)
    answers = [shown(paste(viewer, tunnel, text, headers=HTMX)) for text in (right, wrong)]
    assert answers[0] == answers[1]
    assert "provided that their keys are equal" in answers[0]
    assert "another key" in shown(paste(admin, tunnel, wrong))


def test_it_leaves_an_event_without_anything_of_the_paste(
    viewer: Client, admin: Client, tunnel: Tunnel
) -> None:
    text = (
        own_file(tunnel)
        .replace(make.CANARY_PSK, CANARY)
        .replace("remote_addrs", "proposals = des\n remote_addrs")
    )
    paste(viewer, tunnel, own_file(tunnel))
    paste(admin, tunnel, text)
    first, second = Event.objects.filter(action="config-compared").order_by("pk")
    assert (first.actor_name, first.level, first.target_id) == ("vera", "info", tunnel.public_id)
    assert first.message == (
        "A pasted configuration (strongSwan swanctl.conf) was compared with idc-shanghai, without the key: "
        "0 differences"
    )
    assert (second.actor_name, second.level) == ("ada", "warning")
    assert second.message.endswith("with the key: 1 difference")
    assert (second.before, second.after) == ({}, {})


def test_it_keeps_the_paste_nowhere(
    admin: Client, tunnel: Tunnel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    marked = own_file(tunnel).replace(make.CANARY_PSK, CANARY)
    for text in (
        marked,
        f"nothing that is known {CANARY}",
        f"connections {{\n {CANARY}\n",
        f"{CANARY}\0",
    ):
        paste(admin, tunnel, text)
    kept = [
        [session.get_decoded() for session in Session.objects.all()],
        [*Event.objects.values()],
        admin.cookies.output(),
        caplog.text,
    ]
    assert CANARY not in repr(kept)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste the configuration of the device first."),
        ("hello", "This looks like none of the kinds that are compared"),
        (
            "connections {\n a {\n",
            "Line 2 cannot be read: the section that begins here has no end.",
        ),
        ("a\0b", "Line 1 holds characters that no configuration has"),
        ("connections {\n a {\n remote_addrs = 192.0.2.1\n }\n}\n", "It has: 192.0.2.1 (line 2)."),
        ("x" * 1_048_577, "This is more than 1 MB."),
        ("é" * 1_000_000, "This is more than 1 MB."),
        ("x" * 5_000_000, "This is more than 1 MB."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_it_says_why_it_cannot_compare(
    admin: Client, tunnel: Tunnel, text: str, sentence: str, headers: dict[str, str]
) -> None:
    response = paste(admin, tunnel, text, headers=headers)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This could not be compared" in shown(response)
    assert sentence in shown(response)
    assert ("<textarea" in shown(response)) is (not headers)
    assert not Event.objects.filter(action="config-compared").exists()


def test_it_gives_the_reason_for_a_large_form_of_the_other_encoding(
    admin: Client, tunnel: Tunnel
) -> None:
    """Three bytes for each letter that has to be escaped."""
    kind = "application/x-www-form-urlencoded"
    response = admin.post(address(tunnel), "text=" + "%7B" * 1_000_000, content_type=kind)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This is more than 1 MB." in shown(response)
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE < 3_000_000


def test_it_takes_a_whole_megabyte(admin: Client, tunnel: Tunnel) -> None:
    """Browsers send two characters for the end of a line."""
    text = own_file(tunnel) + "#\n" * 90_000
    filled = text + "#" * (1_048_576 - len(text))
    response = paste(admin, tunnel, filled.replace("\n", "\r\n"))
    assert "These two will negotiate." in shown(response)


def test_it_reads_bytes_that_are_no_utf_8(admin: Client, tunnel: Tunnel) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"# caf\xe9\r\n"
    body += own_file(tunnel).encode() + b"\r\n--x--\r\n"
    response = admin.post(address(tunnel), body, content_type="multipart/form-data; boundary=x")
    assert "These two will negotiate." in shown(response)


def test_it_checks_the_token_of_a_small_paste_and_reads_no_large_one(tunnel: Tunnel) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make.a_user("ada", "admin"))
    assert paste(client, tunnel, own_file(tunnel)).status_code == HTTPStatus.FORBIDDEN
    large = paste(client, tunnel, "x" * 3_000_000)
    assert large.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not Event.objects.filter(action="config-compared").exists()
    page = client.get(address(tunnel, "compare")).content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    sent = {"text": own_file(tunnel), "csrfmiddlewaretoken": token}
    assert "These two will negotiate." in shown(client.post(address(tunnel), sent))


def test_it_is_not_there_for_strangers(client: Client, tunnel: Tunnel) -> None:
    client.force_login(make.a_user("sam"))
    assert client.get(address(tunnel, "compare")).status_code == HTTPStatus.NOT_FOUND
    assert paste(client, tunnel, "x").status_code == HTTPStatus.NOT_FOUND
    assert paste(client, tunnel, "x" * 3_000_000).status_code == HTTPStatus.NOT_FOUND


def test_it_compares_by_post_only(admin: Client, tunnel: Tunnel) -> None:
    assert admin.get(address(tunnel), {"text": "x"}).status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert admin.post(address(tunnel, "compare")).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_it_is_cached_by_nobody(admin: Client, tunnel: Tunnel) -> None:
    assert paste(admin, tunnel, own_file(tunnel))["Cache-Control"] == "private, no-store"


def test_it_hides_the_paste_from_error_reports(tunnel: Tunnel, rf: RequestFactory) -> None:
    request = rf.post("/", {"text": CANARY, "grammar": "ios"})
    request.user = make.a_user("sam")
    with pytest.raises(Http404):
        compare_check(request, public_id=tunnel.public_id)
    reported = SafeExceptionReporterFilter().get_post_parameters(request)
    assert reported["grammar"] == "ios"
    assert CANARY not in repr(reported)


def test_it_is_reached_from_the_page_of_the_tunnel(viewer: Client, tunnel: Tunnel) -> None:
    page = viewer.get(reverse("tunnels:detail", args=[tunnel.public_id])).content.decode()
    assert f'href="{address(tunnel, "compare")}"' in page


def test_it_is_reached_from_the_dialog_with_the_files(viewer: Client, tunnel: Tunnel) -> None:
    page = viewer.get(address(tunnel, "config")).content.decode()
    assert f'href="{address(tunnel, "compare")}"' in page
