"""Roles: who may do what, and that a migrate makes exactly that."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied

from tests import factories as make
from tunnels.services.access import ROLES, SystemActor, require, role_of, sync_roles

pytestmark = pytest.mark.django_db


def test_every_role_has_exactly_its_permissions() -> None:
    for role, codenames in ROLES.items():
        stored = Group.objects.get(name=role).permissions.values_list("codename", flat=True)
        assert sorted(stored) == sorted(codenames)


def test_a_sync_takes_back_what_was_added_by_hand() -> None:
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.add(Group.objects.get(name="admin").permissions.get(codename="reveal_psk"))
    sync_roles()
    assert not viewer.permissions.filter(codename="reveal_psk").exists()


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        ("viewer", ["view_tunnel"], ["add_tunnel", "reset_tunnel", "reveal_psk", "add_vpc"]),
        (
            "operator",
            ["add_tunnel", "reset_tunnel", "delete_tunnel"],
            ["reveal_psk", "add_vpngateway", "add_user"],
        ),
        ("admin", ["reveal_psk", "delete_region", "change_user"], []),
        ("", [], ["view_tunnel", "view_event"]),
    ],
)
def test_a_role_may_do_its_own_and_no_more(
    role: str, allowed: list[str], refused: list[str]
) -> None:
    user = make.a_user("somebody", role)
    for permission in allowed:
        require(user, permission)
    for permission in refused:
        with pytest.raises(PermissionDenied):
            require(user, permission)


def test_a_refusal_names_the_roles_that_may() -> None:
    with pytest.raises(PermissionDenied, match="role operator or admin"):
        require(make.a_user("vera", "viewer"), "reset_tunnel")


def test_an_inactive_user_may_do_nothing() -> None:
    user = make.a_user("gone", "admin")
    user.is_active = False
    with pytest.raises(PermissionDenied):
        require(user, "view_tunnel")


def test_the_console_itself_may_do_everything() -> None:
    require(SystemActor(name="console"), "delete_tunnel")


def test_the_strongest_role_counts() -> None:
    user = make.a_user("both", "viewer")
    user.groups.add(Group.objects.get(name="operator"))
    assert role_of(user) == "operator"
    assert role_of(make.a_user("none")) == ""
