"""The record of a check that the suite cannot repeat, because the schema that judged the files is not ours to ship.

It names the schema, the day, each golden file with its digest, and what the schema has nothing to say about. A test
beside it fails as soon as a file is another than the one that was checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.devices.goldens import FOLDER, REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`by` is the schema and its release, `date` the day in ISO format, `files` `case/file` → SHA-256.

    `lines` is how many lines were judged, `planted` how many mistakes were made on purpose; all were noticed. None are
    planted where the judge's own tests do that.
    """

    by: str
    date: str
    files: Mapping[str, str]
    lines: int
    planted: int = 0
    not_covered: tuple[str, ...]


def texts_of(platform_id: str) -> Mapping[str, str]:
    """`case/file` → text of every golden file of the platform; refusals are left out."""
    folder = FOLDER / platform_id
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in sorted(folder.glob("*/*"))
        if path.name != REFUSED
    }


def digests(texts: Mapping[str, str]) -> Mapping[str, str]:
    """`case/file` → SHA-256 of its text."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def keep(
    path: Path,
    *,
    by: str,
    texts: Mapping[str, str],
    lines: int,
    not_covered: tuple[str, ...],
    planted: int = 0,
) -> None:
    """Write the record of what was checked today. Equal records give equal bytes."""
    record = Checked(
        by=by,
        date=datetime.now(UTC).date().isoformat(),
        files=digests(texts),
        lines=lines,
        planted=planted,
        not_covered=not_covered,
    )
    path.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")


def kept(path: Path) -> Checked:
    """The record as it was written. Raises OSError when there is none."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Checked(**{**stored, "not_covered": tuple(stored["not_covered"])})
