"""What every reader makes of a pasted configuration: facts, each with the line that says it.

Everything is told from the device's side, in the ids of our catalogue. A fact without a line is what the device
takes when its file is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final, Generic, TypeVar

from tunnels.domain.addresses import Network
from tunnels.domain.diagnosis.offers import Offer
from tunnels.domain.proposals import IkeVersion, Mode
from tunnels.domain.secret import Secret

T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C")

# In the place of a DH group: a proposal that also does without one.
NO_GROUP = "none"
# More than a gateway of ours may carry at all.
CHILDREN_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Said(Generic[T_co]):
    """A value and the line that it stands in, from 1; None: the file is silent, this is the device's default."""

    value: T_co
    line: int | None = None


class Severity(StrEnum):
    """What a difference does: stop the negotiation, nothing, or that is not known."""

    BREAKS = "breaks"
    HARMLESS = "harmless"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that only the reader of the grammar can judge; `ours` is what the tunnel needs instead."""

    name: str
    ours: str
    theirs: str
    line: int | None
    sentence: str
    severity: Severity


class Naming(StrEnum):
    """What an identity is; OWN: the address that the device has, which its file does not tell."""

    ADDRESS = "address"
    NAME = "domain name"
    OTHER = "other"
    ANY = "any"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Ident:
    """An IKE identity; of the peer it may be a pattern: a CIDR block, or a name that begins with `*.`."""

    naming: Naming
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A pre-shared key in the file; `secret` is None when it cannot be read, and `why` says so."""

    line: int
    secret: Secret | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """A lifetime by volume; `kilobytes` are all numbers of KB that it may stand for."""

    text: str
    kilobytes: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dpd:
    """Dead peer detection; `seconds` is the timeout where the device has one."""

    on: bool
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One proposal: what may be chosen of each kind. `seconds` is its lifetime where each has its own."""

    encryption: Said[tuple[str, ...]]
    integrity: Said[tuple[str, ...]] = Said(())
    prf: Said[tuple[str, ...]] = Said(())
    group: Said[tuple[str, ...]] = Said(())
    other: tuple[str, ...] = ()
    seconds: Said[int] | None = None

    @property
    def offer(self) -> Offer:
        """The values alone."""
        return Offer(
            encryption=self.encryption.value,
            integrity=self.integrity.value,
            prf=self.prf.value,
            group=self.group.value,
            other=self.other,
        )


@dataclass(frozen=True, slots=True)
class Range:
    """One end of a traffic selector; `network` is None when it is no plain block, and `text` says what it is.

    Equal ranges have equal texts: compare.ranges makes them.
    What is not `known` may be anything: a name, an address that the file does not tell.
    """

    text: str
    network: Network | None = None
    line: int | None = None
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """All `locals` to all `remotes`, in one SA; `only` names a protocol or port that it is limited to."""

    locals: tuple[Range, ...]
    remotes: tuple[Range, ...]
    line: int | None
    only: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """Phase 2: its proposals, its lifetimes, and the selectors that share them."""

    offers: tuple[Offered, ...]
    seconds: Said[int]
    volume: Said[Volume | None]
    selectors: tuple[Selector, ...]
    mode: Said[str] = Said("tunnel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Phase 1 towards one peer, and all its children.

    `versions` may be negotiated, and `begins` is the one with which the device begins itself; so with `modes` and
    `begins_mode`, which matter to IKEv1 only. `authentication` is `psk`, else the device's own word.
    """

    name: str
    line: int
    remotes: tuple[Said[str], ...]
    locals: tuple[Said[str], ...]
    versions: Said[frozenset[IkeVersion]]
    begins: IkeVersion
    modes: Said[frozenset[Mode]]
    begins_mode: Mode
    authentication: Said[str]
    offers: tuple[Offered, ...]
    seconds: Said[int]
    local_id: Said[Ident]
    remote_ids: tuple[Said[Ident], ...]
    dpd: Said[Dpd]
    children: tuple[Child, ...]
    keys: tuple[Key, ...]
    troubles: tuple[Trouble, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A connection as far as one must know it to choose among thousands.

    `addresses` are texts: addresses, host names, CIDR blocks or `%any`; `key` is the reader's own. Of a `mirrored` one
    the file calls the peer its own side, which only the very address of the peer can tell. One with a `refusal` cannot
    be compared, and the sentence says why.
    """

    key: int
    name: str
    line: int
    addresses: tuple[str, ...]
    identities: tuple[Ident, ...] = ()
    mirrored: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file that was read: its peers, and how one of them becomes a Connection.

    `secrets` is every secret text of the file; no sentence may hold one of them.
    """

    peers: tuple[Peer, ...]
    build: Callable[[Peer], Connection]
    secrets: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def limited(children: Iterable[C]) -> tuple[list[C], list[Trouble]]:
    """The first of them, as many as are read, and a trouble when there are more."""
    found = [*islice(children, CHILDREN_MAX + 1)]
    if len(found) <= CHILDREN_MAX:
        return found, []
    trouble = Trouble(
        name="Mapping",
        ours="",
        theirs=f"more than {CHILDREN_MAX:,} entries",
        line=None,
        sentence="These are too many to compare; no tunnel has so many.",
        severity=Severity.UNKNOWN,
    )
    return found[:CHILDREN_MAX], [trouble]


def not_followed(name: str, line: int, sentence: str) -> Trouble:
    """Something that cannot be followed, so that nobody takes silence for agreement."""
    return Trouble(
        name=name, ours="", theirs="", line=line, sentence=sentence, severity=Severity.UNKNOWN
    )
