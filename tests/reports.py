"""What a gateway's agent would say: sync requests for tests, sent the way an enrolled agent sends them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from tests.factories import SYSTEM
from tunnels.contract import AgentFacts, LogDocument, MappingReport, SyncRequest, TunnelReport
from tunnels.domain.status import Phase1
from tunnels.models import GatewayAgent, Tunnel, VpnGateway
from tunnels.services.enrolment import enrol, start_enrolment
from tunnels.services.sync import find_agent, sync


def an_agent(gateway: VpnGateway) -> GatewayAgent:
    """The gateway's enrolled agent, enrolled now if it was not."""
    agent = GatewayAgent.objects.filter(vpn_gateway=gateway, token_hash__isnull=False).first()
    if agent is None:
        _, own = enrol(token=start_enrolment(actor=SYSTEM, vpn_gateway=gateway))
        agent = find_agent(own)
    assert agent is not None
    # As each request finds it.
    return GatewayAgent.objects.select_related("vpn_gateway").get(pk=agent.pk)


def facts(**said: Any) -> AgentFacts:
    """What an agent says of itself."""
    known: dict[str, Any] = {
        "agent_version": "0.1.0",
        "charon_version": "strongSwan 5.9.8",
        "plugins": ("kernel-libipsec", "openssl", "vici"),
        "boot_id": "boot-1",
        "clock": timezone.now(),
    }
    return AgentFacts(**(known | said))


def a_report(tunnel: Tunnel, *, up: int | None = None, **said: Any) -> TunnelReport:
    """The tunnel with its first `up` mappings installed (all unless told); `pair` goes into each of those."""
    pair = {"bytes_in": 1_000, "bytes_out": 500} | said.pop("pair", {})
    mappings = tuple(tunnel.mappings.order_by("pk"))
    count = len(mappings) if up is None else up
    pairs = tuple(
        MappingReport(
            local=mapping.local_cidr,
            remote=mapping.remote_cidr,
            up=index < count,
            **(pair if index < count else {}),
        )
        for index, mapping in enumerate(mappings)
    )
    known: dict[str, Any] = {
        "applied_revision": tunnel.revision,
        "phase1": Phase1.ESTABLISHED if count else Phase1.NONE,
        "established_at": timezone.now() if count else None,
    }
    return TunnelReport(id=tunnel.public_id, mappings=pairs, **(known | said))


def report(tunnel: Tunnel, *, up: int | None = None, **said: Any) -> None:
    """The tunnel's gateway sends one report of it; the tunnel is read again afterwards."""
    tunnel.refresh_from_db()
    request = SyncRequest(
        facts=said.pop("facts", facts()), tunnels=(a_report(tunnel, up=up, **said),)
    )
    sync(agent=an_agent(tunnel.vpn_gateway), request=request)
    tunnel.refresh_from_db()


def log(tunnel: Tunnel, *texts: str, at: datetime | None = None) -> None:
    """The tunnel's gateway sends these lines of its log."""
    agent = an_agent(tunnel.vpn_gateway)
    lines = tuple(
        LogDocument(
            cursor=agent.log_cursor + number,
            at=at or timezone.now(),
            tunnel=tunnel.public_id,
            group="ike",
            level=1,
            text=text,
        )
        for number, text in enumerate(texts, start=1)
    )
    sync(agent=agent, request=SyncRequest(facts=facts(), log=lines, log_stream="stream-1"))
