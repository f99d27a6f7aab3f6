"""From what the rules answer to messages beside the fields of a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from django.forms import BaseForm

from tunnels.domain.findings import Finding, RuleError


@runtime_checkable
class HasRows(Protocol):
    """A form with repeated inputs: it places a message at one of its rows, and says whether it could."""

    def add_row_error(self, field: str, row: int, message: str) -> bool: ...


def add_findings(
    form: BaseForm, found: RuleError | Iterable[Finding], names: Mapping[str, str] | None = None
) -> None:
    """Put each finding at its input, its row, or, where the form has no such input, above the form.

    `names` gives the form's name of a field where the rules call it otherwise. Nothing is said twice.
    """
    for finding in found.findings if isinstance(found, RuleError) else found:
        field = (names or {}).get(finding.field, finding.field)
        if (
            finding.row is not None
            and isinstance(form, HasRows)
            and form.add_row_error(field, finding.row, finding.message)
        ):
            continue
        place = field if field in form.fields else None
        if finding.message not in form.errors.get(place or "__all__", ()):
            form.add_error(place, finding.message)
