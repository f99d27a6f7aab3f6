from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tunnels.models import Sample, Tunnel
from tunnels.web.detail.traffic import rate

pytestmark = pytest.mark.django_db


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel(*make.SEED_RULES)


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make.a_user("vera", "viewer"))
    return client


def samples(tunnel: Tunnel, count: int) -> None:
    """One every half minute up to now, 150 kB more in each, and a tenth of that out."""
    now = timezone.now()
    Sample.objects.bulk_create(
        Sample(
            tunnel=tunnel,
            at=now - timedelta(seconds=30 * (count - number)),
            bytes_in=150_000 * number,
            bytes_out=15_000 * number,
            packets_in=0,
            packets_out=0,
            mappings_up=4,
            rtt_ms=12.5,
            loss=0,
        )
        for number in range(count)
    )


def address(tunnel: Tunnel, path: str = "") -> str:
    return f"/tunnels/{tunnel.public_id}/traffic/{path}"


def test_it_gives_the_chart_columns_of_one_length(viewer: Client, tunnel: Tunnel) -> None:
    samples(tunnel, 20)
    data = viewer.get(address(tunnel, "data/"), {"range": "1h"}).json()
    assert data.pop("total") == 4
    assert {len(column) for column in data.values()} == {60}
    assert set(data) == {"at", "in", "out", "up", "rtt"}
    assert set(data["in"][-9:-1]) == {40_000}
    assert set(data["out"][-9:-1]) == {4_000}
    assert data["in"][0] is None
    assert (data["up"][-2], data["rtt"][-2]) == (4, 12.5)


def test_it_takes_an_unknown_range_for_the_first(viewer: Client, tunnel: Tunnel) -> None:
    assert len(viewer.get(address(tunnel, "data/"), {"range": "1y"}).json()["at"]) == 60
    assert len(viewer.get(address(tunnel, "data/"), {"range": "7d"}).json()["at"]) == 252


def test_it_shows_the_same_as_a_table(viewer: Client, tunnel: Tunnel) -> None:
    html = viewer.get(address(tunnel)).content.decode()
    assert "Nothing was reported" in html
    samples(tunnel, 40)
    html = viewer.get(address(tunnel), {"range": "1h"}).content.decode()
    for text in ("40.0 kb/s", "4.0 kb/s", "12.5 ms", "0%"):
        assert text in html
    assert 6 <= html.count('data-label="In"') <= 8
    assert '?range=1h" aria-current="true"' in html


def test_the_page_of_the_tunnel_leads_to_it(viewer: Client, tunnel: Tunnel) -> None:
    html = viewer.get(f"/tunnels/{tunnel.public_id}/").content.decode()
    assert f'data-traffic="{address(tunnel, "data/")}"' in html
    assert f'href="{address(tunnel)}?range=24h"' in html


def test_it_asks_the_database_as_often_for_much_as_for_little(
    viewer: Client, tunnel: Tunnel, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    samples(tunnel, 2_900)
    for path in ("", "data/"):
        with django_assert_max_num_queries(8):
            viewer.get(address(tunnel, path), {"range": "24h"})


def test_it_is_not_there_for_strangers_or_for_no_tunnel(client: Client, tunnel: Tunnel) -> None:
    client.force_login(make.a_user("sam"))
    for path in ("", "data/"):
        assert client.get(address(tunnel, path)).status_code == HTTPStatus.NOT_FOUND
    client.force_login(make.a_user("vera", "viewer"))
    gone = "/tunnels/vpnx-00000000/traffic/data/"
    assert client.get(gone).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (None, "–"), (0, "0 b/s"), (999, "999 b/s"), (1_500, "1.5 kb/s"), (123_456, "123 kb/s"),
        (7_000_000, "7.0 Mb/s"), (2.5e12, "2500 Gb/s"),
    ],
)  # fmt: skip
def test_it_tells_rates(bits: float | None, text: str) -> None:
    assert rate(bits) == text
