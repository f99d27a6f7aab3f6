"""Which of a file's pre-shared keys charon takes for a peer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tunnels.compare.reading import Ident, Key, Naming


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A key and the identities that it belongs to; none: anybody's."""

    owners: tuple[Ident, ...]
    key: Key


def fitting(keys: Iterable[Owned], *, mine: set[Ident], others: set[Ident]) -> tuple[Key, ...]:
    """The one key that fits best: first as the peer's, then as the device's own (credential_manager.c, get_shared)."""
    ranked = ((_match(owned, others), _match(owned, mine), owned.key) for owned in keys)
    best = max(ranked, key=_rank, default=None)
    return (best[2],) if best and any(best[:2]) else ()


def _match(owned: Owned, idents: set[Ident]) -> int:
    """2 for one of these identities, 1 for anybody's, 0 for somebody else's."""
    if idents & set(owned.owners):
        return 2
    anybody = not owned.owners or any(owner.naming is Naming.ANY for owner in owned.owners)
    return int(anybody)


def _rank(ranked: tuple[int, int, Key]) -> tuple[int, int]:
    return ranked[:2]
