"""The security policy: rules, the mappings they form, and the invariant that no two mappings overlap.

A rule has one local CIDR and one or more remote CIDRs; each (local, remote) pair is a mapping and becomes one
pair of traffic selectors (RFC 4301 §4.4.1, RFC 7296 §2.9). Two mappings of one VPN gateway overlap when
they intersect on *both* sides; then the gateway could not tell which tunnel a packet belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tunnels.domain.addresses import (
    Network,
    contains,
    host_network,
    is_default_route,
    overlap,
    within,
)
from tunnels.domain.findings import Finding
from tunnels.domain.health import HealthCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One local CIDR and at least one remote CIDR."""

    local: Network
    remotes: tuple[Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One pair of ranges. `rule` is the number of its rule, from 1; None is the health-check pair."""

    local: Network
    remote: Network
    rule: int | None = None

    def __str__(self) -> str:
        return f"{self.local} ↔ {self.remote}"

    def overlaps(self, other: Mapping) -> bool:
        """Whether the two intersect on both sides."""
        return overlap(self.local, other.local) and overlap(self.remote, other.remote)

    def covers(self, other: Mapping) -> bool:
        """Whether everything that `other` carries is carried by this one too."""
        return within(other.local, self.local) and within(other.remote, self.remote)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedMapping:
    """A mapping together with the tunnel that holds it; an empty id is the tunnel being edited."""

    mapping: Mapping
    tunnel_id: str = ""
    tunnel_name: str = ""

    @property
    def owner(self) -> str:
        """Where it is, for a sentence: `tunnel idc-shanghai (vpnx-1a2b3c4d), rule 1`."""
        where = f"tunnel {self.tunnel_name} ({self.tunnel_id})" if self.tunnel_id else "this tunnel"
        what = f"rule {self.mapping.rule}" if self.mapping.rule else "its health check"
        return f"{where}, {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A new mapping and one that it overlaps."""

    new: Mapping
    existing: PlacedMapping

    def __str__(self) -> str:
        return f"{self.new} overlaps {self.existing.mapping} of {self.existing.owner}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How much a gateway may carry; an operator may raise them in the settings."""

    rules_per_tunnel: int = 10
    remotes_per_rule: int = 50
    mappings_per_gateway: int = 200
    tunnels_per_gateway: int = 20


def expand(rules: Iterable[Rule], health: HealthCheck | None = None) -> tuple[Mapping, ...]:
    """All mappings in the order of the rules, then the health-check pair when no rule covers it."""
    mappings = [
        Mapping(local=rule.local, remote=remote, rule=number)
        for number, rule in enumerate(rules, start=1)
        for remote in rule.remotes
    ]
    if health:
        probe = Mapping(local=host_network(health.local), remote=host_network(health.remote))
        if not any(mapping.covers(probe) for mapping in mappings):
            mappings.append(probe)
    return tuple(mappings)


def find_conflicts(
    new: Sequence[Mapping], existing: Iterable[PlacedMapping] = ()
) -> list[Conflict]:
    """Every overlap among the `new` mappings and between them and the `existing` ones.

    Of two new mappings that overlap, the later one is at fault. Both families may be mixed. CIDR blocks
    nest or are disjoint, so after sorting by the local range (widest first) the blocks that hold the
    current one form a stack: only those are compared on the remote side.
    """
    entries = [(mapping, index, None) for index, mapping in enumerate(new)]
    others = [(placed.mapping, -1, placed) for placed in existing]
    stack: list[tuple[Mapping, int, PlacedMapping | None]] = []
    found: list[tuple[int, int, Conflict]] = []
    for entry in sorted([*entries, *others], key=_by_local):
        while stack and not overlap(stack[-1][0].local, entry[0].local):
            stack.pop()
        for holder in stack:
            if overlap(holder[0].remote, entry[0].remote):
                found.extend(_blame(holder, entry))
        stack.append(entry)
    found.sort(key=lambda item: item[:2])
    return [conflict for _, _, conflict in found]


def check_pairs(rules: Sequence[Rule], *, vpc: Sequence[Network], quotas: Quotas) -> list[Finding]:
    """Findings that need no other tunnel: families, sides, the VPC's blocks (empty for CCN), counts.

    A range may overlap the other side of its pair only when exactly one of them is the default route
    (0.0.0.0/0 or ::/0), which stands for "everything else".
    """
    findings: list[Finding] = []
    if not rules:
        findings.append(
            Finding(rule="spd-empty", message="Add at least one SPD rule.", field="rules")
        )
    if len(rules) > quotas.rules_per_tunnel:
        message = (
            f"A tunnel has at most {quotas.rules_per_tunnel} SPD rules; these are {len(rules)}."
        )
        findings.append(Finding(rule="spd-too-many-rules", message=message, field="rules"))
    for row, rule in enumerate(rules):
        findings.extend(_check_rule(row, rule, vpc, quotas))
    return findings


def conflict_findings(conflicts: Iterable[Conflict]) -> list[Finding]:
    """The conflicts as findings, each at its rule's remote field (or at the health check)."""
    return [
        Finding(
            rule="spd-overlap",
            message=f"{conflict}.",
            field="remotes" if conflict.new.rule else "health_local",
            row=conflict.new.rule - 1 if conflict.new.rule else None,
        )
        for conflict in conflicts
    ]


def _check_rule(row: int, rule: Rule, vpc: Sequence[Network], quotas: Quotas) -> Iterator[Finding]:
    if vpc and not contains(vpc, rule.local):
        blocks = ", ".join(str(block) for block in vpc)
        message = f"{rule.local} is outside the VPC ({blocks}); choose a range inside it."
        yield Finding(rule="spd-outside-vpc", message=message, field="local", row=row)
    if not rule.remotes:
        message = "Enter at least one customer range, one a line."
        yield Finding(rule="spd-no-remote", message=message, field="remotes", row=row)
    if len(rule.remotes) > quotas.remotes_per_rule:
        message = f"A rule has at most {quotas.remotes_per_rule} customer ranges; these are {len(rule.remotes)}."
        yield Finding(rule="spd-too-many-remotes", message=message, field="remotes", row=row)
    for remote in rule.remotes:
        if remote.version != rule.local.version:
            message = f"{rule.local} and {remote} mix IPv4 and IPv6; a pair needs one family."
            yield Finding(rule="spd-family", message=message, field="remotes", row=row)
        elif overlap(rule.local, remote) and is_default_route(rule.local) == is_default_route(
            remote
        ):
            message = (
                f"{remote} overlaps the local range {rule.local}; the two sides must be apart."
            )
            yield Finding(rule="spd-sides-overlap", message=message, field="remotes", row=row)


def _by_local(entry: tuple[Mapping, int, PlacedMapping | None]) -> tuple[int, int, int]:
    local = entry[0].local
    return local.version, int(local.network_address), local.prefixlen


def _blame(
    one: tuple[Mapping, int, PlacedMapping | None], other: tuple[Mapping, int, PlacedMapping | None]
) -> Iterator[tuple[int, int, Conflict]]:
    """The conflict, keyed by (index of the new mapping at fault, index of its counterpart)."""
    first, second = sorted((one, other), key=lambda entry: entry[1])
    if second[1] < 0:  # two existing mappings: not this request's fault
        return
    placed = first[2] or PlacedMapping(mapping=first[0])
    yield second[1], first[1], Conflict(new=second[0], existing=placed)
