"""Database refusals as sentences: whoever loses a race gets the same answer as whoever was told before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import IntegrityError

from tunnels.domain.findings import refuse


@contextmanager
def constraint_sentences() -> Iterator[None]:
    """Turn an IntegrityError of one of our constraints into a RuleError with the constraint's sentence.

    Wrap it around `transaction.atomic()`, not the other way round: the transaction must have rolled back.
    """
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        sentence = _sentences().get(name or "")
        if sentence is None:
            raise
        raise refuse(str(name).replace("_", "-"), sentence) from None


def _sentences() -> dict[str, str]:
    return {
        constraint.name: str(constraint.violation_error_message)
        for model in apps.get_app_config("tunnels").get_models()
        for constraint in model._meta.constraints
    }
