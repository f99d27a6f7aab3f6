"""The golden files: where they are kept, what stands there for a case, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tests.devices.cases import CASES, render_case
from tunnels.devices.base import Platform
from tunnels.domain.findings import RuleError

FOLDER = Path(__file__).parent.parent / "golden"
REFUSED = "REFUSED.txt"


def files_of(platform: Platform, case: str) -> Mapping[str, str]:
    """File name → text of the case; or the refusal, one sentence a line."""
    try:
        rendering = render_case(platform, CASES[case])
    except RuleError as error:
        sentences = (f"{finding.field}: {finding.message}\n" for finding in error.findings)
        return {REFUSED: "".join(sentences)}
    return {file.filename: file.text for file in rendering.files}


def carried(platform: Platform) -> tuple[str, ...]:
    """The cases that the device does not refuse; at least one."""
    return tuple(case for case in CASES if REFUSED not in files_of(platform, case))


def digest(platform_id: str) -> str:
    """The SHA-256 of all golden files of the platform, names and contents."""
    total = hashlib.sha256()
    for path in sorted((FOLDER / platform_id).glob("*/*")):
        name = path.relative_to(FOLDER).as_posix().encode()
        content = path.read_bytes()
        total.update(b"%d %s %d " % (len(name), name, len(content)) + content)
    return total.hexdigest()
