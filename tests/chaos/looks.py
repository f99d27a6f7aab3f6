"""What must be true of the rig when it has come to rest, and what must not have been touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.rig import Rig, child_of, host_of
from tunnels.agent.charon import CharonUnreachable, IkeSa
from tunnels.lab import Side
from tunnels.lab.requirements import LabError


@dataclass(frozen=True, slots=True)
class Generation:
    """What tells an SA from the one after it: unique id of the IKE_SA, and keys of the CHILD_SAs by name."""

    ike: int
    children: Mapping[str, str]


def problems(rig: Rig, *, since: float) -> list[str]:
    """What has not (yet) become as it is wanted; none when the rig rests.

    What the console shows counts only if the agent has spoken to it after `since` (seconds of the epoch).
    """
    found = rig.console.problems()
    if not rig.agent_runs():
        found.append("the agent does not run")
    state = rig.state()
    if state is None:
        return [*found, "the database does not answer"]
    if state["seen"] <= since:
        found.append("the agent has not spoken to the console")
    found += _console(state)
    for side in rig.lab.sides.values():
        try:
            found += _charon(rig, side, state)
        except CharonUnreachable:
            found.append(f"{side.name}: charon does not answer")
    return found


def pings(rig: Rig) -> list[str]:
    """The mappings through which no packet passes."""
    state = rig.state() or {"tunnels": {}}
    return [
        f"no ping from {local} to {remote}"
        for tunnel in state["tunnels"].values()
        for local, remote in tunnel["mappings"]
        if not _pings(rig, host_of(local), host_of(remote))
    ]


def generations(rig: Rig) -> dict[str, Generation]:
    """By tunnel, as the gateway's charon has it; only for a rig that rests."""
    found = {}
    for sa in rig.vici(rig.lab.gateway).sas():
        found[sa.name] = Generation(
            sa.unique_id, {child.name: child.key for child in sa.children}
        )  # fmt: skip
    return found


def disturbed(
    before: Mapping[str, Generation], after: Mapping[str, Generation], *, spared: frozenset[str]
) -> Iterator[str]:
    """What of the `spared` tunnels is not what it was; mappings that came or went are none of it."""
    for tunnel in sorted(spared & before.keys()):
        old, new = before[tunnel], after.get(tunnel)
        if new is None or new.ike != old.ike:
            yield f"{tunnel}: another IKE_SA"
            continue
        for name in sorted(old.children.keys() & new.children.keys()):
            if old.children[name] != new.children[name]:
                yield f"{tunnel}: another CHILD_SA {name}"


def _console(state: dict[str, Any]) -> Iterator[str]:
    if state["silent"]:
        yield "the gateway is silent"
    for problem in state["agent"]["problems"]:
        yield f"the agent tells: {problem}"
    if state["agent"]["revision"] != state["revision"]:
        yield f"the agent has revision {state['agent']['revision']} of {state['revision']}"
    for name, tunnel in state["tunnels"].items():
        if tunnel["word"] != "connected" or tunnel["up"] != tunnel["total"]:
            yield f"{name} is {tunnel['word']}, {tunnel['up']} of {tunnel['total']}"
        if (tunnel["applied"], tunnel["resets_done"]) != (tunnel["revision"], tunnel["resets"]):
            yield f"{name}: not all of it is applied"


def _charon(rig: Rig, side: Side, state: dict[str, Any]) -> Iterator[str]:
    """One IKE_SA a tunnel, one CHILD_SA a mapping, and at the gateway nothing else at all."""
    charon = rig.vici(side)
    ours = side is rig.lab.gateway
    wanted = {
        name: tunnel
        for name, tunnel in state["tunnels"].items()
        if ours or rig.tunnels[name].side == side.name
    }
    if ours:
        for what, has in (("connection", charon.connections()), ("secret", charon.shared())):
            for name in sorted(set(has) ^ wanted.keys()):
                yield f"{side.name}: {'orphan' if name in has else 'missing'} {what} {name}"
    sas = charon.sas()
    for sa in sas:
        if sa.name not in wanted:
            yield f"{side.name}: orphan IKE_SA {sa.name} {sa.state}"
    for name, tunnel in wanted.items():
        own = [sa for sa in sas if sa.name == name]
        yield from _tunnel(side, name, tunnel, own, named=ours)


def _tunnel(
    side: Side, name: str, tunnel: dict[str, Any], own: list[IkeSa], *, named: bool
) -> Iterator[str]:
    """A customer names its CHILD_SAs as it likes: there only their number can be told."""
    if [sa.established for sa in own] != [True]:
        states = ", ".join(sa.state for sa in own) or "none"
        yield f"{side.name}: {'orphan' if len(own) > 1 else 'missing'} IKE_SA of {name}: {states}"
    children = [child for sa in own for child in sa.children]
    wanted = Counter(child_of(name, local, remote) for local, remote in tunnel["mappings"])
    if not all(child.carries for child in children):
        yield f"{side.name}: a CHILD_SA of {name} is {', '.join(sa.state for sa in children)}"
    has = Counter(child.name for child in children)
    if (has != wanted) if named else (has.total() != wanted.total() or max(has.values()) > 1):
        more = has.total() > wanted.total()
        yield f"{side.name}: {'orphan' if more else 'missing'} CHILD_SA of {name}: {dict(has)}"


def _pings(rig: Rig, local: str, remote: str) -> bool:
    try:
        return rig.lab.gateway.ping(local, remote, 2).passes
    except LabError:
        return False
