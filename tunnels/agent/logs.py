"""The way of a log line: from charon's file, or from the agent itself, into the spool, and to the console."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tunnels.agent.logline import LogLine, LogReader
from tunnels.agent.logtail import LogTail
from tunnels.agent.spool import Spool
from tunnels.contract import LogDocument, TunnelDocument

# The agent's own lines, beside charon's groups.
GROUP = "agt"
CHUNKS_A_ROUND = 8


class Logs:
    """`collect` reads on; `note` adds a line of the agent's own; `first` and `acknowledged` hand over."""

    def __init__(self, spool: Spool, path: Path | None) -> None:
        """`path` is charon's log, None when it is not to be sent."""
        self._spool = spool
        self._reader = LogReader()
        self._known: Sequence[TunnelDocument] | None = None
        self._path = path
        self._tail = LogTail(path, spool.position) if path else None
        self._notes: list[LogLine] = []
        self._read_problem = ""
        self._dropped = 0

    @property
    def problem(self) -> str:
        """What is wrong with the log, as a sentence."""
        return self._read_problem or self._spool.problem

    @property
    def stream(self) -> str:
        """The id under which the lines' cursors count."""
        return self._spool.stream

    @property
    def waiting(self) -> int:
        """How many lines the console has not confirmed."""
        return self._spool.waiting

    def note(self, tunnel: str, text: str) -> None:
        """A line of the agent's own; kept with the next `collect`."""
        line = LogLine(datetime.now(UTC), tunnel, GROUP, 1, self._reader.clean(text))
        self._notes.append(line)

    def collect(self, tunnels: Sequence[TunnelDocument]) -> None:
        """Keep what charon and the agent wrote since the last time. Raises OSError when the spool fails."""
        if tunnels is not self._known:
            self._reader.know(tunnels)
            self._known = tunnels
        position = self._spool.position
        if self._tail is not None:
            position = self._tail.position
            try:
                self._read()
                position = self._tail.position
                missing = f"charon writes no log to {self._path}: see the filelog in docs/agent.md."
                self._read_problem = "" if position.inode else missing
            except PermissionError as error:
                self._read_problem = (
                    f"charon's log {error.filename} cannot be read: {error.strerror}."
                )
        notes, self._notes = self._notes, []
        self._spool.add(notes, position)
        if self._spool.dropped != self._dropped:
            lost, self._dropped = self._spool.dropped - self._dropped, self._spool.dropped
            self.note("", f"{lost} log lines were dropped: the console was away for too long.")

    def first(self, count: int) -> tuple[LogDocument, ...]:
        """The oldest lines that are not confirmed."""
        return self._spool.first(count)

    def acknowledged(self, cursor: int) -> None:
        """The console has all up to this cursor."""
        self._spool.acknowledge(cursor)

    def close(self) -> None:
        """Close the spool."""
        self._spool.close()

    def _read(self) -> None:
        if self._tail is None:
            return
        for number, chunk in enumerate(self._tail.read(), start=1):
            if chunk.gap:
                self.note("", "A part of charon's log was rotated away before it was read.")
            parsed = (self._reader.read(line) for line in chunk.lines)
            self._spool.add([line for line in parsed if line], chunk.position)
            if number == CHUNKS_A_ROUND:
                return
