"""VyOS's own definitions have judged these goldens, and no others: tests/vendors/vyos_xml.py keeps the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.devices.goldens import FOLDER, REFUSED
from tests.proofs import Proves
from tests.vendors.vyos_xml import digest
from tunnels.devices.proofs import Kind

RECORD: dict[str, Any] = json.loads(Path(__file__).with_name("checked.json").read_text("utf-8"))
GOLDENS = FOLDER / "vyos"
FILES = sorted(
    path.relative_to(GOLDENS).as_posix() for path in GOLDENS.glob("*/*") if path.name != REFUSED
)


@pytest.mark.parametrize("name", FILES)
def test_it_is_as_it_was_when_it_was_judged(name: str, proves: Proves) -> None:
    proves("vyos", Kind.CHECKED, by="VyOS's interface definitions")
    advice = "the file has changed: judge it again (python -m tests.vendors.vyos_xml PATH COMMIT)"
    assert RECORD["files"].get(name) == digest(GOLDENS / name), advice


def test_the_record_has_nothing_else() -> None:
    assert list(RECORD["files"]) == FILES
    lines = [line for name in FILES for line in (GOLDENS / name).read_text("utf-8").splitlines()]
    assert RECORD["lines"] == len([line for line in lines if line.startswith("set ")])
    # What nobody judged is named, and only that: comments and the shell's own commands.
    others = {line.split(" ")[0] for line in lines if line and not line.startswith("set ")}
    assert others == {"#", "commit", "save"}
    assert RECORD["by"].startswith("vyos-1x interface definitions ")
    assert RECORD["not_covered"]
