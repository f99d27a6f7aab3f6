"""Why there is no file, and where each obstacle can be removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tunnels.domain.findings import Finding
from tunnels.web.detail.steps import TITLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A sentence, and the step of the tunnel in which the setting is ("" = none), with its title."""

    message: str
    step: str
    title: str


def refusals(findings: Iterable[Finding]) -> list[Refusal]:
    """One for each sentence; the fields of findings are named `step.field`."""
    found = {}
    for finding in findings:
        step = finding.field.partition(".")[0]
        step = step if "." in finding.field and step in TITLES else ""
        found[finding.message] = Refusal(
            message=finding.message, step=step, title=TITLES.get(step, "")
        )
    return list(found.values())
