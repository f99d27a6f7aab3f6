from __future__ import annotations

from django import forms

from tunnels.domain.findings import Finding, RuleError
from tunnels.web.errors import add_findings


class _Form(forms.Form):
    name = forms.CharField(required=False)
    address = forms.CharField(required=False)


class _RowForm(_Form):
    def __init__(self, data: dict[str, str]) -> None:
        super().__init__(data)
        self.told: list[tuple[str, int, str]] = []

    def add_row_error(self, field: str, row: int, message: str) -> bool:
        self.told.append((field, row, message))
        return row < 2


def _finding(message: str, field: str = "", row: int | None = None) -> Finding:
    return Finding(rule="some-rule", message=message, field=field, row=row)


def test_it_puts_a_finding_at_its_field_or_above_the_form() -> None:
    form = _Form({})
    add_findings(form, [_finding("Too long.", "name"), _finding("Not now."), _finding("Odd.", "x")])
    assert form.errors == {"name": ["Too long."], "__all__": ["Not now.", "Odd."]}


def test_it_takes_a_rule_error_and_the_forms_own_names() -> None:
    form = _Form({})
    error = RuleError([_finding("Taken.", "public_ip")])
    add_findings(form, error, {"public_ip": "address"})
    assert form.errors == {"address": ["Taken."]}


def test_it_says_nothing_twice() -> None:
    form = _Form({})
    for _ in range(2):
        add_findings(form, [_finding("Too long.", "name"), _finding("Not now.")])
    assert form.errors == {"name": ["Too long."], "__all__": ["Not now."]}


def test_it_hands_rows_to_forms_that_have_some() -> None:
    form = _RowForm({})
    add_findings(form, [_finding("First.", "local", 1), _finding("Third.", "local", 2)])
    assert form.told == [("local", 1, "First."), ("local", 2, "Third.")]
    assert form.errors == {"__all__": ["Third."]}
