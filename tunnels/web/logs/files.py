"""The log as a file, written while it is sent: as text, or as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from tunnels.models.logbook import Entry
from tunnels.web.logs.changes import changes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """One kind of file: what it is called, and how an entry becomes a line of it."""

    suffix: str
    media_type: str
    write: Callable[[Entry], str]


def text_line(entry: Entry) -> str:
    """`2026-03-01T12:30:00.000000Z WARNING console admin: message (field: before → after)`, on one line."""
    changed = "; ".join(
        f"{change.label}: {change.before or '-'} → {change.after or '-'}"
        for change in changes(entry.before, entry.after)
    )
    message = f"{entry.message} ({changed})" if changed else entry.message
    line = f"{_stamp(entry.at)} {entry.level.upper()} {entry.subsystem} {entry.actor or '-'}: {message}"
    return " ".join(line.splitlines()) + "\n"


def json_line(entry: Entry) -> str:
    """One JSON object, with the fields of the entry."""
    fields = {
        "time": _stamp(entry.at),
        "level": entry.level,
        "subsystem": entry.subsystem,
        "action": entry.action,
        "actor": entry.actor,
        "message": entry.message,
        "before": entry.before,
        "after": entry.after,
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


FORMATS: Final[Mapping[str, FileFormat]] = MappingProxyType(
    {
        "text": FileFormat(suffix="log", media_type="text/plain; charset=utf-8", write=text_line),
        "jsonl": FileFormat(suffix="jsonl", media_type="application/jsonl", write=json_line),
    }
)


def lines(entries: Iterator[Entry], kind: FileFormat) -> Iterator[bytes]:
    """The file, line by line, in UTF-8."""
    return (kind.write(entry).encode() for entry in entries)


def filename(tunnel_id: str, kind: FileFormat, *, now: datetime) -> str:
    """Such as `vpnx-1a2b3c4d-20260301T123000Z.log`."""
    return f"{tunnel_id}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.{kind.suffix}"


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
