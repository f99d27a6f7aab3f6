from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tunnels.models import Event, Tunnel

pytestmark = pytest.mark.django_db


def save(client: Client, tunnel: Tunnel, *rows: tuple[str, str], **more: Any) -> Any:
    """Send the form with these rows."""
    form = {"key": [key for key, _ in rows], "value": [value for _, value in rows], **more}
    return client.post(f"/tunnels/{tunnel.public_id}/tags/save/", form)


def test_it_shows_the_tags(operator: Client, tunnel: Tunnel) -> None:
    page = operator.get(f"/tunnels/{tunnel.public_id}/tags/").content.decode()
    assert 'name="key" value="env"' in page
    assert 'name="value" value="prod"' in page


def test_it_replaces_the_tags_and_leaves_out_empty_rows(operator: Client, tunnel: Tunnel) -> None:
    assert save(operator, tunnel, ("team", "net"), ("", ""), ("owner", "eva")).status_code == 303
    tunnel.refresh_from_db()
    assert tunnel.tags == {"team": "net", "owner": "eva"}


def test_it_can_remove_them_all(operator: Client, tunnel: Tunnel) -> None:
    assert save(operator, tunnel, ("", "")).status_code == 303
    tunnel.refresh_from_db()
    assert tunnel.tags == {}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("env", "prod"), ("env", "test")], "is there twice"),
        ([("env", "prod"), ("team", "")], "a value"),
        ([("env", "prod"), ("qcs:x", "y")], "reserved"),
        ([("", ""), ("env", "prod"), ("", "net")], "needs a key"),
    ],
)
def test_it_says_at_the_row_what_is_wrong(
    operator: Client, tunnel: Tunnel, rows: list[tuple[str, str]], sentence: str
) -> None:
    Event.objects.all().delete()
    response = save(operator, tunnel, *rows)
    page = response.content.decode()
    assert response.status_code == 422
    assert page.count("aria-invalid") == 1
    assert sentence in page[page.index('id="tag-error-2"') :]
    # What was typed is still there.
    assert 'value="prod"' in page
    tunnel.refresh_from_db()
    assert tunnel.tags == {"env": "prod"}
    assert not Event.objects.exists()


def test_it_refuses_more_than_fifty(operator: Client, tunnel: Tunnel) -> None:
    response = save(operator, tunnel, *[(f"key-{n}", "x") for n in range(51)])
    assert response.status_code == 422
    assert b"51 tags are too many" in response.content


def test_it_adds_and_removes_rows_without_saving(operator: Client, tunnel: Tunnel) -> None:
    more = save(operator, tunnel, ("a", "1"), ("b", "2"), add="1").content.decode()
    assert more.count('name="key"') == 3
    fewer = save(operator, tunnel, ("a", "1"), ("b", "2"), remove="0").content.decode()
    assert fewer.count('name="key"') == 1
    assert 'name="key" value="b"' in fewer
    last = save(operator, tunnel, ("a", "1"), remove="0").content.decode()
    assert last.count('name="key" value=""') == 1
    tunnel.refresh_from_db()
    assert tunnel.tags == {"env": "prod"}


def test_enter_saves(operator: Client, tunnel: Tunnel) -> None:
    page = operator.get(f"/tunnels/{tunnel.public_id}/tags/").content.decode()
    form = page[page.index("/tags/save/") :]
    first = form[form.index("<button") : form.index("</button>")]
    assert "name=" not in first
    assert 'type="submit"' in first
