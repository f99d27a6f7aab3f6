from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import factories as make
from tunnels.models import Event
from tunnels.services.access import role_of

pytestmark = pytest.mark.django_db
LIST = "/users/"
NEW = "/users/new/"
HTMX = {"HX-Request": "true", "HX-Target": "dialog-body"}


@pytest.fixture
def ada() -> User:
    return make.a_user("ada", "admin")


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def edit(user: User) -> str:
    return reverse("tunnels:user-edit", args=[user.pk])


def renew(user: User) -> str:
    return reverse("tunnels:user-password", args=[user.pk])


def shown_password(text: str) -> str:
    found = re.search(r'id="one-time-password">([^<]+)<', text)
    assert found
    return found[1]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_it_shows_the_password_of_a_new_user_once(admin: Client, headers: dict[str, str]) -> None:
    assert admin.get(NEW, headers=headers).status_code == 200
    answer = admin.post(NEW, {"name": "olga", "role": "operator"}, headers=headers)
    password = shown_password(answer.content.decode())
    user = User.objects.get(username="olga")
    assert user.check_password(password)
    assert role_of(user) == "operator"
    assert "no-store" in answer["Cache-Control"]
    assert ("HX-Trigger" in answer) is bool(headers)
    assert password not in str(dict(admin.session))
    for page in (LIST, NEW, edit(user), "/activity/"):
        assert password not in admin.get(page).content.decode()


def test_it_keeps_what_was_typed_when_a_name_is_taken(admin: Client) -> None:
    answer = admin.post(NEW, {"name": "ADA", "role": "operator", "may_reveal": "on"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "There is a user ada already" in text
    assert 'value="ADA"' in text
    assert User.objects.count() == 1


def test_it_changes_role_sight_and_access(admin: Client) -> None:
    user = make.a_user("vera", "viewer")
    shown = admin.get(edit(user)).context["form"].initial
    assert shown == {"role": "viewer", "may_reveal": False, "active": True}
    answer = admin.post(edit(user), {"role": "operator", "may_reveal": "on", "active": "on"})
    assert (answer.status_code, answer["Location"]) == (303, LIST)
    user = User.objects.get(pk=user.pk)
    assert role_of(user) == "operator"
    assert user.has_perm("tunnels.reveal_psk")
    admin.post(edit(user), {"role": "operator"})
    user = User.objects.get(pk=user.pk)
    assert not user.is_active
    assert "deactivated" in admin.get(LIST).content.decode()


def test_it_signs_a_deactivated_user_out(admin: Client) -> None:
    user = make.a_user("vera", "viewer")
    theirs = Client()
    theirs.force_login(user)
    assert theirs.get("/activity/").status_code == 200
    admin.post(edit(user), {"role": "viewer"})
    assert theirs.get("/activity/").status_code == 302


def test_it_refuses_that_administrators_lock_themselves_out(admin: Client, ada: User) -> None:
    assert "This is you." in admin.get(edit(ada)).content.decode()
    answer = admin.post(edit(ada), {"role": "viewer", "active": "on"})
    assert answer.status_code == 422
    assert "You cannot take administration from yourself" in answer.content.decode()
    answer = admin.post(renew(ada))
    assert answer.status_code == 422
    assert "Change your own password" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(make.PASSWORD)


def test_it_renews_a_password_after_asking(admin: Client) -> None:
    user = make.a_user("vera", "viewer")
    theirs = Client()
    theirs.force_login(user)
    asked = admin.get(reverse("tunnels:user-password-confirm", args=[user.pk]))
    assert renew(user) in asked.content.decode()
    user.refresh_from_db()
    assert user.check_password(make.PASSWORD)
    answer = admin.post(renew(user))
    user.refresh_from_db()
    assert user.check_password(shown_password(answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    assert theirs.get("/activity/").status_code == 302
    assert Event.objects.get().action == "user-password-renewed"


def test_it_lets_somebody_in_again_who_lost_the_second_factor(admin: Client) -> None:
    user = make.a_user("vera", "viewer")
    confirm = reverse("tunnels:user-password-confirm", args=[user.pk])
    assert "second factors" not in admin.get(confirm).text
    Authenticator.objects.create(user=user, type="totp", data={})
    assert "Also remove their second factors" in admin.get(confirm).text
    admin.post(renew(user))
    assert Authenticator.objects.count() == 1
    admin.post(renew(user), {"remove_second_factors": "1"})
    assert Authenticator.objects.count() == 0


def test_it_answers_each_kind_of_visitor() -> None:
    user = make.a_user("target", "viewer")
    pages = [
        ("get", NEW),
        ("post", NEW),
        ("get", edit(user)),
        ("post", edit(user)),
        ("post", renew(user)),
    ]
    for role, expected in (("", 404), ("viewer", 403), ("operator", 403)):
        client = Client()
        client.force_login(make.a_user(f"a-{role or 'stranger'}", role))
        assert client.get(LIST).status_code == 404
        for method, page in pages:
            data = {"name": "x", "role": "admin", "active": "on"} if method == "post" else {}
            assert getattr(client, method)(page, data).status_code == expected
    assert Client().get(LIST).status_code == 302
    user.refresh_from_db()
    assert role_of(user) == "viewer"
    assert user.check_password(make.PASSWORD)


def test_it_never_writes_on_get(admin: Client) -> None:
    user = make.a_user("vera", "viewer")
    assert admin.get(renew(user)).status_code == 405
    assert admin.post(LIST).status_code == 405
    assert admin.get(reverse("tunnels:user-edit", args=[987])).status_code == 404


def test_it_lists_many_users_in_a_constant_number_of_queries(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        make.a_user(f"user-{number:02}", ("viewer", "operator", "admin", "")[number % 4])
    first = admin.get(LIST)
    assert [entry[1] for entry in first.context["entries"]][:5] == [
        "admin", "viewer", "operator", "admin", "",
    ]  # fmt: skip
    assert len(first.context["entries"]) == 50
    assert len(admin.get(LIST + first.context["page"].next).context["entries"]) == 11
    assert [e[0].username for e in admin.get(LIST, {"q": "R-07"}).context["entries"]] == ["user-07"]
    # Session, user, its two permission queries, users, their groups and permissions (two).
    with django_assert_max_num_queries(8):
        admin.get(LIST)
