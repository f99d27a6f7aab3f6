"""Forms of the user pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from tunnels.services.access import role_of
from tunnels.services.users import may_reveal_by_itself

_ROLES = (
    ("viewer", "Viewer: looks at everything"),
    ("operator", "Operator: also creates, edits, resets and deletes tunnels"),
    ("admin", "Administrator: also manages networks, gateways and users, and sees keys"),
)


def _role() -> forms.ChoiceField:
    return forms.ChoiceField(choices=_ROLES, initial="viewer", widget=forms.RadioSelect)


def _may_reveal() -> forms.BooleanField:
    return forms.BooleanField(
        label="May reveal pre-shared keys",
        required=False,
        help_text="For viewers and operators. Administrators may in any case; each look at a key is recorded.",
    )


class NewUserForm(forms.Form):
    """A user to be made; the password is generated."""

    name = forms.CharField(
        label="User name",
        max_length=150,
        help_text="Letters, digits and @ . + - _ without spaces. They sign in with it.",
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        ),
        error_messages={"required": "Enter a user name."},
    )
    role = _role()
    may_reveal = _may_reveal()


class UserForm(forms.Form):
    """What can be changed of a user."""

    role = _role()
    may_reveal = _may_reveal()
    active = forms.BooleanField(
        label="May sign in",
        required=False,
        help_text="Without it the user stays in the list and in the activity, and is signed out at once.",
    )

    @classmethod
    def values(cls, user: User) -> dict[str, Any]:
        """The initial values that show a user."""
        return {
            "role": role_of(user),
            "may_reveal": may_reveal_by_itself(user),
            "active": user.is_active,
        }
