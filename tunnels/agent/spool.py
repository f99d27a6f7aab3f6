"""Log lines on their way to the console: kept on disk until it says that it has them.

Lines and the place in charon's log up to which they reach are written together, and only what a place follows
counts. So a kill at any moment leaves lines and place in step: nothing is read twice, nothing skipped. The console
takes each cursor once, so what is sent again after a restart is not doubled.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from tunnels.agent.files import PRIVATE_FILE, replace_file, set_aside
from tunnels.agent.logline import LogLine
from tunnels.agent.logtail import Position
from tunnels.contract import Document, LogDocument

LIMIT_BYTES = 16_000_000
# When it is full, so much of it goes at once: dropping a line at a time would rewrite it at a time.
KEPT_SHARE = 0.9
COMPACT_BYTES = 1_000_000


class _Mark(Document):
    """What follows the lines that count: the place, and the cursor of the last line ever in this stream."""

    position: Position | None = None
    cursor: int = 0
    stream: str


class Spool:
    """The file. `problem` is a sentence when an old one could not be used."""

    def __init__(self, folder: Path, *, limit: int = LIMIT_BYTES) -> None:
        """Open the file, or begin one. Raises OSError."""
        self._path = folder / "log.jsonl"
        self._limit = limit
        self._file: BinaryIO | None = None
        self._start = 0
        self._waiting = 0
        self.dropped = 0
        self.problem = ""
        self._mark = _Mark(stream=_new_stream())
        self._open()
        self._waiting = sum(1 for _ in self._documents())

    @property
    def stream(self) -> str:
        """The id under which the cursors count from 1; another one when this file was lost."""
        return self._mark.stream

    @property
    def position(self) -> Position | None:
        """Up to where charon's log was read; None before the first time."""
        return self._mark.position

    @property
    def waiting(self) -> int:
        """How many lines the console has not confirmed."""
        return self._waiting

    def add(self, lines: Iterable[LogLine], position: Position | None) -> None:
        """Keep lines, and the place they reach up to, on the disk before this returns. Raises OSError."""
        cursor = self._mark.cursor
        records = []
        for line in lines:
            cursor += 1
            document = LogDocument(
                cursor=cursor,
                at=line.at,
                tunnel=line.tunnel,
                group=line.group,
                level=line.level,
                text=line.text,
            )
            records.append(document.model_dump_json())
        if not records and position == self._mark.position:
            return
        self._waiting += len(records)
        self._mark = self._mark.model_copy(update={"position": position, "cursor": cursor})
        records.append(self._mark.model_dump_json())
        file = self._opened()
        file.write("".join(f"{record}\n" for record in records).encode())
        file.flush()
        os.fdatasync(file.fileno())
        if self._size() - self._start > self._limit:
            self._drop_oldest()
        self._tidy()

    def first(self, count: int) -> tuple[LogDocument, ...]:
        """The oldest lines that are not confirmed."""
        return tuple(document for document, _ in islice(self._documents(), count))

    def acknowledge(self, cursor: int) -> None:
        """The console has every line up to this cursor.

        A cursor beyond all that we ever gave means that this file is older than what the console knows, as after
        restoring it from a copy. Then another stream begins, or the console would take the lines for old ones.
        """
        if cursor > self._mark.cursor:
            self._begin_stream()
            return
        for document, end in self._documents():
            if document.cursor > cursor:
                break
            self._start = end
            self._waiting -= 1
        self._tidy()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _documents(self) -> Iterator[tuple[LogDocument, int]]:
        """Each line that waits, with the offset of what follows it."""
        self._opened().flush()
        with self._path.open("rb") as file:
            file.seek(self._start)
            for record in file:
                if record.startswith(b'{"cursor"'):
                    yield LogDocument.model_validate_json(record), file.tell()

    def _drop_oldest(self) -> None:
        target = self._size() - int(self._limit * KEPT_SHARE)
        for _, end in self._documents():
            self._start = end
            self._waiting -= 1
            self.dropped += 1
            if end >= target:
                break

    def _begin_stream(self) -> None:
        records = [
            document.model_copy(update={"cursor": number}).model_dump_json()
            for number, (document, _) in enumerate(self._documents(), start=1)
        ]
        self._mark = _Mark(position=self._mark.position, cursor=len(records), stream=_new_stream())
        records.append(self._mark.model_dump_json())
        self._replace("".join(f"{record}\n" for record in records).encode())

    def _tidy(self) -> None:
        """Drop what is confirmed from the file when that is much. The newest mark is always its last line."""
        if not self._waiting:
            self._start = self._size() - self._mark_size()
        if self._start > COMPACT_BYTES:
            with self._path.open("rb") as file:
                file.seek(self._start)
                rest = file.read()
            self._replace(rest)

    def _mark_size(self) -> int:
        return len(self._mark.model_dump_json()) + 1 if self._size() else 0

    def _replace(self, content: bytes) -> None:
        self.close()
        replace_file(self._path, content)
        self._start = 0
        self._file = open(self._path, "ab", opener=_private)  # noqa: SIM115 - it stays open

    def _open(self) -> None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            content = b""
        if content:
            try:
                kept = self._recover(content)
            except (ValueError, ValidationError):
                aside = set_aside(self._path)
                self.problem = (
                    f"The log spool could not be understood and was set aside as {aside.name}."
                )
                kept = 0
            else:
                os.truncate(self._path, kept)
        self._file = open(self._path, "ab", opener=_private)  # noqa: SIM115 - it stays open

    def _recover(self, content: bytes) -> int:
        """Read the last mark; returns how many bytes count. What follows the mark was cut short by a kill."""
        end = content.rfind(b"\n") + 1
        while end:
            begin = content.rfind(b"\n", 0, end - 1) + 1
            record = content[begin:end]
            if "position" in json.loads(record):
                self._mark = _Mark.model_validate_json(record)
                return end
            end = begin
        return 0

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("the spool is closed")
        return self._file

    def _size(self) -> int:
        return self._opened().tell()


def _new_stream() -> str:
    return secrets.token_hex(8)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)
