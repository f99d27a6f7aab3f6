"""What the agent asks of charon, and what charon answers, as plain values.

`vici_adapter` speaks to the real one; the tests have one in memory. Both pass the same suite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tunnels.agent.render import Message

# Only names of this shape are ours; everything else in charon belongs to somebody else and is never touched.
OWN_CONNECTION = re.compile(r"vpnx-[a-z0-9]{8}")
OWN_SECRET = re.compile(r"(vpnx-[a-z0-9]{8})(-previous)?")

# A CHILD_SA in one of these states carries traffic: REKEYED is the old one while the new one takes over.
CARRYING = frozenset({"INSTALLED", "UPDATING", "REKEYING", "REKEYED"})
# An IKE_SA in one of these is established; so is one that is being rekeyed.
ESTABLISHED = frozenset({"ESTABLISHED", "REKEYING", "REKEYED"})
# Tasks that are about to make a CHILD_SA: asking a second time could make a second one.
NEGOTIATING_TASKS = frozenset({"CHILD_CREATE", "QUICK_MODE"})


class CharonUnreachable(Exception):
    """charon does not answer on its vici socket, or in a way that is not understood."""


class CharonRefused(Exception):
    """charon understood the request and says no; the message is its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Who answers: `charon_version` such as 5.9.8, and the loaded plugins."""

    charon_version: str
    plugins: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSa:
    """One CHILD_SA. `key` tells it from all others that ever had its name."""

    name: str
    key: str
    state: str
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0

    @property
    def carries(self) -> bool:
        """Whether traffic can flow through it."""
        return self.state in CARRYING


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeSa:
    """One IKE_SA with its CHILD_SAs; `age` is the seconds since it was established."""

    name: str
    unique_id: int
    state: str
    age: int = 0
    nat: bool = False
    tasks: tuple[str, ...] = ()
    children: tuple[ChildSa, ...] = ()

    @property
    def established(self) -> bool:
        """Whether phase 1 stands."""
        return self.state in ESTABLISHED

    @property
    def negotiates(self) -> bool:
        """Whether it is already at work on what an initiation would ask for."""
        return self.state in {"CREATED", "CONNECTING"} or not NEGOTIATING_TASKS.isdisjoint(
            self.tasks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What charon shall be told of one tunnel, in this order: secrets, secrets to forget, the connection."""

    tunnel: str
    secrets: tuple[Message, ...] = ()
    forget: tuple[str, ...] = ()
    connection: Message | None = None


class Charon(Protocol):
    """The requests. Each raises CharonUnreachable; those that change something, CharonRefused, but for `load`."""

    def version(self) -> Version:
        """Version and plugins."""

    def connections(self) -> tuple[str, ...]:
        """Names of the loaded connections, whoever loaded them."""

    def shared(self) -> tuple[str, ...]:
        """Ids of the loaded shared secrets; those without one are not listed."""

    def sas(self, ike: str = "") -> tuple[IkeSa, ...]:
        """All IKE_SAs, or those of one connection."""

    def load(self, loads: Sequence[Load]) -> Mapping[str, str]:
        """Load or replace secrets and connections, in order; returns by tunnel why charon refused.

        A refusal stops nothing. The last secret of a tunnel is the one that charon signs with. When this raises,
        charon did the first so many requests, and nobody knows how many.
        """

    def unload_connection(self, name: str) -> None:
        """Forget a connection; one that is not loaded is no error."""

    def unload_shared(self, secret_id: str) -> None:
        """Forget a secret; one that is not loaded is no error."""

    def initiate(self, *, ike: str, child: str) -> None:
        """Begin to negotiate, and return at once."""

    def terminate(self, *, ike: str = "", child: str = "", seconds: float = 2.0) -> None:
        """Close what has that name, and wait; an IKE_SA whose peer is silent is dropped after `seconds`.

        Nothing of that name is no error.
        """
