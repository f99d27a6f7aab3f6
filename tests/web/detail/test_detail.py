from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import factories as make
from tests import reports
from tunnels.contract import HealthReport, ResetReport
from tunnels.devices.base import Platform
from tunnels.domain.proposals import PRESETS, IpsecSettings
from tunnels.domain.status import Phase1
from tunnels.models import CustomerGateway, Event, Tunnel, TunnelState, VpnGateway
from tunnels.services import actions, editing
from tunnels.services.policy import HealthRequest
from tunnels.web.detail.present import duration

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def tunnel() -> Tunnel:
    return make.a_tunnel(*make.SEED_RULES, tags={"env": "production"})


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make.a_user("vera", "viewer"))
    return client


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make.a_user("ada", "admin"))
    return client


def page_of(tunnel: Tunnel, path: str = "") -> str:
    return f"/tunnels/{tunnel.public_id}/{path}"


def shown(client: Client, tunnel: Tunnel) -> str:
    response = client.get(page_of(tunnel))
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def words(html: str) -> list[str]:
    """The texts of the states on the page, from top to bottom."""
    return [text.strip() for text in re.findall(r'<span class="state state-\w*">([^<]+)', html)]


def test_it_shows_everything_about_a_tunnel(viewer: Client, tunnel: Tunnel) -> None:
    html = shown(viewer, tunnel)
    for text in (
        "idc-shanghai", tunnel.public_id, "frankfurt-1", "idc-shanghai-edge", "production", "Frankfurt",
        str(tunnel.vpn_gateway.public_ip), str(tunnel.customer_gateway.public_ip), "10.0.2.0/24",
        "192.168.2.0/24", "AES-256-GCM", "DH19 (256-bit elliptic curve)", "IKEv2", "86,400 s (1 day)",
        "1,843,200 KB", "by the console", "created with 3 SPD rules and 4 mappings",
    ):  # fmt: skip
        assert text in html, text


def test_it_warns_of_insecure_choices(viewer: Client) -> None:
    legacy = PRESETS["legacy"]
    old = make.a_tunnel(ike=legacy.ike, ipsec=legacy.ipsec)
    html = shown(viewer, old)
    assert "Not secure any more" in html
    assert "IKE uses 3DES" in html
    assert "mark-insecure" in html
    assert "Not secure any more" not in shown(viewer, make.a_tunnel("10.0.9.0/24 192.168.9.0/24"))


def test_it_leaves_out_what_has_no_effect(viewer: Client, tunnel: Tunnel) -> None:
    html = shown(viewer, tunnel)
    assert "Negotiation mode" not in html
    assert "<dt>Integrity</dt>" not in html
    editing.update_ipsec(
        actor=make.SYSTEM, tunnel=tunnel, ipsec=IpsecSettings(encryption="aes-256", pfs="")
    )
    assert "<dt>Integrity</dt>" in shown(viewer, tunnel)


def test_it_claims_nothing_before_the_gateway_has_reported(viewer: Client, tunnel: Tunnel) -> None:
    html = shown(viewer, tunnel)
    assert words(html) == ["Provisioning", *["Not reported yet"] * 4, "Off"]
    assert "Waiting for the first report of frankfurt-1." in html
    assert "none yet" in html


def test_it_shows_what_the_gateway_reported(viewer: Client) -> None:
    tunnel = make.connect(make.a_tunnel(*make.SEED_RULES, health=HealthRequest()))
    html = shown(viewer, tunnel)
    assert words(html) == ["Connected", *["Up"] * 5, "Healthy"]
    assert "All mappings are up." in html


@pytest.mark.parametrize(
    ("phase1", "intent", "state", "word"),
    [
        ("connecting", "up", "negotiating", "Negotiating"),
        ("none", "up", "disconnected", "Down"),
        ("none", "down", "disabled", "Down"),
    ],
)
def test_its_dots_tell_what_its_words_tell(
    viewer: Client, tunnel: Tunnel, phase1: str, intent: str, state: str, word: str
) -> None:
    make.connect(tunnel, up=0)
    TunnelState.objects.update(phase1=phase1)
    Tunnel.objects.update(intent=intent)
    assert shown(viewer, tunnel).count(f'<span class="state state-{state}">{word}</span></td>') == 4


def test_it_says_which_mapping_is_down(viewer: Client, tunnel: Tunnel) -> None:
    make.connect(tunnel, up=3)
    html = shown(viewer, tunnel)
    assert words(html) == ["Partial", "Up", "Up", "Up", "Down", "Off"]
    assert "3 of 4 mappings are up." in html


def test_it_shows_what_each_mapping_carries_and_how_long_phase_1_lasts(
    viewer: Client, tunnel: Tunnel
) -> None:
    since = datetime(2026, 5, 4, 11, 58, tzinfo=UTC)
    counted = {"bytes_in": 3_000_000, "bytes_out": 2_048}
    reports.report(tunnel, up=2, established_at=since, nat=True, pair=counted)
    html = shown(viewer, tunnel).replace("\xa0", " ")
    assert html.count("2.9 MB in") == html.count("2.0 KB out") == 2
    assert html.count("0 bytes in") == html.count("0 bytes out") == 2
    assert "established since" in html
    assert "4 May 2026, 11:58 UTC" in html
    assert "in UDP (NAT traversal)" in html
    reports.report(tunnel, up=0, phase1=Phase1.CONNECTING)
    html = shown(viewer, tunnel)
    assert words(html) == ["Negotiating", *["Negotiating"] * 4, "Off"]
    assert "established since" not in html


def test_it_tells_how_the_last_reset_went(viewer: Client, tunnel: Tunnel) -> None:
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    outcome: dict[str, Any] = {"number": 1, "before": 4, "between": 0, "seconds": 0.4}
    reset = ResetReport(**outcome, after=4, ok=True)
    reports.report(tunnel, reset=reset, resets_done=1)
    assert "<dd>4 → 0 → 4 CHILD_SAs in 0.4 s</dd>" in shown(viewer, tunnel)
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    failed = ResetReport(**outcome, after=1, ok=False, problem="The peer did not answer.")
    reports.report(tunnel, up=1, reset=failed, resets_done=2)
    assert "4 → 0 → 1 CHILD_SAs in 0.4 s. The peer did not answer." in shown(viewer, tunnel)


def test_it_shows_round_trip_and_loss(viewer: Client) -> None:
    tunnel = make.a_tunnel(health=HealthRequest())
    reports.report(tunnel, health=HealthReport(healthy=True, rtt_ms=12.34, loss=0.05))
    html = shown(viewer, tunnel)
    assert "12.3 ms" in html
    assert "5 % of the last probes" in html
    reports.report(tunnel, health=HealthReport(healthy=False, rtt_ms=None, loss=1))
    html = shown(viewer, tunnel)
    assert words(html)[-1] == "Unhealthy"
    assert "100 % of the last probes" in html
    assert "<dt>Round trip" not in html


def test_it_claims_nothing_of_a_change_that_is_not_applied(viewer: Client, tunnel: Tunnel) -> None:
    make.connect(tunnel)
    editing.update_ipsec(actor=make.SYSTEM, tunnel=tunnel, ipsec=IpsecSettings(pfs=""))
    html = shown(viewer, tunnel)
    editing.update_policy(
        actor=make.SYSTEM,
        tunnel=tunnel,
        rules=make.rules("10.0.0.0/24 192.168.0.0/24 172.16.0.0/24"),
    )
    # The first is what it was, and is seen; the second nobody has reported on.
    assert words(shown(viewer, tunnel))[:3] == ["Provisioning", "Up", "Not reported yet"]
    assert words(html)[0] == "Provisioning"
    assert "Waiting for frankfurt-1 to take over the change." in html


def test_it_does_not_even_read_the_key(viewer: Client, tunnel: Tunnel) -> None:
    with CaptureQueriesContext(connection) as captured:
        shown(viewer, tunnel)
    assert any("tunnels_tunnel" in query["sql"] for query in captured)
    assert not any('"psk"' in query["sql"] for query in captured)


def test_it_shows_nothing_stale_as_live(viewer: Client) -> None:
    tunnel = make.connect(make.a_tunnel(health=HealthRequest()))
    VpnGateway.objects.update(last_seen=timezone.now() - timedelta(minutes=5))
    html = shown(viewer, tunnel)
    assert words(html) == ["Unknown", "Unknown", "Unknown", "Not reported yet"]
    assert "frankfurt-1 has been silent since" in html


def test_it_says_why_an_edit_failed(viewer: Client, tunnel: Tunnel) -> None:
    make.connect(tunnel)
    state = TunnelState.objects.get()
    state.provisioning, state.failure = "failed", "no such <proposal>"
    state.refresh(intent="up")
    state.save()
    html = shown(viewer, tunnel)
    assert words(html)[0] == "Failed"
    assert "<p>no such &lt;proposal&gt;.</p>" in html


def test_it_polls_only_for_what_changed(viewer: Client, tunnel: Tunnel) -> None:
    html = shown(viewer, tunnel)
    poll = re.search(r'hx-get="([^"]+/live/\?v=[^"]+)"', html)
    assert poll
    assert viewer.get(poll[1], headers=HTMX).status_code == HTTPStatus.NO_CONTENT
    make.connect(tunnel)
    part = viewer.get(poll[1], headers=HTMX).content.decode()
    assert words(part) == ["Connected", *["Up"] * 4, "Off"]
    assert part.count('hx-swap-oob="true"') == 4
    assert "<html" not in part
    again = re.search(r'hx-get="([^"]+/live/\?v=[^"]+)"', part)
    assert again
    assert viewer.get(again[1], headers=HTMX).status_code == HTTPStatus.NO_CONTENT


def test_it_notices_a_reset_and_a_gateway_that_falls_silent(viewer: Client, tunnel: Tunnel) -> None:
    make.connect(tunnel)
    versions = [re.findall(r"live/\?v=([^\"]+)", shown(viewer, tunnel))[0]]
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    versions.append(re.findall(r"live/\?v=([^\"]+)", shown(viewer, tunnel))[0])
    VpnGateway.objects.update(last_seen=timezone.now() - timedelta(minutes=5))
    versions.append(re.findall(r"live/\?v=([^\"]+)", shown(viewer, tunnel))[0])
    assert len(set(versions)) == 3


def test_it_asks_the_database_as_often_for_much_as_for_little(
    viewer: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    rules = [f"10.0.{n}.0/24 192.168.{n}.0/25 192.168.{n}.128/25" for n in range(9)]
    large = make.a_tunnel(*rules, health=HealthRequest(), actor=make.a_user("ada", "admin"))
    for _ in range(15):
        actions.reveal_psk(actor=make.SYSTEM, tunnel=large)
    with django_assert_max_num_queries(12):
        viewer.get(page_of(large))
    with django_assert_max_num_queries(12):
        viewer.get(page_of(large, "live/"))


def test_it_lists_the_last_ten_events_with_the_way_to_all(viewer: Client, tunnel: Tunnel) -> None:
    for _ in range(12):
        actions.reveal_psk(actor=make.SYSTEM, tunnel=tunnel)
    html = shown(viewer, tunnel)
    assert html.count("Pre-shared key of idc-shanghai revealed") == 10
    assert page_of(tunnel, "log/") in html


def test_it_escapes_names_and_tags(viewer: Client) -> None:
    html = shown(viewer, make.a_tunnel(name="<b>x</b>", tags={"a>b": "c<d"}))
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "a&gt;b" in html
    assert "<b>x" not in html


def test_it_reveals_the_key_once_and_writes_it_down(admin: Client, tunnel: Tunnel) -> None:
    assert make.CANARY_PSK not in shown(admin, tunnel)
    response = admin.post(page_of(tunnel, "reveal-psk/"), headers=HTMX)
    assert response.status_code == HTTPStatus.OK
    assert make.CANARY_PSK in response.content.decode()
    assert "<html" not in response.content.decode()
    assert 'data-hide-after="30"' in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"
    event = Event.objects.get(action="psk-revealed")
    assert (event.actor_name, event.level, event.target_id) == ("ada", "warning", tunnel.public_id)
    assert make.CANARY_PSK not in shown(admin, tunnel)


def test_it_reveals_the_key_without_scripts_on_a_page(admin: Client, tunnel: Tunnel) -> None:
    response = admin.post(page_of(tunnel, "reveal-psk/"))
    assert (
        f'<code class="psk-key" id="psk-key">{make.CANARY_PSK}</code>' in response.content.decode()
    )
    assert "<html" in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_it_does_not_reveal_the_key_to_others(client: Client, tunnel: Tunnel, role: str) -> None:
    client.force_login(make.a_user("other", role))
    assert "Reveal" not in shown(client, tunnel)
    response = client.post(page_of(tunnel, "reveal-psk/"))
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert make.CANARY_PSK not in response.content.decode()
    assert Event.objects.filter(action="psk-revealed").count() == 0


def test_it_reveals_nothing_by_get(admin: Client, tunnel: Tunnel) -> None:
    response = admin.get(page_of(tunnel, "reveal-psk/"))
    assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_it_is_not_there_for_strangers_or_for_no_tunnel(client: Client, tunnel: Tunnel) -> None:
    client.force_login(make.a_user("sam"))
    for path in ("", "live/"):
        assert client.get(page_of(tunnel, path)).status_code == HTTPStatus.NOT_FOUND
    assert client.post(page_of(tunnel, "reveal-psk/")).status_code == HTTPStatus.NOT_FOUND
    client.force_login(make.a_user("vera", "viewer"))
    assert client.get("/tunnels/vpnx-00000000/").status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86_400, "86,400 s (1 day)"),
        (172_800, "172,800 s (2 days)"),
        (3_600, "3,600 s (1 hour)"),
        (300, "300 s (5 minutes)"),
        (90, "90 s"),
    ],
)
def test_it_tells_durations(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_it_names_the_device_at_the_other_end(
    viewer: Client, tunnel: Tunnel, acme: Platform
) -> None:
    assert "<dt>Device</dt>" in shown(viewer, tunnel)
    assert "not known yet" in shown(viewer, tunnel)
    CustomerGateway.objects.update(platform=acme.id, platform_version="1")
    html = shown(viewer, tunnel)
    assert "<dd>Acme Router 1</dd>" in html
    assert "Download config for Acme Router</a>" in html
