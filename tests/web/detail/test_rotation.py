from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tests import reports
from tests.services.test_rotation import prove
from tunnels.domain.proposals import PRESETS
from tunnels.domain.secret import Secret
from tunnels.models import Event, Tunnel, VpnGateway
from tunnels.services.rotation import start_rotation

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "dialog-body"}


@pytest.fixture
def tunnel() -> Tunnel:
    tunnel = make.a_tunnel()
    reports.report(tunnel)
    return tunnel


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make.a_user("olga", "operator"))
    return client


def address(tunnel: Tunnel, path: str) -> str:
    return f"/tunnels/{tunnel.public_id}/rotation/{path}/"


def shown(client: Client, tunnel: Tunnel) -> str:
    return client.get(f"/tunnels/{tunnel.public_id}/").content.decode()


def test_it_leads_from_the_old_key_to_the_new(operator: Client, tunnel: Tunnel) -> None:
    assert "rotation-title" not in shown(operator, tunnel)
    asked = operator.get(address(tunnel, "start/confirm"), headers=HTMX).content.decode()
    assert "without going down" in asked
    assert "<html" not in asked
    answer = operator.post(address(tunnel, "start"), follow=True).content.decode()
    assert "Now give the device the new key" in answer
    html = shown(operator, tunnel)
    assert "still to take over both keys" in html
    assert 'id="rotation-start"' not in html
    reports.report(tunnel)
    assert "has not yet shown which key it has" in shown(operator, tunnel)
    reports.report(tunnel, signing="previous")
    assert "still uses the old key" in shown(operator, tunnel)
    reports.report(tunnel)
    prove(tunnel)
    assert "The device has the new key." in shown(operator, tunnel)
    asked = operator.get(address(tunnel, "finish/confirm")).content.decode()
    assert "interrupts nothing" in asked
    assert 'name="force"' not in asked
    answer = operator.post(address(tunnel, "finish"), follow=True).content.decode()
    assert "The old key of idc-shanghai is dropped." in answer
    assert "rotation-title" not in shown(operator, tunnel)
    assert Event.objects.filter(action="psk-rotation-finished").count() == 1
    again = operator.post(address(tunnel, "finish"), follow=True).content.decode()
    assert "has one key only" in again


def test_it_forces_the_end_only_with_a_tick(operator: Client, tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel)
    reports.report(tunnel, signing="previous")
    asked = operator.get(address(tunnel, "finish/confirm")).content.decode()
    assert "The device still uses the old key." in asked
    assert 'name="force"' in asked
    refused = operator.post(address(tunnel, "finish"), headers=HTMX)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "The device still uses the old key." in refused.content.decode()
    tunnel.refresh_from_db()
    assert tunnel.rotating_since is not None
    operator.post(address(tunnel, "finish"), {"force": "on"})
    tunnel.refresh_from_db()
    assert tunnel.rotating_since is None


def test_it_goes_back_to_the_old_key(operator: Client, tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel)
    asked = operator.get(address(tunnel, "cancel/confirm")).content.decode()
    assert "The new key is forgotten" in asked
    operator.post(address(tunnel, "cancel"))
    assert Tunnel.objects.get(pk=tunnel.pk).psk == Secret(make.CANARY_PSK)
    again = operator.post(address(tunnel, "cancel"), follow=True).content.decode()
    assert "No rotation of idc-shanghai is under way." in again


def test_it_says_at_once_that_ikev1_cannot(operator: Client) -> None:
    legacy = PRESETS["legacy"]
    old = make.a_tunnel(ike=legacy.ike, ipsec=legacy.ipsec)
    asked = operator.get(address(old, "start/confirm")).content.decode()
    assert "Switch both ends to IKEv2" in asked
    assert "Start rotation" not in asked
    refused = operator.post(address(old, "start"))
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_its_proof_reaches_the_open_page(operator: Client, tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel)
    reports.report(tunnel)
    poll = re.search(r'hx-get="([^"]+/live/\?v=[^"]+)"', shown(operator, tunnel))
    assert poll
    assert operator.get(poll[1]).status_code == HTTPStatus.NO_CONTENT
    prove(tunnel)
    assert "The device has the new key." in operator.get(poll[1]).content.decode()
    VpnGateway.objects.update(last_seen=timezone.now() - timedelta(minutes=5))
    assert "is silent, so nobody knows" in operator.get(poll[1]).content.decode()


def test_it_writes_by_post_and_for_operators_only(client: Client, tunnel: Tunnel) -> None:
    client.force_login(make.a_user("vera", "viewer"))
    assert "rotation/start" not in shown(client, tunnel)
    for path in ("start", "finish", "cancel"):
        assert client.post(address(tunnel, path)).status_code == HTTPStatus.FORBIDDEN
        assert client.get(address(tunnel, path)).status_code == HTTPStatus.METHOD_NOT_ALLOWED
        asked = client.get(address(tunnel, f"{path}/confirm"))
        assert asked.status_code == HTTPStatus.FORBIDDEN
    client.force_login(make.a_user("olga", "operator"))
    assert client.post(address(tunnel, "spin")).status_code == HTTPStatus.NOT_FOUND
    assert client.get(address(tunnel, "spin/confirm")).status_code == HTTPStatus.NOT_FOUND
