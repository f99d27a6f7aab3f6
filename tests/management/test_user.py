from __future__ import annotations

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from tests import factories as make
from tunnels.models import Event
from tunnels.services.access import role_of

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("user", *arguments, stdout=out)
    return out.getvalue()


def test_it_adds_a_user_and_shows_the_password() -> None:
    said = run("add", "olga", "--role", "operator")
    user = User.objects.get()
    assert role_of(user) == "operator"
    assert "olga was created as operator" in said
    assert user.check_password(said.split()[-1])
    assert Event.objects.get().actor_name == "manage.py"


def test_it_lists_users_with_their_roles() -> None:
    make.a_user("olga", "operator")
    make.a_user("nobody")
    User.objects.filter(username="nobody").update(is_active=False)
    lines = run("list").splitlines()
    assert [line.split() for line in lines] == [
        ["nobody", "no", "role", "(deactivated)"],
        ["olga", "operator"],
    ]


def test_it_changes_the_role() -> None:
    user = make.a_user("olga", "operator")
    assert "was saved" in run("role", "OLGA", "viewer")
    assert role_of(User.objects.get(pk=user.pk)) == "viewer"
    assert "nothing changed" in run("role", "olga", "viewer")


def test_it_renews_the_password() -> None:
    user = make.a_user("olga", "operator")
    said = run("password", "olga")
    user.refresh_from_db()
    assert user.check_password(said.split()[-1])


def test_it_removes_lost_second_factors() -> None:
    user = make.a_user("olga", "operator")
    Authenticator.objects.create(user=user, type="totp", data={})
    run("password", "olga")
    assert Authenticator.objects.count() == 1
    run("password", "olga", "--remove-second-factors")
    assert Authenticator.objects.count() == 0


def test_it_deactivates_and_activates() -> None:
    user = make.a_user("olga", "operator")
    run("deactivate", "olga")
    user.refresh_from_db()
    assert not user.is_active
    run("activate", "olga")
    user.refresh_from_db()
    assert user.is_active


def test_it_refuses_in_one_sentence() -> None:
    make.a_user("ada", "admin")
    with pytest.raises(CommandError, match="only active administrator"):
        run("role", "ada", "viewer")
    with pytest.raises(CommandError, match="There is no user nemo"):
        run("password", "nemo")
