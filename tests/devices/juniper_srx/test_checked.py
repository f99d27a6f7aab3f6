"""The goldens that Juniper's models have judged (tests/vendors/junos_yang.py) are these goldens."""

from __future__ import annotations

import pytest

from tests.devices.cases import CASES
from tests.proofs import Proves
from tests.vendors.checked import digests, kept, texts_of
from tests.vendors.junos_yang import PLATFORM, RECORD
from tunnels.devices.proofs import Kind

AGAIN = (
    "checked against YANG before: check again and record, python -m tests.vendors.junos_yang FOLDER"
)


@pytest.mark.parametrize("name", texts_of(PLATFORM))
def test_this_file_was_judged(name: str, proves: Proves) -> None:
    record = kept(RECORD)
    proves(PLATFORM, Kind.CHECKED, by=record.by)
    assert record.files.get(name) == digests(texts_of(PLATFORM))[name], AGAIN


def test_no_other_file_was_judged() -> None:
    record = kept(RECORD)
    assert set(record.files) == set(texts_of(PLATFORM)), AGAIN
    assert len(record.files) >= len(CASES) // 2
    assert record.lines == sum(text.count("\nset ") for text in texts_of(PLATFORM).values())
    assert record.planted > record.lines
