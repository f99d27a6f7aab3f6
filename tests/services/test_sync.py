"""The agent's sync: what it says is believed once, and what we want goes down only when it differs."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests import factories as make
from tunnels.contract import (
    AgentFacts,
    LogDocument,
    MappingReport,
    ResetReport,
    SyncRequest,
    TunnelReport,
)
from tunnels.domain.findings import RuleError
from tunnels.domain.status import Phase1
from tunnels.models import Event, GatewayAgent, LogLine, Sample, Tunnel, VpnGateway
from tunnels.services.actions import delete_tunnel, reset_tunnel
from tunnels.services.enrolment import enrol, revoke_agent, start_enrolment
from tunnels.services.sync import find_agent, sync

pytestmark = pytest.mark.django_db


def _agent(tunnel: Tunnel) -> GatewayAgent:
    token = start_enrolment(actor=make.SYSTEM, vpn_gateway=tunnel.vpn_gateway)
    _, own = enrol(token=token)
    agent = find_agent(own)
    assert agent is not None
    return agent


def _request(**said: Any) -> SyncRequest:
    facts = AgentFacts(
        agent_version="1", boot_id="boot-1", clock=timezone.now(), charon_version="5.9.8"
    )
    return SyncRequest(facts=said.pop("facts", facts), **said)


def _report(tunnel: Tunnel, *, up: int, **said: Any) -> TunnelReport:
    pairs = [
        MappingReport(
            local=mapping.local_cidr,
            remote=mapping.remote_cidr,
            up=index < up,
            bytes_in=1000,
            bytes_out=500,
        )
        for index, mapping in enumerate(tunnel.mappings.order_by("pk"))
    ]
    said = {
        "phase1": Phase1.ESTABLISHED if up else Phase1.NONE,
        "applied_revision": tunnel.revision,
    } | said
    return TunnelReport(id=tunnel.public_id, mappings=tuple(pairs), **said)


def _lines(*cursors: int) -> tuple[LogDocument, ...]:
    return tuple(
        LogDocument(cursor=n, at=timezone.now(), group="IKE", level=1, text=f"line {n}")
        for n in cursors
    )


def test_the_first_answer_has_everything_and_the_next_nothing() -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    agent = _agent(tunnel)
    first = sync(agent=agent, request=_request())
    assert first.tunnels is not None
    [document] = first.tunnels
    assert document.psk.get_secret_value() == make.CANARY_PSK
    assert str(document.mappings[0].mapping) == "10.0.0.0/24 ↔ 192.168.0.0/24"
    assert document.local_identity == str(tunnel.vpn_gateway.public_ip)
    assert make.CANARY_PSK not in repr(first)
    again = sync(agent=agent, request=_request(revision=first.revision))
    assert (again.tunnels, again.revision) == (None, first.revision)


def test_an_unchanged_poll_costs_two_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    tunnel = make.a_tunnel()
    token = start_enrolment(actor=make.SYSTEM, vpn_gateway=tunnel.vpn_gateway)
    _, own = enrol(token=token)
    agent = find_agent(own)
    assert agent is not None
    answer = sync(agent=agent, request=_request())
    sync(agent=agent, request=_request(revision=answer.revision))
    # The savepoint of this test's own transaction takes two more; in production it is BEGIN and COMMIT.
    with django_assert_num_queries(4):
        found = find_agent(own)
        assert found is not None
        sync(agent=found, request=_request(revision=answer.revision))


def test_a_report_makes_the_tunnel_connected_and_says_so_once() -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    agent = _agent(tunnel)
    for _ in range(2):
        sync(agent=agent, request=_request(tunnels=(_report(tunnel, up=4),)))
    tunnel.state.refresh_from_db()
    assert (tunnel.state.word, tunnel.state.mappings_up, tunnel.state.provisioning) == (
        "connected",
        4,
        "applied",
    )
    assert [event.message for event in Event.objects.filter(action="tunnel-status")] == [
        "idc-shanghai is now connected"
    ]
    assert Sample.objects.get().bytes_in == 4000


def test_a_pair_that_is_down_makes_it_partial() -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    sync(agent=_agent(tunnel), request=_request(tunnels=(_report(tunnel, up=3),)))
    tunnel.state.refresh_from_db()
    assert (tunnel.state.word, tunnel.state.mappings_up) == ("partial", 3)
    assert [pair["up"] for pair in tunnel.state.pairs] == [True, True, True, False]


def test_a_complete_report_without_a_tunnel_takes_it_down() -> None:
    tunnel = make.a_tunnel()
    agent = _agent(tunnel)
    sync(agent=agent, request=_request(tunnels=(_report(tunnel, up=1),)))
    sync(agent=agent, request=_request(tunnels=(), complete=True))
    tunnel.state.refresh_from_db()
    assert (tunnel.state.word, tunnel.state.mappings_up) == ("provisioning", 0)


def test_an_error_shows_as_failed_with_its_reason() -> None:
    tunnel = make.a_tunnel()
    report = _report(tunnel, up=0, applied_revision=0, error="charon refused the proposal")
    sync(agent=_agent(tunnel), request=_request(tunnels=(report,)))
    tunnel.state.refresh_from_db()
    assert (tunnel.state.word, tunnel.state.failure) == ("failed", "charon refused the proposal")


def test_log_lines_are_stored_once_however_often_they_come() -> None:
    tunnel = make.a_tunnel()
    agent = _agent(tunnel)
    assert (
        sync(agent=agent, request=_request(log=_lines(1, 2, 3), log_stream="a")).acknowledged == 3
    )
    stale = GatewayAgent.objects.get(pk=agent.pk)
    assert (
        sync(agent=stale, request=_request(log=_lines(2, 3, 4), log_stream="a")).acknowledged == 4
    )
    assert list(LogLine.objects.order_by("cursor").values_list("text", flat=True)) == [
        "line 1",
        "line 2",
        "line 3",
        "line 4",
    ]


def test_an_agent_that_lost_its_files_loses_no_new_line() -> None:
    tunnel = make.a_tunnel()
    agent = _agent(tunnel)
    sync(agent=agent, request=_request(log=_lines(1, 2, 3), log_stream="a"))
    assert sync(agent=agent, request=_request(log=_lines(1), log_stream="b")).acknowledged == 1
    assert LogLine.objects.count() == 4


def test_a_new_boot_is_asked_for_everything() -> None:
    tunnel = make.a_tunnel()
    agent = _agent(tunnel)
    assert sync(agent=agent, request=_request()).report_all
    assert not sync(agent=agent, request=_request()).report_all


def test_a_reset_is_reported_once_with_its_outcome() -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    agent = _agent(tunnel)
    reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    assert not reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    outcome = ResetReport(number=1, before=4, between=0, after=4, seconds=0.4, ok=True)
    for _ in range(2):
        sync(
            agent=agent,
            request=_request(tunnels=(_report(tunnel, up=4, reset=outcome, resets_done=1),)),
        )
    [event] = Event.objects.filter(action="tunnel-reset-done")
    assert event.message == "Reset of idc-shanghai: 4 → 0 → 4 CHILD_SAs in 0.4 s"
    assert reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)


def test_a_deleted_tunnel_keeps_its_mappings_until_the_gateway_lets_go() -> None:
    tunnel = make.a_tunnel()
    agent = _agent(tunnel)
    sync(agent=agent, request=_request())
    tunnel.refresh_from_db()
    delete_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    with pytest.raises(RuleError, match="overlaps"):
        make.a_tunnel(vpn_gateway=tunnel.vpn_gateway, name="too-early")
    sync(agent=agent, request=_request(gone=(tunnel.public_id,)))
    assert not Tunnel.objects.exists()
    make.a_tunnel(vpn_gateway=tunnel.vpn_gateway, name="now")


def test_an_agent_cannot_delete_what_nobody_asked_to_delete() -> None:
    tunnel = make.a_tunnel()
    sync(agent=_agent(tunnel), request=_request(gone=(tunnel.public_id,)))
    assert Tunnel.objects.filter(pk=tunnel.pk).exists()


def test_an_agent_speaks_for_its_own_gateway_only() -> None:
    mine, other = make.a_tunnel(), make.a_tunnel(vpn_gateway=make.a_vpn_gateway(name="elsewhere"))
    delete_request = _request(tunnels=(_report(other, up=1),), gone=(other.public_id,))
    Tunnel.objects.filter(pk=other.pk).update(intent="deleting")
    sync(agent=_agent(mine), request=delete_request)
    other.state.refresh_from_db()
    assert other.state.mappings_up == 0
    assert Tunnel.objects.filter(pk=other.pk).exists()


def test_a_one_time_token_works_once_and_a_day() -> None:
    gateway = make.a_vpn_gateway()
    token = start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway)
    enrol(token=token)
    with pytest.raises(RuleError, match="one-time token"):
        enrol(token=token)
    late = start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway)
    GatewayAgent.objects.update(enrol_expires=timezone.now() - timedelta(seconds=1))
    with pytest.raises(RuleError, match="too old"):
        enrol(token=late)


def test_a_revoked_or_replaced_token_is_nobody() -> None:
    gateway = make.a_vpn_gateway()
    _, first = enrol(token=start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway))
    _, second = enrol(token=start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway))
    assert find_agent(first) is None
    assert find_agent(second) is not None
    assert revoke_agent(actor=make.SYSTEM, vpn_gateway=gateway)
    assert not revoke_agent(actor=make.SYSTEM, vpn_gateway=gateway)
    assert find_agent(second) is None
    assert find_agent("") is None


def test_the_database_holds_no_token() -> None:
    gateway = make.a_vpn_gateway()
    token = start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway)
    _, own = enrol(token=token)
    stored = str(GatewayAgent.objects.values().get())
    assert token not in stored
    assert own not in stored
    assert VpnGateway.objects.get().public_id == gateway.public_id


def test_an_address_of_either_family_travels() -> None:
    tunnel = make.a_tunnel("2001:db8:a:1::/64 2001:db8:b:1::/64")
    answer = sync(agent=_agent(tunnel), request=_request())
    assert answer.tunnels is not None
    assert answer.tunnels[0].mappings[0].remote == ip_network("2001:db8:b:1::/64")
