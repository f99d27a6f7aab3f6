"""What a rule answers: findings, each with a stable id and a sentence for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One refusal of one rule.

    `rule` is a kebab-case id that tests and API clients may rely on, `message` the sentence shown to
    people (what is wrong and what to do), `field` the name of the input it belongs to ("" = the whole
    form) and `row` the zero-based SPD rule row, when the field repeats.
    """

    rule: str
    message: str
    field: str = ""
    row: int | None = None

    def at(self, field: str, row: int | None = None) -> Finding:
        """The same finding, placed at another field."""
        return replace(self, field=field, row=row)


class RuleError(Exception):
    """The request breaks one or more rules; `findings` says which."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("; ".join(finding.message for finding in self.findings))


def refuse(rule: str, message: str, *, field: str = "", row: int | None = None) -> RuleError:
    """A RuleError with a single finding, ready to raise."""
    return RuleError([Finding(rule=rule, message=message, field=field, row=row)])
