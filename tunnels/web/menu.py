"""What the menu of a tunnel holds, in the list and on its page: addresses, and what the user may do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from django.contrib.auth.models import User
from django.urls import reverse

# An id that stands for any other.
SAMPLE: Final = "vpnx-00000000"


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of one tunnel that rows and menus lead to."""

    detail: str
    log: str
    config: str
    tags: str
    reset_confirm: str
    take_down_confirm: str
    bring_up: str
    delete_confirm: str


@dataclass(frozen=True, slots=True)
class Powers:
    """What a user may do to tunnels."""

    create: bool
    reset: bool
    switch: bool
    retag: bool
    delete: bool

    @property
    def bulk(self) -> bool:
        """Whether selecting rows is of any use."""
        return self.reset or self.retag or self.delete


def links_to(public_id: str) -> Links:
    """The addresses for one tunnel; reversing eight names for each of fifty rows would take longer than the rows."""
    return Links(*[address.replace(SAMPLE, public_id) for address in _samples()])


def powers_of(user: User) -> Powers:
    """What this user may do, from the permissions that Django has cached on the user."""
    names = ("add_tunnel", "reset_tunnel", "switch_tunnel", "retag_tunnel", "delete_tunnel")
    return Powers(*[user.has_perm(f"tunnels.{name}") for name in names])


@cache
def _samples() -> tuple[str, ...]:
    names = (
        "detail",
        "log",
        "config",
        "tags",
        "reset-confirm",
        "take-down-confirm",
        "bring-up",
        "delete-confirm",
    )
    return tuple(reverse(f"tunnels:{name}", args=[SAMPLE]) for name in names)
