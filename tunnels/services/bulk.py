"""One action on many tunnels: each succeeds or is refused by itself, and the answer says which did what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from tunnels.domain.findings import RuleError, refuse
from tunnels.models import Tunnel
from tunnels.services.access import Actor, require
from tunnels.services.actions import delete_tunnel, reset_tunnel
from tunnels.services.editing import lock_tunnel, retag

BULK_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A tunnel that was left as it was, and the sentence that says why."""

    tunnel: Tunnel
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """`done` changed; `unchanged` already were as asked; `refused` may not."""

    done: tuple[Tunnel, ...]
    unchanged: tuple[Tunnel, ...]
    refused: tuple[Refusal, ...]


def bulk_reset(*, actor: Actor, tunnels: Sequence[Tunnel]) -> BulkResult:
    """Reset each of these tunnels. Raises PermissionDenied, and RuleError for more than 50."""
    require(actor, "reset_tunnel")
    return _each(tunnels, lambda tunnel: reset_tunnel(actor=actor, tunnel=tunnel))


def bulk_delete(*, actor: Actor, tunnels: Sequence[Tunnel]) -> BulkResult:
    """Delete those of these tunnels that are not connected. Raises PermissionDenied, and RuleError for more than 50."""
    require(actor, "delete_tunnel")
    return _each(tunnels, lambda tunnel: delete_tunnel(actor=actor, tunnel=tunnel))


def bulk_retag(
    *, actor: Actor, tunnels: Sequence[Tunnel], put: Mapping[str, str], remove: Collection[str] = ()
) -> BulkResult:
    """Give each tunnel the tags `put`, replacing values of the same keys, and take the keys `remove` away.

    A key in both stays. Raises PermissionDenied, and RuleError for more than 50 tunnels.
    """
    require(actor, "retag_tunnel")

    def change(tunnel: Tunnel) -> bool:
        with transaction.atomic():
            # Read under the lock that `retag` takes too: tags that somebody adds meanwhile stay.
            fresh = lock_tunnel(tunnel)
            kept = {key: value for key, value in fresh.tags.items() if key not in remove}
            return retag(actor=actor, tunnel=fresh, tags={**kept, **put})

    return _each(tunnels, change)


def _each(tunnels: Sequence[Tunnel], act: Callable[[Tunnel], bool]) -> BulkResult:
    if len(tunnels) > BULK_MAX:
        message = f"{len(tunnels)} tunnels are too many at once; choose at most {BULK_MAX}."
        raise refuse("bulk-too-many", message)
    done: list[Tunnel] = []
    unchanged: list[Tunnel] = []
    refused: list[Refusal] = []
    for tunnel in tunnels:
        try:
            (done if act(tunnel) else unchanged).append(tunnel)
        except RuleError as error:
            refused.append(Refusal(tunnel=tunnel, sentence=str(error)))
    return BulkResult(done=tuple(done), unchanged=tuple(unchanged), refused=tuple(refused))
