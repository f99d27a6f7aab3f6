"""Who acts, which roles there are, and what each may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import Q


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemActor:
    """A command or the console itself: it may do everything and is named in the audit events."""

    name: str


Actor: TypeAlias = User | SystemActor

VIEWS = (
    "view_ccn", "view_customergateway", "view_event", "view_region", "view_tunnel", "view_vpc", "view_vpngateway",
)  # fmt: skip
OPERATES = (
    "add_tunnel", "change_tunnel", "delete_tunnel", "reset_tunnel", "switch_tunnel", "retag_tunnel",
    "add_customergateway", "change_customergateway",
)  # fmt: skip
ADMINISTERS = (
    "reveal_psk", "delete_customergateway",
    *(f"{verb}_{noun}" for verb in ("add", "change", "delete") for noun in ("region", "vpc", "ccn", "vpngateway")),
)  # fmt: skip

# A group for each role. Revealing a key is a permission of its own: operators run tunnels without seeing keys.
ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "viewer": VIEWS,
    "operator": (*VIEWS, *OPERATES),
    "admin": (*VIEWS, *OPERATES, *ADMINISTERS, "add_user", "change_user", "view_user"),
})  # fmt: skip


def require(actor: Actor, permission: str) -> None:
    """Raise PermissionDenied unless the actor has the permission, e.g. `reset_tunnel`."""
    if isinstance(actor, SystemActor):
        return
    app = "auth" if permission.endswith("_user") else "tunnels"
    if not actor.is_active or not actor.has_perm(f"{app}.{permission}"):
        roles = [role for role, granted in ROLES.items() if permission in granted]
        raise PermissionDenied(f"This needs the role {' or '.join(roles)}; ask an administrator.")


def actor_user(actor: Actor) -> User | None:
    """The user behind the actor, or None for the console itself."""
    return None if isinstance(actor, SystemActor) else actor


def actor_name(actor: Actor) -> str:
    """The name under which the actor stands in events."""
    return actor.name if isinstance(actor, SystemActor) else actor.get_username()


def sync_roles() -> None:
    """Make the three groups and give each exactly its permissions; run after every migrate."""
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        wanted = Permission.objects.filter(
            Q(content_type__app_label="tunnels") | Q(content_type__app_label="auth"),
            codename__in=codenames,
        )
        group.permissions.set(wanted)


def role_of(user: AbstractBaseUser) -> str:
    """The strongest role of the user: `admin` for superusers, "" for nobody in particular."""
    if not isinstance(user, User):
        return ""
    if user.is_superuser:
        return "admin"
    names = set(user.groups.values_list("name", flat=True))
    return next((role for role in reversed(tuple(ROLES)) if role in names), "")
