"""People: who may sign in, with which role. Passwords are generated, shown once, and never in an event."""

from __future__ import annotations

import secrets
from typing import Final

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from tunnels.domain.findings import Finding, RuleError, refuse
from tunnels.domain.secret import Secret
from tunnels.models import Event
from tunnels.services import audit
from tunnels.services.access import ROLES, Actor, SystemActor, require, role_of

ADMIN: Final = "admin"
REVEAL: Final = "reveal_psk"


def create_user(
    *, actor: Actor, name: str, role: str, may_reveal: bool = False
) -> tuple[User, Secret]:
    """A new user and the generated password, which is kept nowhere.

    `may_reveal` lets somebody see pre-shared keys whose role does not. Raises PermissionDenied, and RuleError at
    name and role.
    """
    require(actor, "add_user")
    with transaction.atomic():
        _lock()
        user = User(username=_free_name(name))
        _check_role(role)
        password = _set_password(user)
        user.save()
        _give(user, role=role, may_reveal=may_reveal)
        audit.record(
            actor=actor,
            action="user-created",
            target=user,
            message=f"User {user.username} created as {role}",
            after=describe(user),
        )
    return user, password


def create_first_administrator(*, name: str) -> Secret | None:
    """Make an administrator when there is no user at all; the password, which is kept nowhere, or None."""
    with transaction.atomic():
        _lock()
        if User.objects.exists():
            return None
        return create_user(actor=SystemActor(name="console"), name=name, role=ADMIN)[1]


def update_user(*, actor: Actor, user: User, role: str, may_reveal: bool, active: bool) -> bool:
    """Change the role of a user, whether they may see keys, and whether they may sign in; True when it changed.

    Raises PermissionDenied, and RuleError when people would take the admin role or access from themselves, or
    when no active administrator would remain.
    """
    require(actor, "change_user")
    _check_role(role)
    with transaction.atomic():
        _lock()
        fresh = _fresh(user)
        before = describe(fresh)
        loses = role_of(fresh) == ADMIN and fresh.is_active and (role != ADMIN or not active)
        if loses:
            _check_may_lose_administrator(actor, fresh, "active" if role == ADMIN else "role")
        if not active and isinstance(actor, User) and actor.pk == fresh.pk:
            raise refuse("user-self", "You cannot deactivate yourself.", field="active")
        fresh.is_active = active
        fresh.is_superuser = fresh.is_superuser and role == ADMIN
        fresh.save(update_fields=["is_active", "is_superuser"])
        _give(fresh, role=role, may_reveal=may_reveal)
        after = describe(fresh)
        if before == after:
            return False
        audit.record(
            actor=actor,
            action="user-edited",
            target=fresh,
            message=f"User {fresh.username} edited",
            before=before,
            after=after,
            level=Event.Level.WARNING,
        )
    return True


def renew_password(*, actor: Actor, user: User, remove_second_factors: bool = False) -> Secret:
    """Replace a forgotten password by a generated one, which ends the user's sessions.

    `remove_second_factors` is for somebody who lost them: authenticator app, security keys and recovery codes go,
    and the password alone lets them in. Raises PermissionDenied, and RuleError when somebody does it to themselves.
    """
    require(actor, "change_user")
    if isinstance(actor, User) and actor.pk == user.pk:
        raise refuse("user-self", "Change your own password in the menu under your name.")
    with transaction.atomic():
        fresh = _fresh(user)
        password = _set_password(fresh)
        fresh.save(update_fields=["password"])
        removed = second_factors(fresh) if remove_second_factors else []
        if removed:
            Authenticator.objects.filter(user=fresh).delete()
        audit.record(
            actor=actor,
            action="user-password-renewed",
            target=fresh,
            message=f"New one-time password for {fresh.username}"
            + ("; second factors removed" if removed else ""),
            before={"second_factors": removed} if removed else {},
            after={"second_factors": []} if removed else {},
            level=Event.Level.WARNING,
        )
    return password


def second_factors(user: User) -> list[str]:
    """What the user needs besides the password, as words in alphabetical order."""
    kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    return sorted({str(Authenticator.Type(kind).label) for kind in kinds})


def may_reveal_by_itself(user: User) -> bool:
    """Whether the user may see pre-shared keys by a permission of their own, whatever the role says."""
    return any(
        permission.codename == REVEAL and permission.content_type.app_label == "tunnels"
        for permission in user.user_permissions.all()
    )


def describe(user: User) -> dict[str, object]:
    """A user for an event."""
    return {
        "role": role_of(user) or "none",
        "may_reveal_keys": may_reveal_by_itself(user),
        "active": user.is_active,
    }


def active_administrators() -> QuerySet[User]:
    """Who can manage users now."""
    return User.objects.filter(is_active=True).filter(Q(is_superuser=True) | Q(groups__name=ADMIN))


def _lock() -> None:
    """One writer of users at a time: the rules count administrators."""
    list(Group.objects.select_for_update().filter(name=ADMIN))


def _fresh(user: User) -> User:
    fresh = User.objects.select_for_update().filter(pk=user.pk).first()
    if fresh is None:
        raise refuse("gone", f"The user {user.username} has been deleted meanwhile.")
    return fresh


def _free_name(text: str) -> str:
    name = User.normalize_username(text.strip())
    try:
        User._meta.get_field("username").clean(name, None)
    except ValidationError:
        message = "Use 1 to 150 letters, digits and @ . + - _ without spaces."
        raise refuse("user-name", message, field="name") from None
    # Signing in does not mind letter case, so names must differ in more.
    twin = User.objects.filter(username__iexact=name).first()
    if twin:
        message = f"There is a user {twin.username} already; choose another name."
        raise refuse("user-name-taken", message, field="name")
    return name


def _check_role(role: str) -> None:
    if role not in ROLES:
        message = f"Choose one of the roles {', '.join(ROLES)}."
        raise refuse("user-role", message, field="role")


def _check_may_lose_administrator(actor: Actor, user: User, field: str) -> None:
    message = ""
    if isinstance(actor, User) and actor.pk == user.pk:
        message = "You cannot take administration from yourself; ask another administrator."
    elif not active_administrators().exclude(pk=user.pk).exists():
        message = f"{user.username} is the only active administrator; make another one first."
    if message:
        raise RuleError([Finding(rule="user-last-admin", message=message, field=field)])


def _give(user: User, *, role: str, may_reveal: bool) -> None:
    user.groups.remove(*Group.objects.filter(name__in=ROLES).exclude(name=role))
    user.groups.add(Group.objects.get(name=role))
    permission = Permission.objects.get(codename=REVEAL, content_type__app_label="tunnels")
    if may_reveal:
        user.user_permissions.add(permission)
    else:
        user.user_permissions.remove(permission)


def _set_password(user: User) -> Secret:
    password = Secret(secrets.token_urlsafe(12))
    user.set_password(password.reveal())
    return password
