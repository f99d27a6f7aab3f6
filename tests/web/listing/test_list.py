from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tests.web.actions.conftest import browser_of
from tunnels.models import Tunnel, TunnelState, VpnGateway

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "results"}
# Session, user, two for the permissions, the page, its gateways, the filters' choices.
QUERIES = 7


@pytest.fixture
def viewer(db: None) -> Client:
    """A browser of somebody who may only look."""
    return browser_of("viewer")


def page(client: Client, address: str = "/tunnels/", **headers: str) -> str:
    """The page's HTML."""
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def names(html: str) -> list[str]:
    """The names that the rows show."""
    return re.findall(r'class="list-name"><a href="[^"]+">([^<]+)<', html)


def tunnels(count: int) -> list[Tunnel]:
    """Tunnels named site-00 and so on, each a second younger than the one before."""
    gateway, made = make.a_vpn_gateway(vpc=make.a_vpc("10.0.0.0/8")), []
    for number in range(count):
        if number % 20 == 19:
            gateway = make.a_vpn_gateway(vpc=gateway.vpc)
        rules = f"10.0.{number}.0/24 192.168.{number}.0/24"
        made.append(make.a_tunnel(rules, name=f"site-{number:02}", vpn_gateway=gateway))
    for number, tunnel in enumerate(made):
        at = timezone.now() + timedelta(seconds=number)
        Tunnel.objects.filter(pk=tunnel.pk).update(created_at=at)
    return made


def test_it_shows_a_row(viewer: Client) -> None:
    tunnel = make.connect(make.a_tunnel(*make.SEED_RULES, tags={"env": "prod"}), up=3)
    html = page(viewer)
    assert names(html) == ["idc-shanghai"]
    for part in (
        tunnel.public_id,
        'class="state state-partial">Partial <span class="state-detail">3/4</span>',
        "frankfurt-1",
        "idc-shanghai-edge",
        str(tunnel.customer_gateway.public_ip),
        "production",
        "3 of 4 up",
        'env<span class="tag-value">prod</span>',
    ):
        assert part in html, part


def test_its_menus_are_of_their_own_row() -> None:
    operator = browser_of("operator")
    gateway = make.a_vpn_gateway()
    made = [
        make.a_tunnel(f"10.0.{n}.0/24 192.168.{n}.0/24", name=name, vpn_gateway=gateway)
        for n, name in enumerate(("<b>{name}</b> vpnx-00000000", "plain"))
    ]
    html = page(operator)
    for tunnel in made:
        for path in ("reset/confirm/", "log/", "config/", "tags/", "take-down/confirm/"):
            assert html.count(f'href="/tunnels/{tunnel.public_id}/{path}"') == 1
        assert f'popovertarget="menu-{tunnel.public_id}"' in html
    assert 'aria-label="Reset plain"' in html
    assert 'aria-label="Reset &lt;b&gt;{name}&lt;/b&gt; vpnx-00000000"' in html
    assert "<b>" not in html
    assert "\ue000" not in html


def test_its_tags_are_escaped_and_have_a_column(viewer: Client) -> None:
    make.a_tunnel(tags={"a>b": "c<d"})
    html = page(viewer)
    tag = '<li class="tag">a&gt;b<span class="tag-value">c&lt;d</span></li>'
    assert html.count(tag) == 2
    assert re.search(r'<td class="list-tags"><ul[^>]*>' + re.escape(tag), html)


@pytest.mark.parametrize(
    ("state", "word", "why"),
    [
        ({}, "Provisioning", "Waiting for the first report of frankfurt-1"),
        ({"word": "failed", "failure": "No proposal."}, "Failed", "No proposal."),
        ({"word": "failed"}, "Failed", "frankfurt-1 could not apply it and gave no reason"),
        ({"word": "negotiating"}, "Negotiating", "Talking to 198.18."),
        ({"word": "disconnected"}, "Disconnected", "198.18."),
        ({"word": "disabled"}, "Disabled", "Taken down"),
        ({"word": "deleting"}, "Deleting", "Waiting for frankfurt-1 to let go of it"),
    ],
)
def test_it_says_why(viewer: Client, state: dict[str, str], word: str, why: str) -> None:
    tunnel = make.a_tunnel()
    TunnelState.objects.filter(tunnel=tunnel).update(**state)
    html = page(viewer)
    assert f">{word}</span>" in html
    assert f'<span class="cell-sub">{why}' in html


def test_it_says_that_a_reset_waits_unless_the_tunnel_goes(viewer: Client) -> None:
    tunnel = make.a_tunnel()
    Tunnel.objects.update(reset_count=1)
    assert "Reset requested" in page(viewer)
    Tunnel.objects.update(intent="deleting")
    TunnelState.objects.filter(tunnel=tunnel).update(word="deleting")
    assert "Reset requested" not in page(viewer)


def test_it_shows_nothing_stale_as_live(viewer: Client) -> None:
    tunnel = make.connect(make.a_tunnel())
    seen = timezone.now() - timedelta(minutes=5)
    VpnGateway.objects.update(last_seen=seen)
    html = page(viewer)
    assert "state-unknown" in html
    assert "state-connected" not in html
    assert f"frankfurt-1 has been silent since {seen:%d %b, %H:%M} UTC" in html
    assert "unknown of 1 up" in html
    assert names(page(viewer, "/tunnels/?status=connected")) == []
    assert names(page(viewer, "/tunnels/?status=unknown")) == [tunnel.name]


def test_it_never_shows_or_reads_the_key(viewer: Client, django_assert_num_queries: Any) -> None:
    make.a_tunnel()
    with django_assert_num_queries(QUERIES) as queries:
        html = page(viewer)
    assert make.CANARY_PSK not in html
    assert not any("psk" in query["sql"].split("WHERE")[0] for query in queries.captured_queries)


def test_it_asks_as_often_for_one_row_as_for_fifty(
    viewer: Client, django_assert_num_queries: Any
) -> None:
    tunnels(51)
    with django_assert_num_queries(QUERIES):
        assert len(names(page(viewer, "/tunnels/?q=site-07"))) == 1
    with django_assert_num_queries(QUERIES):
        html = page(viewer)
    assert len(names(html)) == 50
    # The results alone need no choices for the filters.
    with django_assert_num_queries(QUERIES - 1):
        assert len(names(page(viewer, **HTMX))) == 50
    # Of the rows on the page, one has moved to the next: it is asked for by itself.
    ids = ",".join(Tunnel.objects.order_by("pk").values_list("public_id", flat=True)[:50])
    with django_assert_num_queries(QUERIES + 1):
        viewer.get(f"/tunnels/live/?ids={ids}")
    with django_assert_num_queries(QUERIES - 1):
        assert poll(viewer, html).status_code == 204


def test_it_pages(viewer: Client) -> None:
    made = tunnels(53)
    first = page(viewer)
    assert names(first) == [tunnel.name for tunnel in reversed(made[3:])]
    assert "Previous" not in first
    (after,) = re.findall(r'href="([^"]+after=[^"]+)" rel="next"', first)
    second = page(viewer, after.replace("&amp;", "&"))
    assert names(second) == ["site-02", "site-01", "site-00"]
    assert 'rel="next"' not in second
    (before,) = re.findall(r'href="([^"]+before=[^"]+)" rel="prev"', second)
    assert names(page(viewer, before.replace("&amp;", "&"))) == names(first)


def test_it_stays_calm_when_the_page_is_empty_by_now(viewer: Client) -> None:
    tunnels(51)
    (after,) = re.findall(r'href="([^"]+after=[^"]+)" rel="next"', page(viewer))
    Tunnel.objects.filter(name="site-00").delete()
    assert "Nothing on this page any more" in page(viewer, after)


@pytest.mark.parametrize(
    "address",
    [
        "?after=nonsense",
        "?before=%00",
        "?after=WzEsMl0:1abcde:aaaa",
        "?sort=name&after=",
        "?sort=sideways",
        "?status=fine",
        "?q=%00",
        "?q=%27%22%3Cscript%3E",
        "?q=10.0.0.0/99",
        "?q=" + "9" * 500,
        "?region=%25&network=%5F&gateway=%27&customer=%5C",
        "?tag=%00=%00",
        "?tag==",
        "?q=%ED%A0%80",
    ],
)
def test_it_survives_any_address(viewer: Client, address: str) -> None:
    make.a_tunnel()
    html = page(viewer, f"/tunnels/{address}")
    assert "<script>" not in html
    live = viewer.get(f"/tunnels/live/{address}&ids=%00,x&v=%00")
    assert live.status_code in {200, 204}


def test_it_says_what_it_did_not_understand(viewer: Client) -> None:
    make.a_tunnel()
    assert "here is the first page" in page(viewer, "/tunnels/?after=nonsense")
    assert "There is no status “fine”" in page(viewer, "/tunnels/?status=fine")
    assert "There is no order “up”" in page(viewer, "/tunnels/?sort=up")


def test_a_cursor_fits_its_own_order_only(viewer: Client) -> None:
    tunnels(51)
    (after,) = re.findall(r'href="[^"]+(after=[^"]+)" rel="next"', page(viewer))
    assert "here is the first page" in page(viewer, f"/tunnels/?sort=name&{after}")


def test_its_address_is_short_and_its_results_come_alone(viewer: Client) -> None:
    make.a_tunnel()
    sent = "/tunnels/?q=idc&status=&sort=-created&region=&network=&gateway=&customer=&tag="
    response = viewer.get(sent, headers={**HTMX, "HX-Trigger": "finder"})
    html = response.content.decode()
    assert response["HX-Push-Url"] == "/tunnels/?q=idc"
    assert "HX-Request" in response["Vary"]
    assert "<html" not in html
    assert html.strip().startswith('<div id="results"')
    # Results that fetch themselves again are no step in the browser's history.
    assert "HX-Push-Url" not in viewer.get("/tunnels/?q=idc", headers=HTMX)


def test_it_leads_the_way_when_nothing_is_shown() -> None:
    operator, viewer = browser_of("operator"), browser_of("viewer")
    assert "Create the first tunnel" in page(operator)
    nothing = page(viewer)
    assert "No tunnels yet" in nothing
    assert "Create the first tunnel" not in nothing
    make.a_tunnel()
    hidden = page(operator, "/tunnels/?q=elsewhere")
    assert "Clear search and filters" in hidden
    assert "No tunnels yet" not in hidden


def test_it_offers_only_what_one_may() -> None:
    tunnel = make.a_tunnel()
    base = f"/tunnels/{tunnel.public_id}/"
    writes = ["reset/confirm/", "tags/", "take-down/confirm/", "delete/confirm/"]
    looks = page(browser_of("viewer"))
    assert f'href="{base}log/"' in looks
    assert [path for path in writes if f'"{base}{path}"' in looks] == []
    assert 'name="t"' not in looks
    assert "/tunnels/new/" not in looks
    runs = page(browser_of("operator"))
    assert [path for path in writes if f'href="{base}{path}"' not in runs] == []
    assert 'name="t"' in runs
    assert f'formaction="{base}bring-up/"' not in runs
    Tunnel.objects.update(intent="down")
    down = page(browser_of("admin"))
    assert f'formaction="{base}bring-up/"' in down
    assert f'"{base}reset/confirm/"' not in down


def test_it_offers_gateways_or_a_field_where_they_are_many(viewer: Client) -> None:
    tunnel = make.a_tunnel()
    few = page(viewer, f"/tunnels/?customer={tunnel.customer_gateway.public_id}")
    assert f'<option value="{tunnel.customer_gateway.public_id}" selected>' in few
    for number in range(60):
        make.a_customer_gateway(f"more-{number}")
    many = page(viewer, "/tunnels/?customer=idc")
    assert re.search(r'<input[^>]+name="customer" value="idc"', many)
    assert names(many) == ["idc-shanghai"]


@pytest.mark.parametrize("address", ["/tunnels/", "/tunnels/live/"])
def test_it_is_for_those_who_may_look(address: str) -> None:
    assert Client().get(address)["Location"].startswith("/accounts/login/")
    assert browser_of("").get(address).status_code == 404
    assert browser_of("admin").post(address).status_code == 405


# --- Live cells -----------------------------------------------------------------------------------


def poll(client: Client, html: str, address: str = "/tunnels/live/?") -> Any:
    """Ask as the open page would."""
    version, ids = re.findall(r'hx-vals=\'{"v": "([^"]+)", "ids": "([^"]*)"}\'', html)[0]
    return client.get(f"{address}&v={version}&ids={ids}")


def test_it_says_nothing_while_nothing_changes(viewer: Client) -> None:
    make.connect(make.a_tunnel())
    assert poll(viewer, page(viewer)).status_code == 204


def test_it_sends_the_cells_that_change_and_no_others(viewer: Client) -> None:
    tunnel = make.a_tunnel()
    html = page(viewer)
    make.connect(tunnel)
    response = poll(viewer, html)
    cells = response.content.decode()
    assert response.status_code == 200
    for cell in ("status", "health", "mappings"):
        assert f'id="{cell}-{tunnel.public_id}" hx-swap-oob="true"' in cells
    assert "Connected" in cells
    assert "<tr" not in cells
    assert "popover" not in cells
    assert "The list has changed" not in cells
    assert poll(viewer, cells).status_code == 204


def test_it_notices_silence(viewer: Client) -> None:
    make.connect(make.a_tunnel())
    html = page(viewer)
    VpnGateway.objects.update(last_seen=timezone.now() - timedelta(minutes=2))
    assert "state-unknown" in poll(viewer, html).content.decode()


def test_it_tells_when_rows_come_or_go(viewer: Client) -> None:
    tunnel = make.a_tunnel()
    html = page(viewer)
    other = make.a_tunnel(name="second")
    came = poll(viewer, html).content.decode()
    assert "The list has changed" in came
    assert poll(viewer, came).status_code == 204
    other.delete()
    assert "The list has changed" not in poll(viewer, came).content.decode()
    tunnel.delete()
    gone = poll(viewer, html).content.decode()
    assert "The list has changed" in gone
    assert "status-vpnx" not in gone


def test_it_keeps_showing_a_row_that_the_filter_hides_by_now(viewer: Client) -> None:
    tunnel = make.connect(make.a_tunnel())
    html = page(viewer, "/tunnels/?status=connected")
    make.connect(tunnel, up=0)
    cells = poll(viewer, html, "/tunnels/live/?status=connected").content.decode()
    assert f'id="status-{tunnel.public_id}"' in cells
    assert "The list has changed" in cells
