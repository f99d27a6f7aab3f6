"""Database refusals as sentences: whoever loses a race gets the same answer as whoever was told before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import IntegrityError, OperationalError
from psycopg.errors import DeadlockDetected, ForeignKeyViolation

from tunnels.domain.findings import refuse

GONE = (
    "Something that was chosen here has been deleted meanwhile; reload the page and choose again."
)

BUSY = "Somebody else was saving something that gets in the way of this; try again."


@contextmanager
def constraint_sentences() -> Iterator[None]:
    """Turn an IntegrityError of one of our constraints into a RuleError with the constraint's sentence.

    A reference to a row that somebody deleted meanwhile gets a sentence too, and so does a deadlock: two inserts
    that exclude each other may wait for one another until PostgreSQL ends one of them.

    Wrap it around `transaction.atomic()`, not the other way round: the transaction must have rolled back.
    """
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, DeadlockDetected):
            raise refuse("busy", BUSY) from None
        raise
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if isinstance(error.__cause__, ForeignKeyViolation):
            raise refuse("reference-gone", GONE) from None
        sentence = _sentences().get(name or "")
        if sentence is None:
            raise
        raise refuse(str(name).replace("_", "-"), sentence) from None


def _sentences() -> dict[str, str]:
    sentences: dict[str, str] = {}
    for model in apps.get_app_config("tunnels").get_models():
        for constraint in model._meta.constraints:
            sentences[constraint.name] = str(constraint.violation_error_message)
        for field in model._meta.local_fields:
            if field.unique and field.editable:
                # PostgreSQL itself names the constraint of a column that is unique alone.
                name = f"{model._meta.db_table}_{field.column}_key"
                sentences[name] = f"This {field.verbose_name} is taken; choose another."
    return sentences
