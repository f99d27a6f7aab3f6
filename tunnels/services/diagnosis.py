"""Naming the cause of a tunnel that is not up, when its gateway has told something new about it.

The cause is kept with the tunnel's state, so that pages read a row.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Final

from django.utils import timezone

from tunnels.domain.diagnosis import Configured, Diagnosis, LogEntry, Observed, diagnose
from tunnels.domain.spd import Mapping as Pair
from tunnels.domain.status import Intent, Phase1, Provisioning
from tunnels.models import GatewayAgent, LogLine, Mapping, Tunnel, TunnelState
from tunnels.services.specs import identities

# More than a whole negotiation with all its repetitions leaves.
LINES: Final = 400
# What is applied is known here only a poll later.
POLL: Final = timedelta(seconds=10)


def explain(*, agent: GatewayAgent, public_ids: Collection[str]) -> None:
    """Name the cause of each of these tunnels of the agent's gateway anew, four queries each; or that there is none."""
    states = TunnelState.objects.select_related(
        "tunnel__vpn_gateway", "tunnel__customer_gateway", "tunnel__ike", "tunnel__ipsec"
    ).defer("tunnel__psk", "tunnel__previous_psk")
    wanted = states.filter(tunnel__vpn_gateway_id=agent.pk, tunnel__public_id__in=public_ids)
    for state in wanted:
        cause = _cause(agent, state)
        if cause != state.cause:
            TunnelState.objects.filter(pk=state.pk).update(cause=cause, updated_at=timezone.now())


def _cause(agent: GatewayAgent, state: TunnelState) -> dict[str, Any] | None:
    tunnel = state.tunnel
    if tunnel.intent != Intent.UP or state.provisioning != Provisioning.APPLIED:
        return None
    up = {
        (ip_network(pair["local"]), ip_network(pair["remote"]))
        for pair in state.pairs
        if pair["up"]
    }
    found = diagnose(
        _lines(agent, state), _configured(tunnel), Observed(phase1=Phase1(state.phase1), up=up)
    )
    return _stored(found) if found else None


def _configured(tunnel: Tunnel) -> Configured:
    local_identity, remote_identity = identities(tunnel, tunnel.ike)
    pairs = Mapping.objects.filter(tunnel=tunnel).order_by("pk")
    return Configured(
        intent=Intent(tunnel.intent),
        local_identity=local_identity,
        remote_identity=remote_identity,
        remote_address=str(tunnel.customer_gateway.public_ip),
        mappings=tuple(
            Pair(local=local, remote=remote)
            for local, remote in pairs.values_list("local_cidr", "remote_cidr")
        ),
        ike=tunnel.ike.settings,
        ipsec=tunnel.ipsec.settings,
    )


def _lines(agent: GatewayAgent, state: TunnelState) -> list[LogEntry]:
    rows = LogLine.objects.filter(tunnel_ref=state.tunnel.public_id, vpn_gateway_id=agent.pk)
    if state.applied_at:
        # Lines carry the gateway's time.
        skew = timedelta(seconds=agent.clock_skew_seconds or 0)
        rows = rows.filter(at__gte=state.applied_at + skew - POLL)
    newest = rows.order_by("-at", "-id").values_list("at", "group", "level", "text")[:LINES]
    return [
        LogEntry(at=at, group=group, level=level, text=text)
        for at, group, level, text in reversed(newest)
    ]


def _stored(found: Diagnosis) -> dict[str, Any]:
    line = found.evidence
    return {
        "code": found.code.value,
        "cause": found.cause,
        "advice": found.advice,
        "evidence": line.text if line else "",
        "evidence_at": line.at.isoformat() if line else None,
        "ours": found.ours,
        "theirs": found.theirs,
        "step": found.step.value,
        "field": found.field,
        "fault": found.is_fault,
    }
