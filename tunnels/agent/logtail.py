"""Reading charon's log file on and on: across renaming, copying and truncating, and restarts of either process.

A place in the log is (inode, offset, digest of the file's beginning). The digest finds the content again when
logrotate copied it away, and shows that a file of the same inode is another one now.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tunnels.contract import Document

HEAD_BYTES = 256
CHUNK_BYTES = 1_000_000
COMPRESSED = (".gz", ".xz", ".bz2", ".zst")


class Position(Document):
    """Up to where the log was read; inode 0 is the place before a file that did not exist yet."""

    inode: int = 0
    offset: int = 0
    head: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines without their ends, and the place after them; `gap` when something before them is lost."""

    lines: tuple[bytes, ...]
    position: Position
    gap: bool = False


class LogTail:
    """The file at `path`; reading begins at `position`, or at the file's end when that is None."""

    def __init__(self, path: Path, position: Position | None) -> None:
        self._path = path
        self._position = self._end() if position is None else position

    @property
    def position(self) -> Position:
        """Up to where it was read."""
        return self._position

    def read(self) -> Iterator[Chunk]:
        """What was written since. Each chunk may be stored before the next is asked for. Raises OSError."""
        for path, position, gap in self._segments():
            self._position = position
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                yield from self._chunks(file, gap=gap)

    def _chunks(self, file: BinaryIO, *, gap: bool) -> Iterator[Chunk]:
        inode = os.fstat(file.fileno()).st_ino
        while True:
            file.seek(self._position.offset)
            content = file.read(CHUNK_BYTES)
            end = content.rfind(b"\n") + 1
            if not end and len(content) == CHUNK_BYTES:
                end = len(content)  # no line is that long: take it as one rather than wait for ever
            if not end:
                if gap:
                    yield Chunk((), self._position, gap=True)
                return
            offset = self._position.offset + end
            self._position = Position(inode=inode, offset=offset, head=_head(file, offset))
            lines = tuple(content[:end].removesuffix(b"\n").split(b"\n"))
            yield Chunk(lines, self._position, gap=gap)
            gap = False

    def _segments(self) -> Iterator[tuple[Path, Position, bool]]:
        """The files to read, oldest first, each with the place to begin at, and whether something is missing."""
        place = self._position
        current = _stat(self._path)
        if place.inode == 0:
            if current:
                yield self._path, Position(inode=current.st_ino), False
            return
        if current and current.st_ino == place.inode and _continues(self._path, place):
            yield self._path, place, False
            return
        # charon may still write to the renamed file until it opens the new one and writes there.
        rotated = self._rotated()
        index = self._find(rotated, place)
        if index is None:
            if current and current.st_size:
                yield self._path, Position(inode=current.st_ino), True
            return
        yield rotated[index], place.model_copy(update={"inode": _inode(rotated[index])}), False
        if current and current.st_size:
            for path in rotated[index + 1 :]:
                yield path, Position(inode=_inode(path)), False
            yield self._path, Position(inode=current.st_ino), False

    def _find(self, rotated: list[Path], place: Position) -> int | None:
        matching = [number for number, path in enumerate(rotated) if _continues(path, place)]
        same = [number for number in matching if _inode(rotated[number]) == place.inode]
        return next(iter(same or matching), None)

    def _rotated(self) -> list[Path]:
        """Older files of this log, oldest first."""
        found = []
        for path in self._path.parent.glob(f"{self._path.name}[.-]*"):
            stat = _stat(path)
            if stat and path.suffix not in COMPRESSED:
                found.append((stat.st_mtime_ns, path))
        return [path for _, path in sorted(found)]

    def _end(self) -> Position:
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            return Position(
                inode=os.fstat(file.fileno()).st_ino, offset=size, head=_head(file, size)
            )
        return Position()


def _continues(path: Path, place: Position) -> bool:
    """Whether the file begins as the one that was read, and reaches at least as far."""
    if not place.offset:  # any file begins with nothing
        return _inode(path) == place.inode
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        return file.seek(0, os.SEEK_END) >= place.offset and _head(file, place.offset) == place.head
    return False


def _head(file: BinaryIO, offset: int) -> str:
    file.seek(0)
    return hashlib.sha256(file.read(min(offset, HEAD_BYTES))).hexdigest()[:16]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _inode(path: Path) -> int:
    stat = _stat(path)
    return stat.st_ino if stat else 0
