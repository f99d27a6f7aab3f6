"""How the files of each platform are proven.

`make devices` writes `proofs.json` from what the tests did; nobody types it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

RECORD: Final = Path(__file__).with_name("proofs.json")


class Kind(StrEnum):
    """What a test did with the files of a platform."""

    GOLDEN = "golden"  # compared with what a person has read
    READ = "read"  # read back by a grammar of our own, apart from the writer
    FUZZED = "fuzzed"  # the same, with hostile names, keys and identifiers
    CHECKED = "checked"  # judged by software or a schema that we did not write
    AGREED = "agreed"  # the device's own daemon and our gateway agreed on the whole tunnel, without packets
    NEGOTIATED = "negotiated"  # a tunnel came up from the file, and carried packets


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many were tried, and how many passed."""

    passed: int = 0
    tried: int = 0

    def __str__(self) -> str:
        return f"{self.passed}/{self.tried}"

    @property
    def all(self) -> bool:
        """Whether there were some, and all passed."""
        return 0 < self.passed == self.tried


_NONE: Final = Count()
_JUDGED: Final = (Kind.NEGOTIATED, Kind.AGREED, Kind.CHECKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the tests of one platform did: how many of each kind, and by whose software.

    `goldens` is the digest of the files that were proven: with other files the record is out of date.
    """

    goldens: str
    counts: Mapping[Kind, Count]
    by: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)

    def count(self, kind: Kind) -> Count:
        """How many of this kind were tried and passed; 0/0 when there is no such test."""
        return self.counts.get(kind, _NONE)

    @property
    def strongest(self) -> Kind | None:
        """The strongest kind that passed whole and was judged by something that we did not write."""
        return next((kind for kind in _JUDGED if self.count(kind).all), None)

    @property
    def verified(self) -> bool:
        """Whether anything that we did not write has judged the files."""
        return self.strongest is not None

    @property
    def label(self) -> str:
        """The strongest proof, in a few words."""
        judges = ", ".join(self.by.get(self.strongest, ())) if self.strongest else ""
        match self.strongest:
            case Kind.NEGOTIATED:
                return "negotiated"
            case Kind.AGREED:
                return f"agreed with {judges}"
            case Kind.CHECKED:
                return f"parsed by {judges}"
            case _:
                return "not machine-verified"

    @property
    def sentence(self) -> str:
        """The strongest proof, in a sentence for people."""
        judges = " and ".join(self.by.get(self.strongest, ())) if self.strongest else ""
        match self.strongest:
            case Kind.NEGOTIATED:
                return (
                    f"Negotiated: {judges} brought a tunnel up from the downloaded file alone, in "
                    f"{self.count(Kind.NEGOTIATED).passed} combinations of settings."
                )
            case Kind.AGREED:
                return (
                    f"Agreed: {judges} was given the downloaded file and agreed with our gateway on the whole tunnel, "
                    f"in {self.count(Kind.AGREED).passed} combinations of settings. Packets were not carried."
                )
            case Kind.CHECKED:
                return (
                    f"Parsed by {judges} without a complaint; read back, the values are this tunnel's. No such device "
                    "was at hand."
                )
            case _:
                return (
                    "Not machine-verified: written and read back by the vendor's manual alone. No such device was at "
                    "hand; look over the file before you load it."
                )


@cache
def proofs() -> Mapping[str, Proof]:
    """Platform id → its proof, as last recorded."""
    stored = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    return MappingProxyType({platform: _proof(entry) for platform, entry in stored.items()})


def proof_of(platform_id: str) -> Proof:
    """The platform's proof; one without any test when nothing is recorded yet."""
    return proofs().get(platform_id, _UNPROVEN)


def dump(found: Mapping[str, Proof]) -> str:
    """The record's text. Equal proofs give equal text."""
    entries = {
        platform: {
            "goldens": proof.goldens,
            "counts": {kind: [proof.count(kind).passed, proof.count(kind).tried] for kind in Kind},
            "by": {kind: proof.by[kind] for kind in Kind if proof.by.get(kind)},
        }
        for platform, proof in sorted(found.items())
    }
    return json.dumps(entries, indent=2) + "\n"


_UNPROVEN: Final = Proof(goldens="", counts=MappingProxyType({}))


def _proof(entry: Mapping[str, Any]) -> Proof:
    counts = {
        Kind(kind): Count(passed=passed, tried=tried)
        for kind, (passed, tried) in entry["counts"].items()
    }
    return Proof(
        goldens=entry["goldens"],
        counts=MappingProxyType(counts),
        by=MappingProxyType({Kind(kind): tuple(names) for kind, names in entry["by"].items()}),
    )
