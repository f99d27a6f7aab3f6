"""Model fields of our own: readable ids, encrypted secrets, and what text search is made of."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func

from tunnels.domain.secret import Secret
from tunnels.models import vault

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Expression

    _CharField = models.CharField[str, str]
    _TextField = models.TextField[Secret, Secret]
else:
    _CharField, _TextField = models.CharField, models.TextField

_ALPHABET = string.ascii_lowercase + string.digits


class PublicIdField(_CharField):
    """A readable id such as `vpnx-3f9a0c1z`: a prefix and 8 random characters of [a-z0-9], made on creation."""

    def __init__(self, *, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs |= {"max_length": 24, "unique": True, "editable": False, "default": self.make}
        super().__init__(**kwargs)

    def make(self) -> str:
        """A fresh id; 36^8 of them make a collision a unique-constraint error that nobody will see."""
        return f"{self.prefix}-{''.join(secrets.choice(_ALPHABET) for _ in range(8))}"

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for made in ("max_length", "unique", "editable", "default"):
            kwargs.pop(made, None)
        return name, path, args, kwargs | {"prefix": self.prefix}


class SecretField(_TextField):
    """A text that is encrypted in the database and a `Secret` in Python."""

    def get_prep_value(self, value: Any) -> Any:
        return vault.encrypt(value) if isinstance(value, Secret) else value

    def from_db_value(
        self, value: str | None, _expression: Expression, _connection: BaseDatabaseWrapper
    ) -> Secret | None:
        return None if value is None else vault.decrypt(value)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """Serializers (dumpdata) get the token, never the text."""
        return vault.encrypt(self.value_from_object(obj))


class Trigrams(Func):
    """The lower-case trigrams of a text, as an array that a core GIN index can search.

    Made by the migrations; it stands in for pg_trgm, which the embedded PostgreSQL does not have.
    """

    function = "vpnconsole_trigrams"
    output_field = ArrayField(models.TextField())
