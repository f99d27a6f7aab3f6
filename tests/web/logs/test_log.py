from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tunnels.domain.proposals import PRESETS
from tunnels.models import Event, Tunnel
from tunnels.services import editing

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel()


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make.a_user("vera", "viewer"))
    return client


def an_event(tunnel: Tunnel, message: str, *, minutes_ago: float = 0.1, **fields: Any) -> Event:
    """An event that is old enough to be followed."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    return Event.objects.create(
        at=at, action="note", target_kind="tunnel", target_id=tunnel.public_id,
        target_name=tunnel.name, actor_name="anna", message=message, **fields,
    )  # fmt: skip


def log_of(tunnel: Tunnel, path: str = "") -> str:
    return f"/tunnels/{tunnel.public_id}/log/{path}"


def messages(html: str) -> list[str]:
    """The messages of the lines on the page, from top to bottom."""
    return re.findall(r'<div class="log-text">\s*<p>(.*?)(?: <span|</p>)', html)


def streamed(response: Any) -> list[str]:
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response).decode().splitlines()


def test_it_shows_the_newest_first_with_their_actor(reader: Client, tunnel: Tunnel) -> None:
    Event.objects.all().delete()
    an_event(tunnel, "first", minutes_ago=5)
    an_event(tunnel, "second", minutes_ago=4)
    an_event(make.a_tunnel("10.0.9.0/24 192.168.9.0/24"), "of another tunnel")
    html = reader.get(log_of(tunnel)).content.decode()
    assert messages(html) == ["second", "first"]
    assert "by anna" in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["now", "warned", "failed", "old"]),
        ("range=1h", ["now", "warned"]),
        ("range=6h", ["now", "warned", "failed"]),
        ("range=7d", ["now", "warned", "failed"]),
        ("level=warning", ["warned", "failed"]),
        ("level=error", ["failed"]),
        ("subsystem=ike", ["failed"]),
        ("text=FAIL", ["failed"]),
        ("text=anna&range=1h", ["now", "warned"]),
        ("text=%25", []),
    ],
)
def test_it_filters(reader: Client, tunnel: Tunnel, query: str, shown: list[str]) -> None:
    Event.objects.all().delete()
    an_event(tunnel, "old", minutes_ago=60 * 24 * 8)
    an_event(tunnel, "failed", minutes_ago=120, level="error", subsystem="ike")
    an_event(tunnel, "warned", minutes_ago=30, level="warning")
    an_event(tunnel, "now")
    html = reader.get(log_of(tunnel, f"?{query}")).content.decode()
    assert messages(html) == shown
    assert ("No line matches" in html) is (not shown)


def test_it_takes_a_range_of_its_own_with_the_end_left_out(reader: Client, tunnel: Tunnel) -> None:
    Event.objects.all().delete()
    for minute in (29, 30, 31):
        event = an_event(tunnel, f"at {minute}")
        event.at = event.at.replace(2026, 3, 1, 12, minute, 0, 0)
        event.save()
    query = "?range=custom&start=2026-03-01T12:30&end=2026-03-01T12:31"
    assert messages(reader.get(log_of(tunnel, query)).content.decode()) == ["at 30"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("range=custom&start=2026-03-02T00:00&end=2026-03-01T00:00", "choose a later time"),
        ("range=custom&start=yesterday", "Enter a date and a time"),
        ("text=a%00b", "Null characters are not allowed"),
        ("range=5y", "Select a valid choice"),
    ],
)
def test_it_says_what_is_wrong_with_a_filter(
    reader: Client, tunnel: Tunnel, query: str, sentence: str
) -> None:
    response = reader.get(log_of(tunnel, f"?{query}"))
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert sentence in response.content.decode()
    download = reader.get(log_of(tunnel, f"download/?{query}"))
    assert download.status_code == HTTPStatus.NOT_FOUND


def test_it_pages_without_losing_or_doubling_lines_of_one_moment(
    reader: Client, tunnel: Tunnel
) -> None:
    Event.objects.all().delete()
    moment = timezone.now() - timedelta(minutes=1)
    for number in range(250):
        event = an_event(tunnel, f"line {number}")
        Event.objects.filter(pk=event.pk).update(at=moment)
    seen: list[str] = []
    url, sizes = log_of(tunnel, "?text=line"), []
    while url:
        html = reader.get(url).content.decode()
        seen += messages(html)
        sizes.append(len(messages(html)))
        older = re.search(r'href="([^"]+)" rel="next"', html)
        url = older[1].replace("&amp;", "&") if older else ""
    assert sizes == [100, 100, 50]
    assert seen == [f"line {number}" for number in reversed(range(250))]


def test_it_follows_oldest_first_and_then_only_what_is_new(reader: Client, tunnel: Tunnel) -> None:
    Event.objects.all().delete()
    an_event(tunnel, "first", minutes_ago=5)
    an_event(tunnel, "second", minutes_ago=4)
    html = reader.get(log_of(tunnel, "?view=follow")).content.decode()
    assert messages(html) == ["first", "second"]
    poll = more_url(html)
    assert reader.get(poll, headers=HTMX).status_code == HTTPStatus.NO_CONTENT
    an_event(tunnel, "third", minutes_ago=3)
    part = reader.get(poll, headers=HTMX).content.decode()
    assert messages(part) == ["third"]
    assert "<html" not in part
    assert reader.get(more_url(part), headers=HTMX).status_code == HTTPStatus.NO_CONTENT


def test_it_follows_a_log_that_begins_empty(reader: Client, tunnel: Tunnel) -> None:
    Event.objects.all().delete()
    poll = more_url(reader.get(log_of(tunnel, "?view=follow")).content.decode())
    an_event(tunnel, "first")
    assert messages(reader.get(poll, headers=HTMX).content.decode()) == ["first"]


def test_it_follows_with_its_filters(reader: Client, tunnel: Tunnel) -> None:
    poll = more_url(reader.get(log_of(tunnel, "?view=follow&level=error")).content.decode())
    an_event(tunnel, "harmless")
    assert reader.get(poll, headers=HTMX).status_code == HTTPStatus.NO_CONTENT


def test_it_leaves_out_what_may_still_have_older_neighbours(reader: Client, tunnel: Tunnel) -> None:
    Event.objects.all().delete()
    an_event(tunnel, "settled", minutes_ago=1)
    an_event(tunnel, "a moment ahead", minutes_ago=-1)
    html = reader.get(log_of(tunnel, "?view=follow")).content.decode()
    assert messages(html) == ["settled"]


def test_it_takes_a_broken_cursor_for_none(reader: Client, tunnel: Tunnel) -> None:
    for cursor in ("x", "20260301T120000.000000-", "20261332T000000.0-1", "0-" + "9" * 40):
        assert reader.get(log_of(tunnel, f"?before={cursor}")).status_code == HTTPStatus.OK


def test_it_shows_what_changed_in_words(reader: Client, tunnel: Tunnel) -> None:
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=PRESETS["legacy"].ike)
    html = reader.get(log_of(tunnel)).content.decode()
    assert "<del>AES-256-GCM</del>" in html
    assert "<ins>3DES</ins>" in html


def test_it_escapes_what_people_wrote(reader: Client, tunnel: Tunnel) -> None:
    an_event(tunnel, "<b>bold</b>", after={"name": "<i>x</i>"})
    html = reader.get(log_of(tunnel)).content.decode()
    assert "&lt;b&gt;bold" in html
    assert "<i>x" not in html


def test_it_downloads_the_same_lines_as_text(reader: Client, tunnel: Tunnel) -> None:
    Event.objects.all().delete()
    event = an_event(
        tunnel, "first\nsecond line", minutes_ago=9, before={"name": "a"}, after={"name": "b"}
    )
    an_event(tunnel, "later", level="error")
    response = reader.get(log_of(tunnel, "download/?format=text"))
    disposition = response["Content-Disposition"]
    assert re.fullmatch(
        rf'attachment; filename="{tunnel.public_id}-\d{{8}}T\d{{6}}Z\.log"', disposition
    )
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    lines = streamed(response)
    assert lines[0] == (
        f"{event.at:%Y-%m-%dT%H:%M:%S.%fZ} INFO console anna: first second line (Name: a → b)"
    )
    assert [line.split()[1] for line in lines] == ["INFO", "ERROR"]


def test_it_downloads_json_lines_with_the_filters(reader: Client, tunnel: Tunnel) -> None:
    an_event(tunnel, "later", level="error")
    url = re.search(
        r'href="([^"]+format=jsonl[^"]*)"',
        reader.get(log_of(tunnel, "?level=error")).content.decode(),
    )
    assert url
    lines = streamed(reader.get(url[1].replace("&amp;", "&")))
    assert [json.loads(line)["message"] for line in lines] == ["later"]


def test_it_knows_no_other_format(reader: Client, tunnel: Tunnel) -> None:
    response = reader.get(log_of(tunnel, "download/?format=exe"))
    assert response.status_code == HTTPStatus.NOT_FOUND


def test_it_asks_the_database_as_often_for_many_lines_as_for_few(
    reader: Client, tunnel: Tunnel, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(60):
        an_event(tunnel, f"line {number}", after={"name": "x"})
    # Session, user, two kinds of permissions, tunnel, sources, lines.
    for path in ("", "?view=follow"):
        with django_assert_max_num_queries(8):
            reader.get(log_of(tunnel, path))


def test_it_is_not_there_for_strangers_or_for_no_tunnel(client: Client, tunnel: Tunnel) -> None:
    client.force_login(make.a_user("sam"))
    for path in ("", "download/"):
        assert client.get(log_of(tunnel, path)).status_code == HTTPStatus.NOT_FOUND
    client.force_login(make.a_user("vera", "viewer"))
    assert client.get("/tunnels/vpnx-00000000/log/").status_code == HTTPStatus.NOT_FOUND


def test_it_says_when_there_is_nothing(reader: Client, tunnel: Tunnel) -> None:
    Event.objects.all().delete()
    assert "Nothing has been logged yet" in reader.get(log_of(tunnel)).content.decode()


def more_url(html: str) -> str:
    found = re.search(r'class="log-more" hx-get="([^"]+)"', html)
    assert found
    return found[1].replace("&amp;", "&")
