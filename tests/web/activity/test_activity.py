from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import factories as make
from tunnels.models import Event
from tunnels.services import networks

pytestmark = pytest.mark.django_db
PAGE = "/activity/"


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make.a_user("vera", "viewer"))
    return client


def messages(client: Client, **filters: str) -> list[str]:
    return [event.message for event in client.get(PAGE, filters).context["page"].rows]


def some_events(count: int) -> list[Event]:
    now = timezone.now()
    return Event.objects.bulk_create(
        Event(
            at=now - timedelta(minutes=number // 3),
            actor_name="ada" if number % 2 else "ben",
            action="tunnel-reset" if number % 3 else "vpc-edited",
            target_kind="tunnel",
            target_id=f"vpnx-{number:08}",
            target_name=f"name {number}",
            message=f"Something {number}",
        )
        for number in range(count)
    )


def test_it_is_where_the_navigation_says() -> None:
    assert reverse("tunnels:activity") == PAGE


def test_it_tells_who_changed_what(viewer: Client) -> None:
    ada = make.a_user("ada", "admin")
    region = networks.create_region(actor=ada, code="eu-central", name="Frankfurt")
    networks.update_region(actor=ada, region=region, code="eu-central", name="<b>Main</b>")
    text = viewer.get(PAGE).content.decode()
    assert messages(viewer) == ["Region <b>Main</b> edited", "Region Frankfurt created"]
    assert "<del>Frankfurt</del>" in text
    assert "<ins>&lt;b&gt;Main&lt;/b&gt;</ins>" in text
    assert "<b>Main" not in text


def test_it_pages_backwards_in_time_and_forth(viewer: Client) -> None:
    some_events(250)
    expected = [event.message for event in Event.objects.order_by("-at", "-pk")]
    first = viewer.get(PAGE).context["page"]
    second = viewer.get(PAGE + first.next).context["page"]
    third = viewer.get(PAGE + second.next).context["page"]
    assert (first.previous, third.next) == ("", "")
    seen = [event.message for page in (first, second, third) for event in page.rows]
    assert seen == expected
    again = viewer.get(PAGE + third.previous).context["page"]
    assert [event.message for event in again.rows] == expected[100:200]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"actor": "ADA"}, 6),
        ({"actor": "ad"}, 0),
        ({"action": "reset"}, 8),
        ({"target": "vpnx-00000003"}, 1),
        ({"target": "name 1"}, 3),
        ({"text": "something 1"}, 3),
        ({"range": "1h"}, 12),
        ({"start": "2020-01-01T00:00", "end": "2020-01-02T00:00"}, 0),
        ({"start": "2020-01-01T00:00"}, 12),
        ({"actor": "ada", "action": "vpc"}, 2),
    ],
)
def test_it_filters(viewer: Client, filters: dict[str, str], count: int) -> None:
    some_events(12)
    assert len(messages(viewer, **filters)) == count


def test_it_keeps_filters_from_page_to_page(viewer: Client) -> None:
    some_events(250)
    page = viewer.get(PAGE, {"actor": "ada"}).context["page"]
    assert "actor=ada" in page.next
    following = viewer.get(PAGE + page.next).context["page"].rows
    assert {event.actor_name for event in following} == {"ada"}
    assert len(following) == 25


def test_it_tells_what_is_wrong_with_a_filter(viewer: Client) -> None:
    some_events(3)
    wrong = {"start": "2026-01-02T00:00", "end": "2026-01-01T00:00"}
    answer = viewer.get(PAGE, wrong)
    assert answer.status_code == 422
    assert "not after the beginning" in answer.content.decode()
    for junk in ({"range": "never"}, {"start": "soon"}, {"text": "x" * 300}, {"actor": "\0"}):
        assert viewer.get(PAGE, junk).status_code == 422


def test_it_asks_the_database_the_same_whatever_the_length(
    viewer: Client, django_assert_num_queries: Any
) -> None:
    some_events(120)
    viewer.get(PAGE)
    # Session, user, its two permission queries, the events.
    with django_assert_num_queries(5):
        viewer.get(PAGE)


def test_it_is_there_for_readers_only() -> None:
    stranger = Client()
    assert stranger.get(PAGE).status_code == 302
    stranger.force_login(make.a_user("stranger"))
    assert stranger.get(PAGE).status_code == 404


def test_it_cannot_be_posted_to(viewer: Client) -> None:
    assert viewer.post(PAGE).status_code == 405
