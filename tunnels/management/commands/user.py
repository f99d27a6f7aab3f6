"""`manage.py user add|list|role|password|deactivate|activate`: people, from the console's own machine."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from tunnels.domain.findings import RuleError
from tunnels.domain.secret import Secret
from tunnels.services import users
from tunnels.services.access import ROLES, SystemActor, role_of

ACTOR = SystemActor(name="manage.py")


class Command(BaseCommand):
    """Manage users."""

    help = "Manage the people who may sign in. Generated passwords are shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One subcommand for each thing to do."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add = verbs.add_parser("add", help="make a user and show the one-time password")
        add.add_argument("name")
        add.add_argument("--role", choices=tuple(ROLES), default="viewer")
        add.add_argument("--may-reveal-keys", action="store_true")
        verbs.add_parser("list", help="show all users")
        role = verbs.add_parser("role", help="give a user another role")
        role.add_argument("name")
        role.add_argument("role", choices=tuple(ROLES))
        password = verbs.add_parser("password", help="replace the password by a generated one")
        password.add_argument("name")
        password.add_argument(
            "--remove-second-factors",
            action="store_true",
            help="also remove authenticator app, security keys and recovery codes",
        )
        for verb, text in (
            ("deactivate", "keep the user from signing in"),
            ("activate", "let the user sign in again"),
        ):
            verbs.add_parser(verb, help=text).add_argument("name")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """Do what the subcommand says; a refusal is one sentence."""
        doing: dict[str, Callable[..., None]] = {
            "add": self._add,
            "list": self._list,
            "role": self._role,
            "password": self._password,
            "deactivate": self._deactivate,
            "activate": self._activate,
        }
        try:
            doing[verb](**options)
        except RuleError as error:
            raise CommandError(str(error)) from None

    def _add(self, *, name: str, role: str, may_reveal_keys: bool, **_: Any) -> None:
        user, password = users.create_user(
            actor=ACTOR, name=name, role=role, may_reveal=may_reveal_keys
        )
        self.stdout.write(f"User {user.username} was created as {role}.")
        self._show(password)

    def _list(self, **_: Any) -> None:
        for user in User.objects.prefetch_related("groups").order_by("username"):
            state = "" if user.is_active else "  (deactivated)"
            self.stdout.write(f"{user.username:<30} {role_of(user) or 'no role':<10}{state}")

    def _role(self, *, name: str, role: str, **_: Any) -> None:
        self._update(_user(name), role=role)

    def _password(self, *, name: str, remove_second_factors: bool, **_: Any) -> None:
        user = _user(name)
        password = users.renew_password(
            actor=ACTOR, user=user, remove_second_factors=remove_second_factors
        )
        self._show(password)

    def _deactivate(self, *, name: str, **_: Any) -> None:
        self._update(_user(name), active=False)

    def _activate(self, *, name: str, **_: Any) -> None:
        self._update(_user(name), active=True)

    def _update(self, user: User, *, role: str | None = None, active: bool | None = None) -> None:
        changed = users.update_user(
            actor=ACTOR,
            user=user,
            role=role or role_of(user) or "viewer",
            may_reveal=users.may_reveal_by_itself(user),
            active=user.is_active if active is None else active,
        )
        self.stdout.write(
            f"User {user.username} was saved."
            if changed
            else "That is so already; nothing changed."
        )

    def _show(self, password: Secret) -> None:
        self.stdout.write(f"Password, shown only now: {password.reveal()}")


def _user(name: str) -> User:
    user = User.objects.filter(username__iexact=name).first()
    if user is None:
        raise CommandError(f"There is no user {name}; `manage.py user list` shows all.")
    return user
