"""What charon has, as one frozen value; and the traffic of CHILD_SAs added up over their generations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from tunnels.agent.charon import OWN_CONNECTION, OWN_SECRET, Charon, ChildSa, IkeSa
from tunnels.agent.journal import Counter

Sums: TypeAlias = tuple[int, int, int, int]
NOTHING: Sums = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything of ours that charon holds; `foreign` are the names that are not ours, only ever listed."""

    connections: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    sas: Mapping[str, tuple[IkeSa, ...]] = field(default_factory=lambda: MappingProxyType({}))
    foreign: tuple[str, ...] = ()

    @property
    def present(self) -> frozenset[str]:
        """Tunnels of which charon holds anything at all."""
        holders = {match[1] for name in self.secrets if (match := OWN_SECRET.fullmatch(name))}
        return self.connections | self.sas.keys() | holders

    def children(self, tunnel: str) -> tuple[ChildSa, ...]:
        """All its CHILD_SAs, in all its IKE_SAs."""
        return tuple(child for sa in self.sas.get(tunnel, ()) for child in sa.children)

    def carrying(self, tunnel: str) -> frozenset[str]:
        """Names of its CHILD_SAs through which traffic can flow."""
        return frozenset(child.name for child in self.children(tunnel) if child.carries)

    def negotiates(self, tunnel: str) -> bool:
        """Whether an IKE_SA of it is at work on phase 1 or on a CHILD_SA."""
        return any(sa.negotiates for sa in self.sas.get(tunnel, ()))


def observe(charon: Charon) -> Observation:
    """Ask charon. Raises CharonUnreachable."""
    connections = charon.connections()
    shared = charon.shared()
    sas = charon.sas()
    own: dict[str, list[IkeSa]] = defaultdict(list)
    foreign = {name for name in connections if not OWN_CONNECTION.fullmatch(name)}
    for sa in sas:
        if OWN_CONNECTION.fullmatch(sa.name):
            own[sa.name].append(sa)
        elif not sa.name.startswith("("):  # half-open ones have no name yet
            foreign.add(sa.name)
    return Observation(
        connections=frozenset(name for name in connections if OWN_CONNECTION.fullmatch(name)),
        secrets=frozenset(name for name in shared if OWN_SECRET.fullmatch(name)),
        sas=MappingProxyType({name: tuple(group) for name, group in own.items()}),
        foreign=tuple(sorted(foreign)),
    )


def accumulate(counters: Mapping[str, Counter], children: Iterable[ChildSa]) -> dict[str, Counter]:
    """The counters that change by what the living CHILD_SAs show now.

    Every CHILD_SA counts from nought, and a rekeying makes a new one. What one carried between the last look and
    its end is not known.
    """
    living: dict[str, dict[str, Sums]] = defaultdict(dict)
    for child in children:
        living[child.name][child.key] = (
            child.bytes_in, child.bytes_out, child.packets_in, child.packets_out,
        )  # fmt: skip
    changed = {}
    for name, shown in living.items():
        counter = counters.get(name, Counter())
        if counter.seen == shown:
            continue
        total = counter.total
        for key, sums in shown.items():
            total = _add(total, _rise(counter.seen.get(key, NOTHING), sums))
        changed[name] = Counter(total=total, seen=shown)
    return changed


def _rise(before: Sums, now: Sums) -> Sums:
    # Less than before is another CHILD_SA that happens to have the same key: all of it is new.
    if any(new < old for old, new in zip(before, now, strict=True)):
        return now
    return now[0] - before[0], now[1] - before[1], now[2] - before[2], now[3] - before[3]


def _add(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]
