"""Whether a device's traffic selectors are the tunnel's mappings, pair by pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

from tunnels.compare.reading import Child, Range, Selector, Severity
from tunnels.compare.verdict import Difference, lines
from tunnels.devices.viewpoint import Pair
from tunnels.domain.addresses import overlap
from tunnels.domain.proposals import IkeVersion

NAME: Final = "Mapping"
PAIRS_MAX: Final = 10_000
EXTRA_SHOWN: Final = 10
# A missing pair is looked for among so many of the device's own.
NEAR_MAX: Final = 200

_NOT_PLAIN: Final = "This is no plain range and could not be compared."
_REFUSED: Final = "The tunnel has no such pair, so the VPN gateway refuses it. Remove it, or add it to the tunnel."

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """One pair of the device, and the selector that it is part of."""

    local: Range
    remote: Range
    selector: Selector

    @property
    def key(self) -> Key:
        """What it has in common with an equal pair."""
        return self.local.text, self.remote.text

    @property
    def lines(self) -> tuple[int, ...]:
        """Where it stands."""
        return lines(self.local.line, self.remote.line) or lines(self.selector.line)

    @property
    def known(self) -> bool:
        """Whether both ranges are what they look like."""
        return self.local.known and self.remote.known

    def __str__(self) -> str:
        return f"{self.local.text} ↔ {self.remote.text}"


def pairs_of(child: Child) -> Iterator[Found]:
    """All pairs of a child."""
    for selector in child.selectors:
        for local, remote in product(selector.locals, selector.remotes):
            yield Found(local, remote, selector)


def compare_mappings(
    pairs: Iterable[Pair], children: Iterable[Child], version: IkeVersion
) -> Iterator[Difference]:
    """Every pair that is missing, differs, or is there in addition, from the device's side."""
    ours = {(str(pair.local), str(pair.remote)): pair for pair in pairs}
    children = tuple(children)
    every = [*islice((found for child in children for found in pairs_of(child)), PAIRS_MAX + 1)]
    if len(every) > PAIRS_MAX:
        yield _too_many()
        return
    theirs = {found.key: found for found in reversed(every)}
    yield from _narrowed(ours, every)
    yield from _lists(ours, children, version)
    missing = {key: pair for key, pair in ours.items() if key not in theirs}
    extra = {key: found for key, found in theirs.items() if key not in ours}
    for key, pair in missing.items():
        near = _nearest(key, pair, extra)
        if near:
            del extra[near.key]
            yield _differs(pair, near)
        else:
            yield _missing(pair)
    yield from _extra([*extra.values()])


def _narrowed(ours: Mapping[Key, Pair], every: Iterable[Found]) -> Iterator[Difference]:
    for found in every:
        if found.selector.only and found.key in ours:
            yield Difference(
                name=NAME,
                ours=_text(ours[found.key]),
                theirs=f"{found}, {found.selector.only} only",
                severity=Severity.BREAKS,
                sentence="The tunnel carries all protocols between these ranges; remove the limit.",
                lines=found.lines,
            )


def _lists(
    ours: Mapping[Key, Pair], children: Iterable[Child], version: IkeVersion
) -> Iterator[Difference]:
    """Lists of ranges in one SA: the device means all combinations of them."""
    for child in children:
        for selector in child.selectors:
            number = len(selector.locals) * len(selector.remotes)
            keys = [
                (one.text, other.text) for one, other in product(selector.locals, selector.remotes)
            ]
            if number < 2 or not any(key in ours for key in keys):
                continue
            found = Found(selector.locals[0], selector.remotes[0], selector)
            whole = f"{len(selector.locals)} × {len(selector.remotes)} ranges in one SA"
            if version is IkeVersion.V1:
                severity = Severity.BREAKS
                sentence = "IKEv1 negotiates one pair an SA: the first of each list. Make an entry for each pair."
            elif all(key in ours for key in keys):
                severity = Severity.HARMLESS
                sentence = (
                    "The VPN gateway has an SA for each pair and narrows the list to one of them at a time. "
                    "An entry for each pair is surer."
                )
            else:
                severity = Severity.BREAKS
                sentence = "The device means every combination, more than the tunnel has. Make an entry for each pair."
            yield Difference(
                name=NAME,
                ours="one pair an SA",
                theirs=whole,
                severity=severity,
                sentence=sentence,
                lines=found.lines,
            )


def _nearest(key: Key, pair: Pair, extra: Mapping[Key, Found]) -> Found | None:
    """The pair of the device that was probably meant: turned round, or overlapping, or alike on one side."""
    turned = extra.get((key[1], key[0]))
    if turned:
        return turned
    near = ((_likeness(key, pair, found), found) for found in islice(extra.values(), NEAR_MAX))
    best = max(near, key=_first, default=None)
    return best[1] if best and best[0] else None


def _likeness(key: Key, pair: Pair, found: Found) -> int:
    local, remote = found.local.network, found.remote.network
    if local and remote and overlap(local, pair.local) and overlap(remote, pair.remote):
        return 2
    return int(found.key[0] == key[0] or found.key[1] == key[1])


def _first(entry: tuple[int, Found]) -> int:
    return entry[0]


def _differs(pair: Pair, found: Found) -> Difference:
    turned = found.key == (str(pair.remote), str(pair.local))
    severity = Severity.BREAKS
    sentence = "The ranges must be equal on both sides, to the last bit of their prefixes."
    if turned:
        sentence = "The two sides are the wrong way round: the device's own range comes first."
    elif not found.known:
        severity, sentence = Severity.UNKNOWN, _NOT_PLAIN
    return Difference(
        name=NAME,
        ours=_text(pair),
        theirs=str(found),
        severity=severity,
        sentence=sentence,
        lines=found.lines,
    )


def _missing(pair: Pair) -> Difference:
    return Difference(
        name=NAME,
        ours=_text(pair),
        theirs="missing",
        severity=Severity.BREAKS,
        sentence=f"The device has no such pair ({pair.origin} of the tunnel), so nothing passes between these ranges.",
    )


def _extra(found: list[Found]) -> Iterator[Difference]:
    for one in found[:EXTRA_SHOWN]:
        yield Difference(
            name=NAME,
            ours="missing" if one.known else "",
            theirs=str(one),
            severity=Severity.BREAKS if one.known else Severity.UNKNOWN,
            sentence=_REFUSED if one.known else _NOT_PLAIN,
            lines=one.lines,
        )
    if len(found) > EXTRA_SHOWN:
        yield Difference(
            name=NAME,
            ours="missing",
            theirs=f"{len(found) - EXTRA_SHOWN:,} more pairs",
            severity=Severity.BREAKS,
            sentence="The tunnel has none of these pairs either.",
            lines=lines(*(line for one in found[EXTRA_SHOWN:] for line in one.lines)),
        )


def _too_many() -> Difference:
    return Difference(
        name=NAME,
        ours="",
        theirs=f"more than {PAIRS_MAX:,} pairs",
        severity=Severity.UNKNOWN,
        sentence="These are too many to compare; no tunnel has so many.",
    )


def _text(pair: Pair) -> str:
    return f"{pair.local} ↔ {pair.remote}"
