"""What the agent tells the console: observation, journal and probes put into the contract's documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tunnels.agent.charon import ChildSa, IkeSa
from tunnels.agent.journal import Counter, Entry, Journal
from tunnels.agent.observe import Observation
from tunnels.agent.render import child_name
from tunnels.contract import (
    HealthReport,
    MappingDocument,
    MappingReport,
    TunnelDocument,
    TunnelReport,
)
from tunnels.domain.status import Intent, Phase1

# Counters and round trips are told so often; all else at once.
COUNTERS_SECONDS = 30.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Reporter:
    """Makes reports. It remembers when each IKE_SA was established, so that the time does not flicker."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._established: dict[tuple[str, int], datetime] = {}

    def tunnels(
        self,
        documents: Iterable[TunnelDocument],
        observation: Observation,
        *,
        problems: Mapping[str, str],
        health: Mapping[str, HealthReport],
    ) -> tuple[TunnelReport, ...]:
        """One report a tunnel that the console named. `problems` are the steps that failed or did not begin."""
        self._remember(observation)
        return tuple(
            self._tunnel(
                document, observation, problems.get(document.id, ""), health.get(document.id)
            )
            for document in documents
        )

    def _tunnel(
        self,
        document: TunnelDocument,
        observation: Observation,
        problem: str,
        health: HealthReport | None,
    ) -> TunnelReport:
        entry = self._journal.entries.get(document.id, Entry())
        phase1, main = _phase1(observation.sas.get(document.id, ()))
        children: dict[str, list[ChildSa]] = {}
        for child in observation.children(document.id):
            children.setdefault(child.name, []).append(child)
        return TunnelReport(
            id=document.id,
            applied_revision=entry.revision,
            error=problem,
            phase1=phase1,
            established_at=self._established.get((document.id, main.unique_id)) if main else None,
            ike_id=main.unique_id if main else 0,
            nat=main.nat if main else False,
            mappings=tuple(
                self._mapping(document.id, mapping, children) for mapping in document.mappings
            ),
            reset=entry.reset,
            resets_done=entry.resets_done,
            health=health,
            signing="previous" if entry.signing_previous else "current",
        )

    def _mapping(
        self, tunnel: str, document: MappingDocument, children: Mapping[str, list[ChildSa]]
    ) -> MappingReport:
        name = child_name(tunnel, document.mapping)
        generations = children.get(name, [])
        best = max(generations, key=lambda child: (child.carries, child.state), default=None)
        total = self._journal.counters.get(name, Counter()).total
        return MappingReport(
            local=document.local, remote=document.remote,
            up=best.carries if best else False, state=best.state if best else "",
            bytes_in=total[0], bytes_out=total[1], packets_in=total[2], packets_out=total[3],
        )  # fmt: skip

    def _remember(self, observation: Observation) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        self._established = {
            (name, sa.unique_id): self._established.get(
                (name, sa.unique_id), now - timedelta(seconds=sa.age)
            )
            for name, sas in observation.sas.items()
            for sa in sas
            if sa.established
        }


def gone(documents: Iterable[TunnelDocument], observation: Observation) -> tuple[str, ...]:
    """The tunnels that shall be deleted and of which charon holds nothing: no connection, SA or secret."""
    return tuple(
        document.id
        for document in documents
        if document.intent is Intent.DELETING and document.id not in observation.present
    )


class Accepted:
    """The reports that the console has, so that an unchanged poll is nearly empty."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reports: dict[str, TunnelReport] = {}
        self._at: dict[str, float] = {}

    def forget(self) -> None:
        """The console asked for all of them."""
        self._reports.clear()

    def news(self, reports: Iterable[TunnelReport]) -> tuple[TunnelReport, ...]:
        """Those to tell: what changed at once, counters and round trips every half minute."""
        due = self._clock() - COUNTERS_SECONDS
        return tuple(
            report
            for report in reports
            if self._differs(report)
            or (self._at[report.id] <= due and report != self._reports[report.id])
        )

    def urgent(self, reports: Iterable[TunnelReport]) -> bool:
        """Whether something is worth telling before its time."""
        return any(self._differs(report) for report in reports)

    def take(self, told: Iterable[TunnelReport], *, all_of_them: bool) -> None:
        """The console has these; `all_of_them` when there are no others."""
        if all_of_them:
            self._reports.clear()
        for report in told:
            self._reports[report.id] = report
            self._at[report.id] = self._clock()

    def _differs(self, report: TunnelReport) -> bool:
        known = self._reports.get(report.id)
        return known is None or _essence(known) != _essence(report)


def _essence(report: TunnelReport) -> tuple[object, ...]:
    """All but what flows: counters, round trips."""
    return (
        report.applied_revision, report.error, report.phase1, report.ike_id, report.established_at, report.nat,
        [(pair.local, pair.remote, pair.up, pair.state) for pair in report.mappings],
        report.reset, report.resets_done, report.signing, report.health.healthy if report.health else None,
    )  # fmt: skip


def boot_id() -> str:
    """The kernel's id of this boot."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _phase1(sas: Iterable[IkeSa]) -> tuple[Phase1, IkeSa | None]:
    """The newest established IKE_SA, else one that is being negotiated."""
    established = [sa for sa in sas if sa.established]
    if established:
        return Phase1.ESTABLISHED, max(established, key=lambda sa: sa.unique_id)
    connecting = [sa for sa in sas if sa.negotiates]
    if connecting:
        return Phase1.CONNECTING, max(connecting, key=lambda sa: sa.unique_id)
    return Phase1.NONE, None
