from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tests import reports
from tunnels.agent.config import CHARON_LOG, STATE_FOLDER, parse
from tunnels.agent.logline import LogReader
from tunnels.models import Event, GatewayAgent, Tunnel, VpnGateway
from tunnels.services.enrolment import enrol, start_enrolment

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "dialog-body"}


@pytest.fixture
def gateway() -> VpnGateway:
    return make.a_vpn_gateway()


@pytest.fixture
def tunnel(gateway: VpnGateway) -> Tunnel:
    return make.a_tunnel(vpn_gateway=gateway)


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make.a_user("vera", "viewer"))
    return client


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make.a_user("ada", "admin"))
    return client


def page_of(gateway: VpnGateway, path: str = "") -> str:
    return f"/vpn-gateways/{gateway.public_id}/{path}"


def shown(client: Client, gateway: VpnGateway) -> str:
    response = client.get(page_of(gateway))
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def word(html: str) -> str:
    """The agent's state."""
    found = re.search(r'id="agent-title">Agent</h2>\s*<span class="state[^>]*>([^<]+)', html)
    assert found
    return found[1]


def test_it_shows_the_gateway_its_tunnels_and_no_agent(
    viewer: Client, gateway: VpnGateway, tunnel: Tunnel
) -> None:
    html = shown(viewer, gateway)
    for text in (gateway.name, str(gateway.public_ip), "10.0.0.0/16", "Frankfurt", tunnel.name):
        assert text in html
    assert f"/tunnels/{tunnel.public_id}/" in html
    assert word(html) == "Not enrolled"
    assert "Enrol" not in re.sub(r"Not enrolled|is enrolled", "", html)


def test_lists_and_tunnels_lead_to_it(viewer: Client, tunnel: Tunnel) -> None:
    link = f'href="{page_of(tunnel.vpn_gateway)}"'
    assert link in viewer.get("/vpn-gateways/").content.decode()
    assert link in viewer.get(f"/tunnels/{tunnel.public_id}/").content.decode()


def test_it_follows_the_agent_from_enrolment_to_silence(
    viewer: Client, gateway: VpnGateway, tunnel: Tunnel
) -> None:
    token = start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway)
    assert word(shown(viewer, gateway)) == "Waiting"
    enrol(token=token)
    assert word(shown(viewer, gateway)) == "Enrolled"
    reports.report(tunnel)
    html = shown(viewer, gateway)
    assert word(html) == "Reporting"
    for text in ("strongSwan 5.9.8", "0.1.0", "kernel-libipsec", "less than a second"):
        assert text in html
    VpnGateway.objects.update(last_seen=timezone.now() - timedelta(minutes=5))
    assert word(shown(viewer, gateway)) == "Silent"


def test_it_tells_what_is_wrong_with_the_agent(
    viewer: Client, gateway: VpnGateway, tunnel: Tunnel
) -> None:
    trouble = reports.facts(
        clock=timezone.now() + timedelta(seconds=90),
        vici_error="vici: no such socket",
        foreign=("office<1>",),
        refused_plan="It would remove 9 of 10 tunnels.",
        problems=("charon's log cannot be read.", "The disk is full."),
    )
    reports.report(tunnel, facts=trouble)
    html = unescape(shown(viewer, gateway))
    assert word(html) == "No strongSwan"
    for text in (
        "vici: no such socket", "90 s ahead", "clock is wrong", "It would remove 9 of 10 tunnels.",
        "charon\'s log cannot be read.", "The disk is full.", "office<1>",
    ):  # fmt: skip
        assert text in html, text
    reports.report(tunnel)
    html = shown(viewer, gateway)
    assert word(html) == "Reporting"
    for text in ("clock is wrong", "disk is full", "office"):
        assert text not in html


def test_it_shows_a_refused_token_until_the_agent_is_heard(
    viewer: Client, gateway: VpnGateway, tunnel: Tunnel
) -> None:
    reports.an_agent(gateway)
    refused = viewer.post(
        "/api/agent/v1/sync",
        {},
        content_type="application/json",
        headers={"Authorization": "Bearer wrong", "VPN-Gateway": gateway.public_id},
    )
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert "Somebody was refused" in shown(viewer, gateway)
    reports.report(tunnel)
    assert "Somebody was refused" not in shown(viewer, gateway)


def test_it_polls_only_for_what_changed(
    viewer: Client, gateway: VpnGateway, tunnel: Tunnel
) -> None:
    poll = re.search(r'hx-get="([^"]+/live/\?v=[^"]+)"', shown(viewer, gateway))
    assert poll
    assert viewer.get(poll[1]).status_code == HTTPStatus.NO_CONTENT
    reports.report(tunnel)
    part = viewer.get(poll[1]).content.decode()
    assert word(part) == "Reporting"
    assert "Connected" in part
    assert part.count('hx-swap-oob="true"') == 1
    assert "<html" not in part


def test_it_shows_the_way_to_enrol_once(admin: Client, gateway: VpnGateway) -> None:
    response = admin.post(page_of(gateway, "agent/enrol/"), headers=HTMX)
    assert response["Cache-Control"] == "private, no-store"
    html = unescape(response.content.decode())
    assert "<html" not in html
    commands = dict(re.findall(r'<pre class="code" id="enrol-(\w+)"[^>]*>([^<]+)', html))
    # The agent itself reads the command.
    words = commands["command"].split("-m tunnels.agent ")[1].split()
    options = parse(words, {})
    assert (options.command, options.gateway) == ("enrol", gateway.public_id)
    assert options.console == "http://testserver"
    found, _ = enrol(token=options.one_time_token)
    assert found == gateway
    # The other two agree with what the agent takes for granted.
    assert f"path = {CHARON_LOG}" in commands["strongswan"]
    assert f"StateDirectory={STATE_FOLDER.removeprefix('/var/lib/')}" in commands["unit"]
    environment = dict(re.findall(r"^Environment=(\w+)=(.+)$", commands["unit"], re.MULTILINE))
    assert parse([], environment).gateway == gateway.public_id
    assert options.one_time_token not in shown(admin, gateway)
    assert not Event.objects.filter(message__contains=options.one_time_token).exists()


def test_the_log_format_is_the_one_that_the_agent_reads() -> None:
    settings_text = (settings.BASE_DIR / "templates/gateways/strongswan.conf").read_text()
    wanted = dict(re.findall(r"^ +(\w+) = (.+)$", settings_text, re.MULTILINE))
    assert (wanted["ike_name"], wanted["log_level"], wanted["time_add_ms"]) == ("yes",) * 3
    stamp = timezone.now().strftime(wanted["time_format"])
    assert LogReader.understands(f"{stamp}.123 07[IKE1] <vpnx-7k2m9q4z|3> hello".encode())


def test_the_page_and_the_manual_say_the_same() -> None:
    manual = (settings.BASE_DIR / "docs/agent.md").read_text()
    plain = "\n".join(line.removeprefix("    ") for line in manual.splitlines())
    for name in ("strongswan.conf", "vpn-agent.service"):
        text = (settings.BASE_DIR / "templates/gateways" / name).read_text()
        text = re.sub(r"^# .*\n", "", text).replace(" of {{ gateway.public_id }}", "")
        text = text.replace("{{ console }}", "https://console.example.com")
        assert text.replace("{{ gateway.public_id }}", "vpngw-1a2b3c4d").strip() in plain, name


def test_it_warns_where_no_agent_would_come(admin: Client, gateway: VpnGateway) -> None:
    plain = admin.post(page_of(gateway, "agent/enrol/")).content.decode()
    assert "by its https:// address first" in plain
    safe = admin.post(page_of(gateway, "agent/enrol/"), secure=True).content.decode()
    assert "by its https:// address first" not in safe
    assert "--console https://testserver " in safe


def test_it_revokes_after_asking(admin: Client, gateway: VpnGateway) -> None:
    agent = reports.an_agent(gateway)
    assert "/agent/revoke/confirm/" in shown(admin, gateway)
    asked = admin.get(page_of(gateway, "agent/revoke/confirm/"), headers=HTMX)
    assert "stops hearing this agent" in asked.content.decode()
    for expected in ("not heard any more", "no enrolled agent"):
        answer = admin.post(page_of(gateway, "agent/revoke/"), follow=True)
        assert expected in answer.content.decode()
    agent.refresh_from_db()
    assert not agent.enrolled
    assert Event.objects.filter(action="agent-revoked").count() == 1
    assert "token was revoked" in shown(admin, gateway)


@pytest.mark.parametrize("path", ["agent/enrol/", "agent/revoke/"])
def test_it_writes_by_post_and_for_administrators_only(
    admin: Client, client: Client, gateway: VpnGateway, path: str
) -> None:
    assert admin.get(page_of(gateway, path)).status_code == HTTPStatus.METHOD_NOT_ALLOWED
    client.force_login(make.a_user("olga", "operator"))
    assert client.post(page_of(gateway, path)).status_code == HTTPStatus.FORBIDDEN
    client.force_login(make.a_user("sam"))
    assert client.post(page_of(gateway, path)).status_code == HTTPStatus.NOT_FOUND
    assert client.get(page_of(gateway)).status_code == HTTPStatus.NOT_FOUND
    assert not GatewayAgent.objects.filter(enrol_hash__isnull=False).exists()


def test_it_asks_the_database_as_often_for_many_tunnels(
    viewer: Client, gateway: VpnGateway, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(12):
        make.a_tunnel(f"10.0.{number}.0/24 192.168.{number}.0/24", vpn_gateway=gateway)
    with django_assert_max_num_queries(10):
        html = shown(viewer, gateway)
    assert html.count('data-label="Status"') == 12
