from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests import factories as make
from tests import reports
from tunnels.domain.proposals import IkeSettings, Negotiation
from tunnels.models import LogLine, Tunnel
from tunnels.services import actions, editing

pytestmark = pytest.mark.django_db

REFUSED = (
    "sending packet: from 203.0.113.1[500] to 198.18.0.1[500] (464 bytes)",
    "parsed IKE_AUTH response 1 [ N(AUTH_FAILED) ]",
    "received AUTHENTICATION_FAILED notify error",
)


@pytest.fixture
def tunnel() -> Tunnel:
    tunnel = make.a_tunnel()
    reports.report(tunnel, up=0)
    return tunnel


def cause(tunnel: Tunnel) -> str | None:
    tunnel.state.refresh_from_db()
    found = tunnel.state.cause
    return found and found["code"]


def test_it_names_the_cause_when_the_lines_come(tunnel: Tunnel) -> None:
    assert cause(tunnel) is None
    reports.log(tunnel, *REFUSED)
    assert cause(tunnel) == "auth-failed"
    stored = tunnel.state.cause
    assert stored is not None
    assert stored["evidence"] == REFUSED[2]
    assert (stored["step"], stored["field"], stored["fault"]) == ("basic", "psk", True)
    assert stored["evidence_at"] == LogLine.objects.get(text=REFUSED[2]).at.isoformat()


def test_it_forgets_the_cause_when_the_tunnel_is_up(tunnel: Tunnel) -> None:
    reports.log(tunnel, *REFUSED)
    reports.report(tunnel)
    assert cause(tunnel) is None


def test_it_forgets_the_cause_with_the_settings_that_had_it(tunnel: Tunnel) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    reports.log(tunnel, *REFUSED, at=long_ago)
    tunnel.state.refresh_from_db()
    tunnel.state.applied_at = long_ago
    tunnel.state.save()
    reports.log(tunnel, "nothing of interest")
    assert cause(tunnel) == "auth-failed"
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=IkeSettings(lifetime_seconds=7_200))
    assert cause(tunnel) is None
    reports.report(tunnel, up=0)
    reports.log(tunnel, "nothing of interest")
    assert cause(tunnel) is None


def test_it_explains_nothing_that_is_not_meant_to_be_up(tunnel: Tunnel) -> None:
    actions.take_down(actor=make.SYSTEM, tunnel=tunnel)
    reports.report(tunnel, up=0)
    reports.log(tunnel, *REFUSED)
    assert cause(tunnel) is None


def test_it_says_when_it_only_waits(tunnel: Tunnel) -> None:
    passive = IkeSettings(negotiation=Negotiation.PASSIVE)
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=passive)
    reports.report(tunnel, up=0)
    assert cause(tunnel) == "waiting-for-peer"
    assert tunnel.state.cause is not None
    assert tunnel.state.cause["fault"] is False


def test_an_agent_explains_its_own_tunnels_only(tunnel: Tunnel) -> None:
    other = make.a_tunnel(vpn_gateway=make.a_vpn_gateway(name="elsewhere"))
    reports.report(other, up=0)
    other.public_id, foreign = tunnel.public_id, other.public_id
    reports.log(other, *REFUSED)
    assert cause(tunnel) is None
    assert set(LogLine.objects.values_list("tunnel_ref", flat=True)) == {""}
    other.public_id = foreign


def test_it_changes_what_the_pages_poll_for(tunnel: Tunnel) -> None:
    before = tunnel.state.updated_at
    reports.log(tunnel, *REFUSED)
    tunnel.state.refresh_from_db()
    assert tunnel.state.updated_at > before
