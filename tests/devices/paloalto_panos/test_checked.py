"""The goldens that Palo Alto Networks' specifications have judged (tests/vendors/panos_specs.py) are these goldens."""

from __future__ import annotations

import pytest

from tests.devices.cases import CASES
from tests.proofs import Proves
from tests.vendors.checked import digests, kept, texts_of
from tests.vendors.panos_specs import PLATFORM, RECORD, commands
from tunnels.devices.proofs import Kind

AGAIN = (
    "checked against the specifications before: check again and record, python -m tests.vendors.panos_specs "
    "FOLDER COMMIT"
)


@pytest.mark.parametrize("name", texts_of(PLATFORM))
def test_this_file_was_judged(name: str, proves: Proves) -> None:
    record = kept(RECORD)
    proves(PLATFORM, Kind.CHECKED, by=record.by)
    assert record.files.get(name) == digests(texts_of(PLATFORM))[name], AGAIN


def test_no_other_file_was_judged() -> None:
    record = kept(RECORD)
    texts = texts_of(PLATFORM)
    assert set(record.files) == set(texts), AGAIN
    assert len(record.files) >= len(CASES) // 2
    assert record.lines == sum(len(commands(text)) for text in texts.values())
    assert record.planted > record.lines
