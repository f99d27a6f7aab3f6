"""What was done: per tunnel the content applied and the resets, per CHILD_SA name the traffic counted.

A file to which lines are only added, one a change, so that a thousand tunnels are journalled in a moment and a
process killed between two lines loses neither. The newest line of a tunnel counts. It is rewritten when most of
it is history. It need not outlive the machine's power: charon does not either.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from pydantic import Field, ValidationError

from tunnels.agent.files import PRIVATE_FILE, replace_file, set_aside
from tunnels.agent.fingerprint import Fingerprint
from tunnels.contract import Document, ResetReport

SCHEMA = 1
SALT_BYTES = 32
# The file is rewritten when it is larger than this and than this many times what it was when new.
COMPACT_BYTES = 1_000_000
COMPACT_FACTOR = 4


class OpenReset(Document):
    """A reset whose end is awaited; `started` is wall-clock time, because the agent may be restarted meanwhile."""

    number: int
    before: int
    between: int
    started: float


class Entry(Document):
    """One tunnel. `applied` is None while charon shall hold nothing of it.

    `pending` is what a step that has begun is making of it: while it is set, charon may hold either. `signing` is
    whether the previous key was loaded last, which makes charon sign with it. `resets_done` is the number of the
    last reset that ended, `reset` its outcome, `open_reset` one that has begun.
    """

    revision: int = 0
    applied: Fingerprint | None = None
    pending: Fingerprint | None = None
    signing_previous: bool = False
    resets_done: int = 0
    open_reset: OpenReset | None = None
    reset: ResetReport | None = None

    @property
    def resets_begun(self) -> int:
        """The number of the last reset that was begun."""
        return self.open_reset.number if self.open_reset else self.resets_done


class Counter(Document):
    """Traffic of all CHILD_SAs that ever had one name: (bytes in, bytes out, packets in, packets out).

    `seen` is what each living one (by its key) showed last.
    """

    total: tuple[int, int, int, int] = (0, 0, 0, 0)
    seen: dict[str, tuple[int, int, int, int]] = Field(default_factory=dict)


class Journal:
    """The file and its content. `problem` is a sentence when an old file could not be used."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        """Read the file, or begin one; `read_only` leaves everything as it is. Raises OSError."""
        self._read_only = read_only
        self._path = folder / "journal.jsonl"
        self._entries: dict[str, Entry] = {}
        self._counters: dict[str, Counter] = {}
        self._file: TextIO | None = None
        self.salt = b""
        self.problem = ""
        self._read()
        if not read_only:
            self._rewrite()

    @property
    def entries(self) -> Mapping[str, Entry]:
        """By tunnel id."""
        return self._entries

    @property
    def counters(self) -> Mapping[str, Counter]:
        """By CHILD_SA name."""
        return self._counters

    def record(self, tunnel: str, entry: Entry) -> None:
        """Set a tunnel's entry. Raises OSError."""
        self.record_all({tunnel: entry})

    def record_all(self, entries: Mapping[str, Entry]) -> None:
        """Set the entries of several tunnels by one write. Raises OSError."""
        self._entries.update(entries)
        self._add(*(_entry_line(tunnel, entry) for tunnel, entry in entries.items()))

    def forget(self, tunnel: str) -> None:
        """Drop a tunnel and its counters. Raises OSError."""
        self._drop(tunnel)
        self._add(_line({"tunnel": tunnel}))

    def count(self, changed: Mapping[str, Counter]) -> None:
        """Set counters. Raises OSError."""
        if changed:
            self._counters.update(changed)
            self._add(_counters_line(changed))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> None:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self.salt = secrets.token_bytes(SALT_BYTES)
            return
        except UnicodeDecodeError:
            self._begin_anew()
            return
        # What follows the last line end is a line that a kill cut short: it never counted.
        lines = text.split("\n")[:-1]
        try:
            header = json.loads(lines[0]) if lines else {}
            if header.get("schema") != SCHEMA:
                raise ValueError("another schema")
            self.salt = bytes.fromhex(header["salt"])
            for line in lines[1:]:
                self._take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
            self._begin_anew()

    def _begin_anew(self) -> None:
        kept = self._path if self._read_only else set_aside(self._path)
        self._entries, self._counters = {}, {}
        self.salt = secrets.token_bytes(SALT_BYTES)
        self.problem = (
            f"The journal could not be understood and was set aside as {kept.name}; "
            "tunnels that run are negotiated once more."
        )

    def _take(self, record: dict[str, Any]) -> None:
        if "entry" in record:
            self._entries[record["tunnel"]] = Entry.model_validate(record["entry"])
        elif "counters" in record:
            for name, body in record["counters"].items():
                self._counters[name] = Counter.model_validate(body)
        else:
            self._drop(record["tunnel"])

    def _drop(self, tunnel: str) -> None:
        self._entries.pop(tunnel, None)
        for name in [name for name in self._counters if name.startswith(f"{tunnel}-")]:
            del self._counters[name]

    def _add(self, *lines: str) -> None:
        if self._file is None:
            raise ValueError("the journal is closed, or only read")
        self._file.writelines(lines)
        self._file.flush()
        if self._file.tell() > max(COMPACT_BYTES, COMPACT_FACTOR * self._size_when_new):
            self._rewrite()

    def _rewrite(self) -> None:
        lines = [_line({"schema": SCHEMA, "salt": self.salt.hex()})]
        lines += [_entry_line(tunnel, entry) for tunnel, entry in self._entries.items()]
        lines.append(_counters_line(self._counters))
        content = "".join(lines)
        self.close()
        replace_file(self._path, content.encode())
        self._size_when_new = len(content)
        self._file = open(self._path, "a", encoding="utf-8", opener=_private)  # noqa: SIM115 - it stays open


def _line(record: dict[str, Any]) -> str:
    return f"{json.dumps(record, separators=(',', ':'))}\n"


def _entry_line(tunnel: str, entry: Entry) -> str:
    # Straight from pydantic: by way of dictionaries it takes three times as long.
    body = entry.model_dump_json(exclude_defaults=True)
    return f'{{"tunnel":{json.dumps(tunnel)},"entry":{body}}}\n'


def _counters_line(counters: Mapping[str, Counter]) -> str:
    return _line(
        {"counters": {name: counter.model_dump(mode="json") for name, counter in counters.items()}}
    )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)
