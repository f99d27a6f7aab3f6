"""VyOS's own definitions have judged these goldens, and no others: tests/vendors/vyos_xml.py keeps the record."""

from __future__ import annotations

import pytest

from tests.proofs import Proves
from tests.vendors.checked import digests, kept, texts_of
from tests.vendors.vyos_xml import PLATFORM, RECORD
from tunnels.devices.proofs import Kind

TEXTS = texts_of(PLATFORM)


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_as_it_was_when_it_was_judged(name: str, proves: Proves) -> None:
    proves(PLATFORM, Kind.CHECKED, by="VyOS's interface definitions")
    advice = "the file has changed: judge it again (python -m tests.vendors.vyos_xml PATH COMMIT)"
    assert kept(RECORD).files.get(name) == digests(TEXTS)[name], advice


def test_the_record_has_nothing_else() -> None:
    record = kept(RECORD)
    assert list(record.files) == list(TEXTS)
    lines = [line for text in TEXTS.values() for line in text.splitlines()]
    assert record.lines == len([line for line in lines if line.startswith("set ")])
    # What nobody judged is named, and only that: comments and the shell's own commands.
    others = {line.split(" ")[0] for line in lines if line and not line.startswith("set ")}
    assert others == {"#", "commit", "save"}
    assert record.by.startswith("vyos-1x interface definitions ")
    assert record.not_covered
