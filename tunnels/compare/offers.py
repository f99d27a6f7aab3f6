"""Whether one of a device's proposals is what the tunnel needs, and where the nearest one differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tunnels.compare.reading import NO_GROUP, Offered, Said, Severity
from tunnels.compare.text import Quoter
from tunnels.compare.verdict import Difference, lines
from tunnels.domain import crypto
from tunnels.domain.crypto import Transform
from tunnels.domain.diagnosis.offers import Offer
from tunnels.domain.proposals import IkeVersion

_TABLES: Mapping[str, Mapping[str, Transform]] = MappingProxyType({
    "encryption": crypto.ENCRYPTION, "integrity": crypto.INTEGRITY, "prf": crypto.PRF, "group": crypto.DH_GROUPS,
})  # fmt: skip
_NAMES: Mapping[bool, Mapping[str, str]] = MappingProxyType({
    False: {
        "encryption": "IKE encryption", "integrity": "IKE integrity", "prf": "IKE PRF", "group": "IKE DH group",
        "other": "IKE proposal",
    },
    True: {
        "encryption": "IPsec encryption", "integrity": "IPsec integrity", "group": "PFS", "other": "IPsec proposal",
    },
})  # fmt: skip
_NO_PROPOSAL: Final = (
    "Without a proposal in common the negotiation ends at once (NO_PROPOSAL_CHOSEN)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the tunnel accepts: one proposal, of ESP or IKE, in one version of IKE."""

    offer: Offer
    esp: bool
    version: IkeVersion

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of algorithms that are negotiated. IKEv1 has no PRF of its own (RFC 2409 §4)."""
        if self.esp:
            return ("encryption", "integrity", "group")
        if self.version is IkeVersion.V1:
            return ("encryption", "integrity", "group")
        return ("encryption", "integrity", "prf", "group")


def nearest(wanted: Wanted, offered: Sequence[Offered]) -> Offered | None:
    """The first proposal that the tunnel accepts, else the one that is wrong in fewest kinds."""
    return min(offered, key=lambda one: len(_wrong(wanted, one)), default=None)


def compare_offers(
    wanted: Wanted, offered: Sequence[Offered], quote: Quoter
) -> Iterator[Difference]:
    """The differences of the nearest proposal; when one fits, that there are more."""
    best = nearest(wanted, offered)
    if best is None:
        return
    wrong = _wrong(wanted, best)
    for kind in wrong:
        yield _difference(wanted, best, kind, quote, among=len(offered))
    if not wrong and (len(offered) > 1 or _has_choices(wanted, best)):
        yield Difference(
            name=f"{'IPsec' if wanted.esp else 'IKE'} proposals",
            ours=str(wanted.offer),
            theirs=_several(offered),
            severity=Severity.HARMLESS,
            sentence="One of them fits and is taken. The VPN gateway takes no other; you may remove them.",
            lines=lines(*(one.encryption.line for one in offered)),
        )


def _wrong(wanted: Wanted, offered: Offered) -> list[str]:
    """The kinds without a value in common."""
    found = []
    for kind in wanted.kinds:
        ours, theirs = set(getattr(wanted.offer, kind)), set(_said(offered, kind).value)
        if kind == "group" and wanted.esp:
            ours, theirs = ours or {NO_GROUP}, theirs or {NO_GROUP}
        if (ours or theirs) and not ours & theirs:
            found.append(kind)
    return [*found, *(["other"] if offered.other else [])]


def _said(offered: Offered, kind: str) -> Said[tuple[str, ...]]:
    said: Said[tuple[str, ...]] = getattr(offered, kind)
    return said


def _has_choices(wanted: Wanted, offered: Offered) -> bool:
    return any(len(_said(offered, kind).value) > 1 for kind in wanted.kinds)


def _difference(
    wanted: Wanted, offered: Offered, kind: str, quote: Quoter, *, among: int
) -> Difference:
    which = f" Of its {among} proposals this is the nearest." if among > 1 else ""
    if kind == "other":
        return Difference(
            name=_NAMES[wanted.esp][kind],
            ours=str(wanted.offer),
            theirs=" + ".join(quote(word) for word in offered.other),
            severity=Severity.BREAKS,
            sentence=f"The VPN gateway does not know or offer this. {_NO_PROPOSAL}{which}",
            lines=lines(offered.encryption.line),
        )
    said = _said(offered, kind)
    return Difference(
        name=_NAMES[wanted.esp][kind],
        ours=_labels(kind, getattr(wanted.offer, kind), quote),
        theirs=_labels(kind, said.value, quote),
        severity=Severity.BREAKS,
        sentence=_sentence(wanted, kind) + which,
        lines=lines(said.line),
    )


def _sentence(wanted: Wanted, kind: str) -> str:
    if kind != "group" or not wanted.esp:
        return _NO_PROPOSAL
    if wanted.version is IkeVersion.V1:
        return f"In IKEv1 PFS must be alike on both sides. {_NO_PROPOSAL}"
    return (
        "The first IPsec SA of an IKEv2 connection is made without PFS, so the tunnel may look right: it fails with "
        "the second mapping, and when an SA is renewed."
    )


def _labels(kind: str, values: tuple[str, ...], quote: Quoter) -> str:
    table = _TABLES[kind]
    labels = [
        table[value].label if value in table else _plain(kind, value, quote) for value in values
    ]
    return " or ".join(labels) or "none"


def _plain(kind: str, value: str, quote: Quoter) -> str:
    known = crypto.INTEGRITY.get(value)
    if kind == "prf" and known:
        return f"PRF {known.label}"
    return quote(value)


def _several(offered: Sequence[Offered]) -> str:
    choices = sum(
        len(one.encryption.value) * max(len(one.integrity.value), 1) * max(len(one.group.value), 1)
        for one in offered
    )
    return f"{choices} combinations"
