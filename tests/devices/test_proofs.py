"""The record of proofs is that of these files, and the table in the documentation is that of the record."""

from __future__ import annotations

import pytest

from tests.devices.__main__ import DOCUMENT, Counter, lines, with_table
from tests.devices.cases import CASES
from tests.devices.goldens import digest
from tests.proofs import PROPERTY
from tunnels.devices.base import Platform
from tunnels.devices.proofs import RECORD, Count, Kind, Proof, dump, proof_of, proofs
from tunnels.devices.registry import PLATFORMS

every_platform = pytest.mark.parametrize(
    "platform", PLATFORMS.values(), ids=lambda platform: platform.id
)


def report(*proven: list[object], passed: bool = True, when: str = "call") -> pytest.TestReport:
    return pytest.TestReport(
        nodeid="test",
        location=("test", 0, "test"),
        keywords={},
        outcome="passed" if passed else "failed",
        longrepr=None,
        when=when,  # type: ignore[arg-type]
        user_properties=[(PROPERTY, one) for one in proven],
    )


@every_platform
def test_its_record_is_of_the_files_as_they_are(platform: Platform) -> None:
    proof = proof_of(platform.id)
    assert proof.goldens == digest(platform.id), "the files have changed: run `make devices`"
    assert proof.count(Kind.GOLDEN) == Count(passed=len(CASES), tried=len(CASES))
    assert proof.count(Kind.READ).all
    assert proof.count(Kind.FUZZED).passed >= 2_000


def test_the_record_has_nothing_else() -> None:
    assert set(proofs()) == set(PLATFORMS)
    assert dump(proofs()) == RECORD.read_text(encoding="utf-8")


def test_the_documentation_shows_the_record() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert with_table(text, proofs()) == text, "the table is out of date: run `make devices`"


def test_it_counts_what_passed_of_what_was_tried() -> None:
    counter = Counter()
    counter.pytest_runtest_logreport(report(["openiked", "checked", "iked 7.2", 1]))
    counter.pytest_runtest_logreport(report(["openiked", "checked", "iked 7.2", 1], passed=False))
    counter.pytest_runtest_logreport(report(["openiked", "fuzzed", "", 2000], passed=False))
    counter.pytest_runtest_logreport(report(["openiked", "golden", "", 1], when="teardown"))
    proof = counter.proofs()["openiked"]
    assert proof.count(Kind.CHECKED) == Count(passed=1, tried=2)
    assert proof.count(Kind.FUZZED) == Count(passed=0, tried=2000)
    assert proof.count(Kind.GOLDEN) == Count()
    assert proof.by == {Kind.CHECKED: ("iked 7.2",)}
    # One failure is enough: nothing is claimed.
    assert proof.label == "not machine-verified"
    [line] = lines({"openiked": proof})
    assert "checked 1/2" in line
    assert "fuzz 0/2000" in line


def test_it_claims_the_strongest_proof_that_passed_whole() -> None:
    one = Count(passed=3, tried=3)
    by = {Kind.CHECKED: ("iked 7.2",), Kind.AGREED: ("pluto",), Kind.NEGOTIATED: ("strongSwan",)}
    labels = []
    for kinds in ({Kind.READ}, {Kind.CHECKED}, {Kind.CHECKED, Kind.AGREED}, set(by)):
        proof = Proof(goldens="", counts=dict.fromkeys(kinds, one), by=by)
        assert proof.verified == (kinds != {Kind.READ})
        assert "manual alone" in proof.sentence or by[proof.strongest or Kind.READ][0] in proof.sentence  # fmt: skip
        labels.append(proof.label)
    assert labels == [
        "not machine-verified",
        "parsed by iked 7.2",
        "agreed with pluto",
        "negotiated",
    ]


def test_one_failure_takes_the_claim_back() -> None:
    counts = {Kind.NEGOTIATED: Count(passed=2, tried=3), Kind.CHECKED: Count(passed=1, tried=1)}
    proof = Proof(goldens="", counts=counts, by={Kind.CHECKED: ("addconn",)})
    assert proof.label == "parsed by addconn"
