"""`make devices`: prove the files of every platform, tell of each in one line, and keep the record of it.

The record (tunnels/devices/proofs.json, which the download dialog shows) and the table in docs/devices.md are written
only when everything passed.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.devices.goldens import digest
from tests.proofs import PROPERTY
from tunnels.devices.proofs import RECORD, Count, Kind, Proof, dump
from tunnels.devices.registry import LAST, PLATFORMS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "devices.md"
BEGIN, END = "<!-- proofs -->\n", "<!-- end of proofs -->\n"
WHOLE = {"DEVICE_FUZZ": "2000", "DEVICE_MATRIX": "all"}
TESTS = ("tests/devices", "tests/lab/test_matrix_on_charons.py")
# It asks whether the record is that of the files: here the record is made.
NOT_YET = "--ignore=tests/devices/test_proofs.py"


class Counter:
    """A pytest plugin that counts what passed of what the tests say they prove."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[Kind, Count]] = defaultdict(dict)
        self.by: dict[str, dict[Kind, set[str]]] = defaultdict(lambda: defaultdict(set))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the proofs of one test, once it has run."""
        if report.when != "call":
            return
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, list):
                platform, kind, by, count = value
                self._add(str(platform), Kind(str(kind)), str(by), int(count), report.passed)

    def _add(self, platform: str, kind: Kind, by: str, count: int, passed: bool) -> None:
        old = self.counts[platform].get(kind, Count())
        self.counts[platform][kind] = Count(
            passed=old.passed + count * passed, tried=old.tried + count
        )
        if by:
            self.by[platform][kind].add(by)

    def proofs(self) -> Mapping[str, Proof]:
        """Platform id → what was proven, for every platform that is offered."""
        return {
            platform: Proof(
                goldens=digest(platform),
                counts={kind: self.counts[platform].get(kind, Count()) for kind in Kind},
                by={kind: tuple(sorted(names)) for kind, names in self.by[platform].items()},
            )
            for platform in PLATFORMS
        }


def lines(proofs: Mapping[str, Proof]) -> list[str]:
    """One line a platform."""
    width = max(map(len, proofs))
    return [
        f"{platform:<{width}}  goldens {_goldens(proof):<28} read back {proof.count(Kind.READ)!s:<7} "
        f"fuzz {proof.count(Kind.FUZZED)!s:<11} checked {_or_dash(proof, Kind.CHECKED):<9} "
        f"agreed {_or_dash(proof, Kind.AGREED):<9} negotiated {_or_dash(proof, Kind.NEGOTIATED):<9} "
        f"{_label(platform, proof)}"
        for platform, proof in proofs.items()
    ]


def table(proofs: Mapping[str, Proof]) -> str:
    """The table of docs/devices.md."""
    head = "| Vendor | Platform | Versions | Proof | Goldens | Hostile inputs | Checked | Agreed | Negotiated |"
    rows = [head, "|---|---|---|---|---|---|---|---|---|"]
    for identifier, platform in PLATFORMS.items():
        proof = proofs[identifier]
        cells = (
            platform.vendor,
            platform.name,
            ", ".join(platform.versions),
            _label(identifier, proof),
            _goldens(proof),
            str(proof.count(Kind.FUZZED)),
            _or_dash(proof, Kind.CHECKED),
            _or_dash(proof, Kind.AGREED),
            _or_dash(proof, Kind.NEGOTIATED),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def with_table(document: str, proofs: Mapping[str, Proof]) -> str:
    """The document with the table between its marks made anew."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table(proofs)}{END}{after}"


def main(arguments: list[str]) -> int:
    """Run the tests with all their examples, print the lines, keep the record. Returns the exit code."""
    os.environ.update({name: os.environ.get(name, value) for name, value in WHOLE.items()})
    counter = Counter()
    options = ["-q", "-n", "2", "--dist", "loadgroup", NOT_YET, *arguments]
    code = pytest.main([*options, *TESTS], plugins=[counter])
    found = counter.proofs()
    sys.stdout.write("\n".join(["", *lines(found), ""]))
    if code != pytest.ExitCode.OK:
        sys.stdout.write("Something failed: the record and docs/devices.md stay as they are.\n")
        return 1
    RECORD.write_text(dump(found), encoding="utf-8")
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")
    return 0


def _label(platform: str, proof: Proof) -> str:
    """The strongest proof; what is written for people and programs makes no claim about a device."""
    return "in no device's own language" if PLATFORMS[platform].vendor == LAST else proof.label


def _goldens(proof: Proof) -> str:
    """How many were compared, and how many of them are files; the others are refusals."""
    files = proof.count(Kind.READ).tried
    return f"{proof.count(Kind.GOLDEN)} ({files} files)"


def _or_dash(proof: Proof, kind: Kind) -> str:
    count = proof.count(kind)
    return str(count) if count.tried else "–"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
