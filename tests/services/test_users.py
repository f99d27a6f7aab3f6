from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.models import Event
from tunnels.services import users
from tunnels.services.access import Actor, role_of

pytestmark = pytest.mark.django_db


def update(actor: Actor, user: User, **changes: Any) -> bool:
    values: dict[str, Any] = {"role": role_of(user), "may_reveal": False, "active": True} | changes
    return users.update_user(actor=actor, user=user, **values)


def field_and_sentence(refused: pytest.ExceptionInfo[RuleError]) -> tuple[str, str]:
    finding = refused.value.findings[0]
    return finding.field, finding.message


def test_it_creates_a_user_whose_password_is_told_once() -> None:
    admin = make.a_user("ada", "admin")
    user, password = users.create_user(actor=admin, name=" olga ", role="operator")
    assert user.check_password(password.reveal())
    assert len(password) >= 16
    assert (user.username, role_of(user), user.has_perm("tunnels.reveal_psk")) == (
        "olga",
        "operator",
        False,
    )
    event = Event.objects.get()
    assert (event.action, event.target_id, event.after) == (
        "user-created",
        "olga",
        {"role": "operator", "may_reveal_keys": False, "active": True},
    )
    assert password.reveal() not in str(vars(event))


def test_it_gives_each_user_another_password() -> None:
    made = [
        users.create_user(actor=make.SYSTEM, name=name, role="viewer")[1].reveal() for name in "ab"
    ]
    assert made[0] != made[1]


@pytest.mark.parametrize("name", ["", "two words", "a" * 151, "semi;colon", "nul\0"])
def test_it_refuses_names_that_nobody_can_type(name: str) -> None:
    with pytest.raises(RuleError) as refused:
        users.create_user(actor=make.SYSTEM, name=name, role="viewer")
    assert field_and_sentence(refused)[0] == "name"
    assert not User.objects.exists()


def test_it_refuses_names_that_differ_in_case_only() -> None:
    make.a_user("Olga")
    with pytest.raises(RuleError, match="There is a user Olga already"):
        users.create_user(actor=make.SYSTEM, name="oLGA", role="viewer")


def test_it_refuses_roles_that_do_not_exist() -> None:
    with pytest.raises(RuleError, match="viewer, operator, admin"):
        users.create_user(actor=make.SYSTEM, name="olga", role="root")


def test_it_makes_the_first_administrator_once() -> None:
    password = users.create_first_administrator(name="admin")
    assert password is not None
    user = User.objects.get()
    assert user.check_password(password.reveal())
    assert (user.username, role_of(user), user.is_superuser) == ("admin", "admin", False)
    assert user.has_perms(["tunnels.reveal_psk", "auth.add_user", "tunnels.delete_region"])
    assert users.create_first_administrator(name="admin") is None
    assert User.objects.count() == 1


def test_it_changes_role_key_access_and_activity_with_one_event() -> None:
    admin, user = make.a_user("ada", "admin"), make.a_user("vera", "viewer")
    assert update(admin, user, role="operator", may_reveal=True, active=False)
    user = User.objects.get(pk=user.pk)
    assert (role_of(user), user.is_active) == ("operator", False)
    event = Event.objects.get()
    assert event.before == {"role": "viewer", "may_reveal_keys": False, "active": True}
    assert event.after == {"role": "operator", "may_reveal_keys": True, "active": False}
    update(admin, user, active=True, may_reveal=True)
    assert User.objects.get(pk=user.pk).has_perm("tunnels.reveal_psk")
    assert not update(admin, user, active=True, may_reveal=True)
    assert Event.objects.count() == 2
    update(admin, user, active=True, may_reveal=False)
    assert not User.objects.get(pk=user.pk).has_perm("tunnels.reveal_psk")


def test_it_keeps_people_from_locking_themselves_out() -> None:
    admin = make.a_user("ada", "admin")
    make.a_user("ben", "admin")
    with pytest.raises(RuleError) as refused:
        update(admin, admin, role="viewer")
    assert field_and_sentence(refused) == (
        "role",
        "You cannot take administration from yourself; ask another administrator.",
    )
    with pytest.raises(RuleError) as refused:
        update(admin, admin, active=False)
    assert field_and_sentence(refused)[0] == "active"
    with pytest.raises(RuleError, match="Change your own password"):
        users.renew_password(actor=admin, user=admin)
    assert role_of(admin) == "admin"


def test_it_keeps_one_active_administrator() -> None:
    first, second = make.a_user("ada", "admin"), make.a_user("ben", "admin")
    User.objects.filter(pk=second.pk).update(is_active=False)
    for changes in ({"role": "operator"}, {"active": False}):
        with pytest.raises(RuleError, match="ada is the only active administrator"):
            update(make.SYSTEM, first, **changes)
    User.objects.filter(pk=second.pk).update(is_active=True)
    assert update(make.SYSTEM, first, role="operator")
    assert role_of(User.objects.get(pk=first.pk)) == "operator"


def test_it_takes_administration_from_a_superuser_too() -> None:
    root = User.objects.create_superuser("root", password="x")
    make.a_user("ada", "admin")
    assert update(make.SYSTEM, root, role="viewer")
    root.refresh_from_db()
    assert (root.is_superuser, role_of(root)) == (False, "viewer")


def test_it_replaces_a_forgotten_password() -> None:
    admin, user = make.a_user("ada", "admin"), make.a_user("vera", "viewer")
    password = users.renew_password(actor=admin, user=user)
    user.refresh_from_db()
    assert user.check_password(password.reveal())
    assert not user.check_password(make.PASSWORD)
    event = Event.objects.get()
    assert (event.action, event.before, event.after) == ("user-password-renewed", {}, {})
    assert password.reveal() not in event.message


def test_it_removes_lost_second_factors_only_when_told() -> None:
    admin, user = make.a_user("ada", "admin"), make.a_user("vera", "viewer")
    for owner in (admin, user):
        Authenticator.objects.create(user=owner, type="totp", data={"secret": "kept-secret"})
        Authenticator.objects.create(user=owner, type="recovery_codes", data={})
    users.renew_password(actor=admin, user=user)
    assert users.second_factors(user) == ["Recovery codes", "TOTP Authenticator"]
    users.renew_password(actor=admin, user=user, remove_second_factors=True)
    assert users.second_factors(user) == []
    assert len(users.second_factors(admin)) == 2
    kept, removed = Event.objects.order_by("pk")
    assert (kept.before, kept.after) == ({}, {})
    assert removed.before == {"second_factors": ["Recovery codes", "TOTP Authenticator"]}
    assert removed.after == {"second_factors": []}
    assert "second factors removed" in removed.message


@pytest.mark.parametrize("role", ["", "viewer", "operator"])
def test_it_lets_administrators_manage_users_and_nobody_else(role: str) -> None:
    actor, user = make.a_user("somebody", role), make.a_user("vera", "viewer")
    with pytest.raises(PermissionDenied):
        users.create_user(actor=actor, name="x", role="viewer")
    with pytest.raises(PermissionDenied):
        update(actor, user, role="admin")
    with pytest.raises(PermissionDenied):
        users.renew_password(actor=actor, user=user)
