"""What only the customer knows about the device: the names of its interfaces, free numbers, zones.

Each question has the device's usual value filled in, so that a file can always be shown at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.spec import TunnelSpec

Answers = Mapping[str, str]
# No device has longer names for what is asked.
ANSWER_MAX: Final = 100
# The answer to a question about something that is not there.
NONE: Final = "none"
_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4_OR_NONE: Final = re.compile(rf"{NONE}|{_OCTET}(\.{_OCTET}){{3}}", re.ASCII)


def _always(_spec: TunnelSpec) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: `id` in snake_case, `label` and `help` for people, the `usual` answer.

    An answer has at most ANSWER_MAX characters and must match the whole of `grammar`; `numbers` is the lowest and
    highest, when it is a number. `example` is what the sentence of refusal offers. `asked` tells for which tunnels the
    question matters.
    """

    id: str
    label: str
    usual: str
    grammar: re.Pattern[str]
    help: str = ""
    example: str = ""
    numbers: tuple[int, int] | None = None
    asked: Callable[[TunnelSpec], bool] = _always

    def problem(self, answer: str) -> str:
        """What is wrong with the answer, in a sentence; empty when nothing is."""
        if self.numbers:
            low, high = self.numbers
            # Longer texts are no number that a device takes, and Python refuses to read very long ones.
            if re.fullmatch("[0-9]{1,10}", answer, re.ASCII) and low <= int(answer) <= high:
                return ""
            return f"{self.label}: enter a number from {low} to {high}."
        if len(answer) > ANSWER_MAX:
            return f"{self.label}: enter at most {ANSWER_MAX} characters."
        if self.grammar.fullmatch(answer):
            return ""
        return f"{self.label}: the device does not take this; enter something like {self.example or self.usual}."


_DIGITS = re.compile("[0-9]+", re.ASCII)


def number(
    question_id: str, label: str, usual: int, limits: tuple[int, int], *, explained: str = ""
) -> Question:
    """A question for a whole number within `limits`."""
    return Question(
        id=question_id,
        label=label,
        usual=str(usual),
        grammar=_DIGITS,
        help=explained,
        numbers=limits,
    )


def is_ikev1(spec: TunnelSpec) -> bool:
    """For `asked`: what matters with IKEv1 only."""
    return spec.ike.version is IkeVersion.V1


def is_probed(spec: TunnelSpec) -> bool:
    """For `asked`: what the health check needs."""
    return spec.health is not None


def begins(spec: TunnelSpec) -> bool:
    """For `asked`: what matters when the device begins, since the VPN gateway only waits."""
    return customer_viewpoint(spec).starts


NEXT_HOP: Final = Question(
    id="next_hop",
    label="Next hop towards the VPN gateway",
    usual=NONE,
    grammar=IPV4_OR_NONE,
    example="198.51.100.1",
    help="For routes to its ranges; none, when the default route leads out of the outside interface.",
)


def answered(
    questions: tuple[Question, ...], given: Mapping[str, str], spec: TunnelSpec
) -> Answers:
    """The answer to each question that matters for this tunnel: the one given, stripped, or the usual one.

    What was not asked is ignored. Raises RuleError with one finding (`field` is the question's id) for each answer that
    the device's grammar does not take.
    """
    answers: dict[str, str] = {}
    findings = []
    for question in questions:
        if not question.asked(spec):
            continue
        answer = given.get(question.id, "").strip() or question.usual
        problem = question.problem(answer)
        if problem:
            findings.append(Finding(rule="device-answer", message=problem, field=question.id))
        answers[question.id] = answer
    if findings:
        raise RuleError(findings)
    return MappingProxyType(answers)
