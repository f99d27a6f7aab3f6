"""The table of mappings that SPD rules form, each with what speaks against it, checked as one types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tunnels.domain.addresses import Network, parse_network
from tunnels.domain.findings import Finding
from tunnels.domain.health import HealthCheck
from tunnels.domain.spd import Rule, check_pairs
from tunnels.models import Mapping, Tunnel, VpnGateway
from tunnels.services.inventory import attempt
from tunnels.services.policy import conflicts_of
from tunnels.services.specs import quotas

_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True, kw_only=True)
class ParsedRow:
    """A typed rule: its row, the ranges that could be read, and findings for those that could not."""

    index: int
    local_text: str
    local: Network | None
    remotes: tuple[tuple[str, Network | None], ...]
    findings: tuple[Finding, ...]

    @property
    def rule(self) -> Rule | None:
        """The rule of all ranges that could be read, None without a local one."""
        if self.local is None:
            return None
        return Rule(local=self.local, remotes=tuple(remote for _, remote in self.remotes if remote))


@dataclass(kw_only=True)
class Line:
    """One mapping of the table; it is good when `problems` is empty."""

    rule: int
    local: str
    remote: str
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """All mappings, and how many of the gateway's share are used with them."""

    lines: tuple[Line, ...]
    used: int
    limit: int

    @property
    def bad(self) -> int:
        """How many mappings would be refused."""
        return sum(bool(line.problems) for line in self.lines)

    @property
    def too_many(self) -> bool:
        """Whether the gateway would carry more than it may."""
        return self.used > self.limit


def parse_row(index: int, local: str, remotes: str) -> ParsedRow:
    """Read one row; remote ranges stand one a line, and commas, semicolons or spaces do as well."""
    findings: list[Finding] = []
    ours: Network | None = None
    if local.strip():
        ours = attempt(findings, "local", parse_network, local)
    else:
        message = "Enter the local range, such as 10.0.0.0/24."
        findings.append(Finding(rule="spd-no-local", message=message, field="local"))
    texts = [text for text in _BETWEEN.split(remotes) if text]
    theirs = tuple((text, attempt(findings, "remotes", parse_network, text)) for text in texts)
    return ParsedRow(
        index=index,
        local_text=local.strip(),
        local=ours,
        remotes=theirs,
        findings=tuple(finding.at(finding.field, index) for finding in findings),
    )


def preview(
    rows: Sequence[ParsedRow],
    *,
    vpn_gateway: VpnGateway,
    health: HealthCheck | None = None,
    besides: Tunnel | None = None,
) -> Preview:
    """The table for these rows, by two queries: the overlaps, and the count of the gateway's other mappings."""
    others = Mapping.objects.filter(vpn_gateway=vpn_gateway).exclude(tunnel=besides).count()
    lines: dict[tuple[int, str], Line] = {}
    for row in rows:
        for line in _lines(row, vpn_gateway):
            lines.setdefault((row.index, line.remote), line)
    readable = [row for row in rows if row.rule]
    rules = [row.rule for row in readable if row.rule]
    for conflict in conflicts_of(rules, vpn_gateway=vpn_gateway, health=health, besides=besides):
        if conflict.new.rule is None:
            continue
        row = readable[conflict.new.rule - 1]
        lines[row.index, str(conflict.new.remote)].problems.append(f"{conflict}.")
    return Preview(
        lines=tuple(lines.values()),
        used=others + len(lines),
        limit=quotas().mappings_per_gateway,
    )


def _lines(row: ParsedRow, vpn_gateway: VpnGateway) -> Iterator[Line]:
    """A line for each pair, with what speaks against the pair alone."""
    local = str(row.local or row.local_text or "?")
    unreadable = {finding.message for finding in row.findings if finding.field == "local"}
    for text, remote in row.remotes:
        problems = sorted(unreadable)
        if remote is None:
            problems += _sentences(parse_row(row.index, local, text).findings, "remotes")
        elif row.local is not None:
            alone = Rule(local=row.local, remotes=(remote,))
            found = check_pairs([alone], vpc=vpn_gateway.vpc_cidrs, quotas=quotas())
            problems += [finding.message for finding in found]
        yield Line(rule=row.index + 1, local=local, remote=str(remote or text), problems=problems)


def _sentences(findings: Iterable[Finding], field_name: str) -> list[str]:
    return [finding.message for finding in findings if finding.field == field_name]
