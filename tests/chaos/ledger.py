"""Counting log lines: what charon wrote into its files against what the console keeps.

The rules of what is kept are written down here once more, from docs/agent.md, because the agent's own reading is
what is examined. Some lines may be kept or not: whose an IKE_SA without a name is, an agent that was killed forgets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from tests.chaos.rig import Rig

OWN_GROUP = "agt"

_LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}) \d+\[(?P<group>[A-Z]{3})(?P<level>\d)\] "
    r"(?:<(?:(?P<name>[^|>]+)\|)?(?P<number>\d+)> )?(?P<text>.*)"
)
_TUNNEL = re.compile(r"vpnx-[a-z0-9]{8}")

Key: TypeAlias = tuple[float, str, int, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of charon's that is kept, as (time, group, level, text); `must` is false when it need not be."""

    key: Key
    must: bool


class Ledger:
    """`settle` reads on; `kept`, `lost` and `doubled` count over the whole run."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._written: list[Line] = []
        self._parsed = rig.log_start
        self._at = 0
        self._cursor = 0
        self.kept = 0
        self.lost = 0
        self.doubled = 0

    def settle(self) -> list[str]:
        """Compare what came since the last time; what is wrong. Asks for a rig that rests.

        Raises Away.
        """
        match, rows = self._compare()
        if match.missing and not match.lost:
            return [f"{match.missing} log lines have not arrived"]
        self._at += match.reached
        self._cursor = rows[-1][1] if rows else self._cursor
        self.kept += len(rows)
        self.lost += match.lost
        self.doubled += match.strange
        return match.problems

    def give_up(self) -> None:
        """Lines that have not arrived in all this time are lost."""
        self.lost += self._compare()[0].missing

    def _compare(self) -> tuple[Match, list[list[Any]]]:
        """What was written before the rows are read must be among them; what is written meanwhile may be."""
        self._read()
        due = len(self._written) - self._at
        rows = self._rows()
        self._read()
        return compare(self._written[self._at :], rows, due=due, after=self._cursor), rows

    def _rows(self) -> list[list[Any]]:
        """All that the console has behind the cursor."""
        rows: list[list[Any]] = []
        after = self._cursor
        while fresh := self._rig.console.desk("log", after=after)["lines"]:
            rows += fresh
            after = fresh[-1][1]
        return rows

    def _read(self) -> None:
        """Parse what charon has added. Rotation renames, so all files together only ever grow."""
        content = b"".join(path.read_bytes() for path in self._rig.log_files())
        end = content.rfind(b"\n") + 1
        self._written += lines_of(content[self._parsed : end])
        self._parsed = end


@dataclass(frozen=True, slots=True)
class Match:
    """How the console's rows fit charon's lines; `reached` is the place after the last one that is kept."""

    reached: int
    missing: int
    lost: int
    strange: int
    problems: list[str]


def compare(
    written: Sequence[Line], rows: Iterable[Sequence[Any]], *, due: int, after: int = 0
) -> Match:
    """Walk through both. `rows` are [epoch, cursor, time, group, level, text], the first behind cursor `after`.

    The first `due` lines must be there by now.
    """
    at = lost = strange = 0
    problems = []
    for epoch, cursor, time, group, level, text in rows:
        if (epoch, cursor) != (1, after + 1):
            problems.append(f"cursor {cursor} of epoch {epoch} does not follow {after}")
            strange += 1
        after = cursor
        if group == OWN_GROUP:
            continue
        key = (round(time, 3), group, level, text)
        found = next((at + n for n, line in enumerate(written[at:]) if line.key == key), None)
        if found is None:
            problems.append(f"cursor {cursor} is doubled or made up: {text}")
            strange += 1
            continue
        passed = [line for line in written[at:found] if line.must]
        problems += [f"lost: {line.key[3]}" for line in passed]
        lost += len(passed)
        at = found + 1
    missing = sum(line.must for line in written[at:due])
    return Match(at, missing, lost, strange, problems)


def lines_of(content: bytes) -> list[Line]:
    """All whole lines that charon wrote in its format."""
    found = []
    for raw in content.decode(errors="replace").split("\n")[:-1]:
        match = _LINE.fullmatch(raw)
        if match is None:
            continue
        name, level = match["name"] or "", int(match["level"])
        at = datetime.fromisoformat(match["at"]).replace(tzinfo=UTC).timestamp()
        named = bool(_TUNNEL.fullmatch(name))
        if not match["number"]:
            named = len(set(_TUNNEL.findall(match["text"]))) == 1
        may = level <= 2 and (named or not name)
        if may:
            key = (round(at, 3), match["group"].lower(), level, match["text"])
            found.append(Line(key, must=named or level <= 1))
    return found
