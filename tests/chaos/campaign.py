"""Kill, wait, look: cycle after cycle, every choice from one seed."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.chaos import looks
from tests.chaos.console import Away
from tests.chaos.ledger import Ledger
from tests.chaos.rig import PATIENCE_SECONDS, POLL_SECONDS, Rig, until
from tunnels.lab import LabError

# Having come to rest means being so at two looks, this far apart.
REST_SECONDS = 1.5
# A poll of the agent's, and a bit: somewhere in it the agent learns what was done at the console.
EARLY_SECONDS = 6.0
AMID_SECONDS = 0.6
DOUBLE_SECONDS = 3.0
# A fresh route may swallow a packet.
PING_SECONDS = 30.0
# How often a cycle does these.
DOUBLES, DEEDS, ROTATIONS = 0.3, 0.6, 0.3
# What the agent never prints, whatever is killed.
NEVER = ("Traceback", "A round failed")


class Victim(StrEnum):
    """Who is killed. The customer is either one of the two."""

    AGENT = "agent"
    GATEWAY = "gateway charon"
    CUSTOMER = "customer charon"
    WORKER = "gunicorn worker"
    MASTER = "gunicorn"
    POSTGRES = "PostgreSQL"


@dataclass
class Cycle:
    """What happened in one cycle: what to say of it, whom it may have disturbed, and what is wrong."""

    words: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Campaign:
    """`run` does cycles on a rig that rests; `summary` is the last line of it."""

    def __init__(self, rig: Rig, *, seed: int, evidence: Path | None = None) -> None:
        """`evidence` is a folder for the logs of cycles that fail."""
        self._rig = rig
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - not for secrets
        self._evidence = evidence
        self._ledger = Ledger(rig)
        self._kills: Counter[Victim] = Counter()
        self._orphans = 0
        self._printed = 0
        self._cycles = self._well = 0

    def run(self, cycles: int, *, say: Callable[[str], None]) -> bool:
        """So many cycles; whether all were well. Each victim has its turn before any has its next."""
        turns = _turns(self._random)
        self._cycles = cycles
        for number in range(1, cycles + 1):
            cycle = self._cycle(next(turns))
            self._well += not cycle.problems
            say(f"{number:3}/{cycles} {', '.join(cycle.words)}: {cycle.seconds:.1f} s")
            for problem in cycle.problems:
                say(f"        {problem}")
            if cycle.problems and self._evidence:
                self._keep(self._evidence / f"{self._seed}-{number}")
        return self._well == cycles

    @property
    def summary(self) -> str:
        """One line."""
        kills = ", ".join(f"{victim} {self._kills[victim]}" for victim in Victim)
        return (
            f"chaos: {self._well}/{self._cycles} cycles, seed {self._seed}, kills: {kills}; "
            f"{self._ledger.kept} log lines, {self._ledger.lost} lost, {self._ledger.doubled} doubled, "
            f"{self._orphans} orphans"
        )

    def rest(self) -> list[str]:
        """Start again what has ended, and wait until all is as wanted; what is not in the end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        clean_since = None
        started = time.time()
        while True:
            problems = self._look(started)
            now = time.monotonic()
            if not problems:
                clean_since = clean_since or now
                if now - clean_since >= REST_SECONDS:
                    return []
            else:
                clean_since = None
                if now > deadline:
                    self._orphans += sum("orphan" in problem for problem in problems)
                    return problems
            time.sleep(POLL_SECONDS)

    def _look(self, since: float) -> list[str]:
        try:
            self._rig.supervise()
        except LabError as error:
            return [str(error)]
        return looks.problems(self._rig, since=since)

    def _cycle(self, victim: Victim) -> Cycle:
        cycle = Cycle()
        before = looks.generations(self._rig)
        desired = self._act(cycle)
        self._maybe_rotate(cycle)
        self._kill(victim, cycle)
        if self._random.random() < DOUBLES:
            time.sleep(self._random.uniform(0, DOUBLE_SECONDS))
            # What was killed may be back by now, or not.
            if self._random.random() < 0.5:
                self._rig.supervise()
            second = self._random.choice([other for other in Victim if other is not victim])
            self._kill(second, cycle)
        self._maybe_rotate(cycle)
        started = time.monotonic()
        cycle.problems += self.rest()
        cycle.seconds = time.monotonic() - started
        spared = frozenset(self._rig.tunnels.keys() - cycle.touched)
        if not cycle.problems:
            after = looks.generations(self._rig)
            cycle.problems += looks.disturbed(before, after, spared=spared)
        cycle.problems += self._after(desired)
        return cycle

    def _after(self, desired: str) -> Iterator[str]:
        state = self._rig.state()
        if state is None or state["desired"] != desired:
            yield "the desired state is not what it was"
        unreached: list[str] = []

        def reached() -> bool:
            unreached[:] = looks.pings(self._rig)
            return not unreached

        until(reached, seconds=PING_SECONDS)
        yield from unreached
        printed = self._rig.agent_output.read_text(errors="replace")
        news, self._printed = printed[self._printed :], len(printed)
        yield from (f"the agent printed: {word}" for word in NEVER if word in news)
        found: list[str] = []

        def settled() -> bool:
            try:
                found[:] = self._ledger.settle()
            except Away as away:
                found[:] = [str(away)]
            return not any("not arrived" in problem for problem in found)

        if not until(settled):
            self._ledger.give_up()
        yield from found

    def _act(self, cycle: Cycle) -> str:
        """Perhaps do something at the console, and wait for a moment; the digest of what is wanted now."""
        rig, choose = self._rig, self._random
        if choose.random() < DEEDS:
            tunnel = choose.choice(list(rig.tunnels.values()))
            if tunnel.extra and choose.random() < 0.5:
                rig.console.desk("toggle", tunnel=tunnel.id)
                cycle.words.append(f"edit of {tunnel.name}")
            else:
                rig.console.desk("reset", tunnel=tunnel.id)
                cycle.touched.add(tunnel.id)
                cycle.words.append(f"reset of {tunnel.name}")
            desired = str(rig.console.desk("state")["desired"])
            if choose.random() < 0.5:
                size = rig.agent_output.stat().st_size
                until(lambda: rig.agent_output.stat().st_size > size, seconds=EARLY_SECONDS)
                time.sleep(choose.uniform(0, AMID_SECONDS))
            else:
                time.sleep(choose.uniform(0, EARLY_SECONDS))
            return desired
        time.sleep(choose.uniform(0, 1))
        return str(rig.console.desk("state")["desired"])

    def _kill(self, victim: Victim, cycle: Cycle) -> None:
        rig = self._rig
        self._kills[victim] += 1
        said: str = victim
        match victim:
            case Victim.AGENT:
                rig.kill_agent()
            case Victim.GATEWAY:
                rig.lab.gateway.kill_charon()
                cycle.touched.update(rig.tunnels)
            case Victim.CUSTOMER:
                side = self._random.choice([*rig.lab.sides.values()][1:])
                side.kill_charon()
                cycle.touched.update(t.id for t in rig.tunnels.values() if t.side == side.name)
                said = f"{victim} {side.name}"
            case Victim.WORKER:
                rig.console.kill_worker(self._random.randrange(100))
            case Victim.MASTER:
                rig.console.kill_master()
            case Victim.POSTGRES:
                rig.console.kill_postgres()
        cycle.words.append(f"kill {said}")

    def _maybe_rotate(self, cycle: Cycle) -> None:
        if self._random.random() < ROTATIONS:
            self._rig.rotate_log()
            cycle.words.append("log rotated")

    def _keep(self, folder: Path) -> None:
        """Copy what could explain a failure."""
        rig = self._rig
        folder.mkdir(parents=True, exist_ok=True)
        for path in (rig.agent_output, rig.folder / "web.log", rig.folder / "desk.log"):
            shutil.copy(path, folder)
        for side in rig.lab.sides.values():
            for path in side.folder.glob("charon.log*"):
                shutil.copy(path, folder / f"{side.name}-{path.name}")


def _turns(choose: random.Random) -> Iterator[Victim]:
    while True:
        yield from choose.sample(list(Victim), len(Victim))
