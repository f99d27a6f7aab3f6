"""What only the customer knows about the device: asked, checked, remembered; and several files at once."""

from __future__ import annotations

import io
import re
import zipfile
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests import factories as make
from tunnels.devices.base import PSK_PLACEHOLDER, Platform
from tunnels.models import CustomerGateway, Event, Tunnel
from tunnels.services.policy import HealthRequest

pytestmark = pytest.mark.django_db

CHOSEN = {"vendor": "Acme", "platform": "acme-router", "version": "2"}
ANSWERS = {"acme-router-outside": "wan7", "acme-router-sequence": "30"}


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel()


@pytest.fixture
def admin(client: Client, acme: Platform) -> Client:
    client.force_login(make.a_user("ada", "admin"))
    return client


def show(
    client: Client,
    tunnel: Tunnel,
    typed: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> str:
    response = client.get(f"/tunnels/{tunnel.public_id}/config/", typed, headers=headers)
    assert response.status_code == HTTPStatus.OK
    return str(response.content.decode())


def download(client: Client, tunnel: Tunnel, **typed: str) -> Any:
    return client.post(f"/tunnels/{tunnel.public_id}/config/download/", {**CHOSEN, **typed})


def field(page: str, question: str) -> str:
    """The input of a question."""
    found = re.search(rf'<input[^>]*name="acme-router-{question}"[^>]*>', page)
    return found.group() if found else ""


def test_it_asks_with_the_usual_answer_filled_in(admin: Client, tunnel: Tunnel) -> None:
    page = show(admin, tunnel, CHOSEN)
    outside = field(page, "outside")
    assert 'value="wan0"' in outside
    described = re.search(r'aria-describedby="([^"]+)"', outside)
    assert described
    assert f'id="{described[1]}"' in page
    assert "The one with the public address." in page
    assert re.search(r'<label[^>]*for="config-acme-router-outside"', page)
    assert "use outside=wan0 sequence=10" in page


def test_it_asks_only_what_matters_for_this_tunnel(admin: Client, tunnel: Tunnel) -> None:
    checked = make.a_tunnel(name="checked", health=HealthRequest())
    assert field(show(admin, tunnel, CHOSEN), "probe") == ""
    assert 'value="lo0"' in field(show(admin, checked, CHOSEN), "probe")


def test_an_answer_changes_the_file(admin: Client, tunnel: Tunnel) -> None:
    body = {"HX-Request": "true", "HX-Target": "step-body"}
    page = show(admin, tunnel, CHOSEN | ANSWERS, body)
    assert "use outside=wan7 sequence=30" in page
    assert 'value="wan7"' in field(page, "outside")
    assert "sheet-head" not in page
    assert 'name="key"' in page


def test_an_empty_answer_is_the_usual_one(admin: Client, tunnel: Tunnel) -> None:
    page = show(admin, tunnel, CHOSEN | {"acme-router-outside": " "})
    assert "use outside=wan0 " in page
    assert 'value=" "' in field(page, "outside")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("wan7\nset evil", "enter something like wan1."),
        ('"><script>alert(2)</script>', "enter something like wan1."),
        ("wan1\0", "enter something like wan1."),
        ("w" * 101, "enter at most 100 characters."),
    ],
)
def test_a_wrong_answer_is_told_at_its_field_and_makes_no_file(
    admin: Client, tunnel: Tunnel, answer: str, sentence: str
) -> None:
    page = show(admin, tunnel, CHOSEN | {"acme-router-outside": answer})
    outside = field(page, "outside")
    assert 'aria-invalid="true"' in outside
    assert sentence in page
    described = re.search(r'aria-describedby="([^"]+)"', outside)
    assert described
    for part in described[1].split():
        assert f'id="{part}"' in page
    assert "aria-invalid" not in field(page, "sequence")
    assert "<pre" not in page
    assert 'name="key"' not in page
    assert "<script>alert" not in page


def test_a_download_with_a_wrong_answer_shows_it_again(admin: Client, tunnel: Tunnel) -> None:
    response = download(admin, tunnel, key="with", **ANSWERS | {"acme-router-sequence": "70000<"})
    page = response.content.decode()
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'aria-invalid="true"' in field(page, "sequence")
    assert 'value="70000&lt;"' in field(page, "sequence")
    assert "enter a number from 1 to 65535" in page
    assert 'value="wan7"' in field(page, "outside")
    assert make.CANARY_PSK not in page
    assert not Event.objects.filter(action="config-downloaded").exists()
    assert CustomerGateway.objects.get().device_answers == {}


def test_it_shows_at_most_what_can_be_an_answer(admin: Client, tunnel: Tunnel) -> None:
    response = download(admin, tunnel, **{"acme-router-outside": "w" * 100_000})
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "w" * 101 in response.content.decode()
    assert "w" * 102 not in response.content.decode()


def test_an_answer_for_another_platform_is_none(admin: Client, tunnel: Tunnel) -> None:
    page = show(admin, tunnel, {**CHOSEN, "outside": "wan8", "other-outside": "wan9"})
    assert "use outside=wan0 " in page


def test_several_files_are_previewed_by_name_and_saved_together(
    admin: Client, tunnel: Tunnel
) -> None:
    page = show(admin, tunnel, CHOSEN)
    names = [f"{tunnel.public_id}-acme.{kind}" for kind in ("cfg", "html")]
    for number, name in enumerate(names, start=1):
        assert f'<pre class="code" id="config-text-{number}"' in page
        assert f'aria-label="Preview of {name}"' in page
        assert f'data-copy="config-text-{number}"' in page
    assert f"{tunnel.public_id}-acme-router.zip" in page
    response = download(admin, tunnel, key="with", **ANSWERS)
    assert response["Content-Type"] == "application/zip"
    assert f'filename="{tunnel.public_id}-acme-router.zip"' in response["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist() == names
        text = archive.read(names[0]).decode()
    assert f"key {make.CANARY_PSK}\n" in text
    assert "use outside=wan7 sequence=30" in text


def test_a_page_is_shown_as_text_and_never_as_a_page(admin: Client, tunnel: Tunnel) -> None:
    page = show(admin, tunnel, CHOSEN)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "open the downloaded file in a browser" in page
    single = {"vendor": "Generic", "platform": "generic-sheet", "version": "text"}
    assert "in a browser" not in show(admin, tunnel, single)


def test_it_remembers_the_answers(admin: Client, tunnel: Tunnel) -> None:
    download(admin, tunnel, **ANSWERS)
    customer = CustomerGateway.objects.get()
    assert customer.device_answers == {"acme-router": {"outside": "wan7", "sequence": "30"}}
    page = show(admin, tunnel)
    assert "use outside=wan7 sequence=30" in page
    assert 'value="wan7"' in field(page, "outside")
    assert "use outside=wan7 sequence=31" in show(admin, tunnel, {"acme-router-sequence": "31"})


def test_it_keeps_answers_that_were_not_asked_this_time(admin: Client, tunnel: Tunnel) -> None:
    customer = tunnel.customer_gateway
    customer.device_answers = {
        "acme-router": {"probe": "lo5", "outside": "wan1"},
        "other": {"zone": "dmz"},
    }
    customer.save()
    download(admin, tunnel, **ANSWERS)
    customer.refresh_from_db()
    assert customer.device_answers == {
        "acme-router": {"probe": "lo5", "outside": "wan7", "sequence": "30"},
        "other": {"zone": "dmz"},
    }


def test_it_tells_of_other_tunnels_at_the_same_device(admin: Client, tunnel: Tunnel) -> None:
    assert "other tunnel" not in show(admin, tunnel, CHOSEN)
    for number in (1, 2):
        make.a_tunnel(name=f"other-{number}", customer_gateway=tunnel.customer_gateway)
        make.a_tunnel(name=f"elsewhere-{number}")
    assert "2 other tunnels end at it." in show(admin, tunnel, CHOSEN)


def test_it_checks_remembered_answers_again(admin: Client, tunnel: Tunnel) -> None:
    CustomerGateway.objects.update(
        platform="acme-router", device_answers={"acme-router": {"outside": "<b>"}}
    )
    page = show(admin, tunnel)
    assert 'value="&lt;b&gt;"' in field(page, "outside")
    assert 'aria-invalid="true"' in field(page, "outside")
    assert "<pre" not in page


def test_it_shows_without_scripts_what_was_chosen(admin: Client, tunnel: Tunnel) -> None:
    response = download(admin, tunnel, show="1", key="with", csrfmiddlewaretoken="x", **ANSWERS)
    assert response.status_code == HTTPStatus.SEE_OTHER
    address = urlsplit(response["Location"])
    assert address.path == f"/tunnels/{tunnel.public_id}/config/"
    assert parse_qs(address.query) == {name: [value] for name, value in (CHOSEN | ANSWERS).items()}
    assert not Event.objects.filter(action="config-downloaded").exists()


def test_a_redacted_copy_has_the_placeholder_in_every_file(admin: Client, tunnel: Tunnel) -> None:
    response = download(admin, tunnel, key="without")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        together = "".join(archive.read(name).decode() for name in archive.namelist())
    assert f"key {PSK_PLACEHOLDER}\n" in together
    assert make.CANARY_PSK not in together
