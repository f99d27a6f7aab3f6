"""The agent's sync: believe what it saw, tell it what we want.

A poll in which nothing changed costs two queries: one finds the agent by its token, one stamps that it was here.
Everything else is written only when it differs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from tunnels.contract import LogDocument, SyncAnswer, SyncRequest, TunnelReport
from tunnels.domain.status import Health, Intent, Provisioning
from tunnels.models import Event, Tunnel, TunnelState, VpnGateway
from tunnels.models.agent import GatewayAgent, LogLine, Sample
from tunnels.services import audit
from tunnels.services.access import SystemActor
from tunnels.services.diagnosis import explain
from tunnels.services.documents import tunnel_documents
from tunnels.services.enrolment import digest

POLL_SECONDS = 5.0
SAMPLE_EVERY = timedelta(seconds=30)
AGENT = SystemActor(name="agent")


def find_agent(token: str) -> GatewayAgent | None:
    """The agent that this token belongs to, with its gateway; None when there is none (one query)."""
    if not token:
        return None
    return (
        GatewayAgent.objects.filter(token_hash=digest(token))
        .select_related("vpn_gateway__vpc", "vpn_gateway__ccn")
        .first()
    )


def sync(*, agent: GatewayAgent, request: SyncRequest) -> SyncAnswer:
    """Take in a report and answer it; any number of times with the same result.

    Log lines up to the acknowledged cursor are stored: a line that comes again is passed over, so nothing is lost
    or doubled whichever process dies between storing and answering.
    """
    gateway, now = agent.vpn_gateway, timezone.now()
    rebooted = agent.boot_id != request.facts.boot_id
    with transaction.atomic():
        VpnGateway.objects.filter(pk=gateway.pk).update(last_seen=now)
        _take_facts(agent, request)
        news: set[str] = set()
        if request.log:
            news |= _take_log(agent, request)
        if request.tunnels or request.complete:
            news |= _take_reports(gateway, request)
        if news:
            explain(agent=agent, public_ids=news)
        if request.gone:
            _take_gone(gateway, request.gone)
    behind = request.revision != gateway.revision
    return SyncAnswer(
        gateway=gateway.public_id,
        revision=gateway.revision,
        tunnels=tunnel_documents(gateway) if behind else None,
        acknowledged=agent.log_cursor,
        report_all=rebooted and not request.complete,
        poll_seconds=POLL_SECONDS,
    )


def _take_facts(agent: GatewayAgent, request: SyncRequest) -> None:
    facts = request.facts
    fresh: dict[str, object] = {
        "agent_version": facts.agent_version[:40],
        "charon_version": facts.charon_version[:40],
        "plugins": list(facts.plugins),
        "boot_id": facts.boot_id[:64],
        "vici_error": facts.vici_error,
        "refused_plan": facts.refused_plan,
        "foreign": list(facts.foreign),
        "problems": list(facts.problems),
        "seen_revision": request.revision,
    }
    skew = round((facts.clock - timezone.now()).total_seconds(), 1)
    # The skew jitters with the network: only a change that matters is worth a write.
    if agent.clock_skew_seconds is None or abs(skew - agent.clock_skew_seconds) >= 1:
        fresh["clock_skew_seconds"] = skew
    if request.log_stream and request.log_stream != agent.log_stream:
        fresh |= {
            "log_stream": request.log_stream,
            "log_epoch": agent.log_epoch + 1,
            "log_cursor": 0,
        }
    changed = [name for name, value in fresh.items() if getattr(agent, name) != value]
    for name in changed:
        setattr(agent, name, fresh[name])
    if changed:
        agent.save(update_fields=changed)


def _take_log(agent: GatewayAgent, request: SyncRequest) -> set[str]:
    """Store the lines that are new; the tunnels that they are about."""
    # Two copies of one agent's request (it retried) must not both store: the row is the lock.
    cursor = (
        GatewayAgent.objects.select_for_update()
        .values_list("log_cursor", flat=True)
        .get(pk=agent.pk)
    )
    fresh = [line for line in request.log if line.cursor > cursor]
    named = {line.tunnel for line in fresh if line.tunnel}
    own = Tunnel.objects.filter(vpn_gateway_id=agent.pk, public_id__in=named)
    tunnels = set(own.values_list("public_id", flat=True)) if named else set()
    LogLine.objects.bulk_create(
        [_log_line(agent, line, tunnels) for line in fresh], ignore_conflicts=True, batch_size=500
    )
    agent.log_cursor = max([cursor, *(line.cursor for line in fresh)])
    agent.save(update_fields=["log_cursor"])
    _take_authentications(agent, fresh)
    return tunnels


# charon writes this when two ends have authenticated each other; a rekeyed IKE_SA is "rekeyed between".
_AUTHENTICATED = re.compile(r"IKE_SA \S+\[\d+\] established between ")


def _take_authentications(agent: GatewayAgent, lines: Sequence[LogDocument]) -> None:
    newest = {line.tunnel: line.at for line in lines if _AUTHENTICATED.match(line.text)}
    skew = timedelta(seconds=agent.clock_skew_seconds or 0)
    for tunnel, at in newest.items():
        TunnelState.objects.filter(
            tunnel__public_id=tunnel, tunnel__vpn_gateway_id=agent.pk
        ).update(authenticated_at=at - skew)


def _log_line(agent: GatewayAgent, line: LogDocument, own: Collection[str]) -> LogLine:
    """The row; a line about a tunnel that is not this gateway's is kept as nobody's."""
    return LogLine(
        vpn_gateway_id=agent.pk,
        epoch=agent.log_epoch,
        cursor=line.cursor,
        at=line.at,
        tunnel_ref=line.tunnel if line.tunnel in own else "",
        group=line.group[:8],
        level=line.level,
        severity=severity(line.level, line.text),
        # PostgreSQL's text has no NUL.
        text=line.text.replace("\0", "�"),
    )


# charon's levels say how detailed a line is, not how bad: what is bad has to be read from the words.
_TROUBLE = (
    "fail",
    "error",
    "giving up",
    "unable",
    "no acceptable",
    "no matching",
    "mismatch",
    "denied",
    "invalid",
)
_DETAIL_LEVEL = 2


def severity(level: int, text: str) -> str:
    """`warning` for a line that tells of trouble, `debug` for detail, else `info`."""
    lowered = text.lower()
    if any(word in lowered for word in _TROUBLE):
        return Event.Level.WARNING.value
    return "debug" if level >= _DETAIL_LEVEL else Event.Level.INFO.value


def _take_reports(gateway: VpnGateway, request: SyncRequest) -> set[str]:
    """Store what was observed; the tunnels whose status or mappings changed."""
    reports = {report.id: report for report in request.tunnels}
    states = TunnelState.objects.select_for_update(of=("self",)).select_related("tunnel")
    states = states.filter(tunnel__vpn_gateway=gateway).defer("tunnel__psk", "tunnel__previous_psk")
    if not request.complete:
        states = states.filter(tunnel__public_id__in=list(reports))
    changed: list[TunnelState] = []
    news: set[str] = set()
    for state in states:
        report = reports.get(state.tunnel.public_id)
        if report is None:
            # A complete report without this tunnel: the agent holds nothing of it.
            report = TunnelReport(id=state.tunnel.public_id, applied_revision=0)
        before = (state.word, state.mappings_up)
        _take_report(state, report)
        changed.append(state)
        if (state.word, state.mappings_up) != before:
            news.add(state.tunnel.public_id)
    TunnelState.objects.bulk_update(changed, _STATE_FIELDS, batch_size=500)
    _take_samples(changed, reports)
    return news


_STATE_FIELDS = (
    "provisioning", "applied_revision", "failure", "resets_done", "phase1", "mappings_up", "health", "rtt_ms", "loss",
    "word", "observed_at", "updated_at", "established_at", "nat", "pairs", "reset_report",
    "reset_at", "signing", "both_keys_at", "applied_at",
)  # fmt: skip


def _take_report(state: TunnelState, report: TunnelReport) -> None:
    tunnel = state.tunnel
    if state.applied_revision != report.applied_revision:
        state.applied_at = timezone.now()
    state.applied_revision = report.applied_revision
    state.failure = report.error
    state.provisioning = _provisioning(tunnel, report).value
    state.phase1 = report.phase1.value
    state.established_at = report.established_at
    state.nat = report.nat
    state.signing = report.signing
    if tunnel.rotating_since is None:
        state.both_keys_at = None
    elif state.both_keys_at is None and state.provisioning == Provisioning.APPLIED:
        state.both_keys_at = timezone.now()
    state.mappings_up = sum(pair.up for pair in report.mappings)
    state.pairs = [pair.model_dump(mode="json") for pair in report.mappings]
    if report.reset and report.resets_done > state.resets_done:
        state.reset_report = report.reset.model_dump(mode="json")
        state.reset_at = timezone.now()
        _record_reset(tunnel, report)
    state.resets_done = max(state.resets_done, report.resets_done)
    if report.health is None:
        state.health = (Health.WAITING if tunnel.health_enabled else Health.OFF).value
        state.rtt_ms = state.loss = None
    else:
        state.health = (Health.HEALTHY if report.health.healthy else Health.UNHEALTHY).value
        state.rtt_ms, state.loss = report.health.rtt_ms, report.health.loss
    before = state.word
    state.refresh(intent=tunnel.intent)
    state.observed_at = state.updated_at
    if state.word != before:
        audit.record(
            actor=AGENT,
            action="tunnel-status",
            target=tunnel,
            message=f"{tunnel.name} is now {state.word}",
            before={"status": before},
            after={"status": state.word},
        )


def _provisioning(tunnel: Tunnel, report: TunnelReport) -> Provisioning:
    if report.error:
        return Provisioning.FAILED
    if report.applied_revision < tunnel.revision:
        return Provisioning.PENDING
    return Provisioning.APPLIED


def _record_reset(tunnel: Tunnel, report: TunnelReport) -> None:
    reset = report.reset
    if reset is None:
        return
    outcome = f"{reset.before} → {reset.between} → {reset.after} CHILD_SAs in {reset.seconds:.1f} s"
    audit.record(
        actor=AGENT,
        action="tunnel-reset-done",
        target=tunnel,
        message=f"Reset of {tunnel.name}: {outcome}"
        + (f"; {reset.problem}" if reset.problem else ""),
        level=Event.Level.INFO if reset.ok else Event.Level.ERROR,
    )


def _take_samples(states: Sequence[TunnelState], reports: dict[str, TunnelReport]) -> None:
    now = timezone.now()
    samples = []
    for state in states:
        report = reports.get(state.tunnel.public_id)
        if report is None or (state.sampled_at and now - state.sampled_at < SAMPLE_EVERY):
            continue
        state.sampled_at = now
        samples.append(
            Sample(
                tunnel=state.tunnel,
                at=now,
                bytes_in=sum(pair.bytes_in for pair in report.mappings),
                bytes_out=sum(pair.bytes_out for pair in report.mappings),
                packets_in=sum(pair.packets_in for pair in report.mappings),
                packets_out=sum(pair.packets_out for pair in report.mappings),
                mappings_up=state.mappings_up,
                rtt_ms=state.rtt_ms,
                loss=state.loss,
            )
        )
    Sample.objects.bulk_create(samples, batch_size=500)
    TunnelState.objects.filter(pk__in=[sample.tunnel_id for sample in samples]).update(
        sampled_at=now
    )


def _take_gone(gateway: VpnGateway, gone: Sequence[str]) -> None:
    tunnels = Tunnel.objects.filter(
        vpn_gateway=gateway, public_id__in=list(gone), intent=Intent.DELETING.value
    ).select_for_update(of=("self",))
    for tunnel in tunnels:
        audit.record(
            actor=AGENT,
            action="tunnel-deleted",
            target=tunnel,
            message=f"Tunnel {tunnel.name} deleted; the gateway has let go of it",
            level=Event.Level.WARNING,
        )
        tunnel.delete()
