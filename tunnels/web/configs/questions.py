"""The questions of a device, as a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import forms

from tunnels.devices.base import Platform
from tunnels.devices.questions import ANSWER_MAX, Question
from tunnels.domain.findings import Finding
from tunnels.domain.spec import TunnelSpec
from tunnels.models import CustomerGateway
from tunnels.web.errors import add_findings


class QuestionsForm(forms.Form):
    """What a platform asks for this tunnel.

    The names of its inputs begin with the platform's id: what was typed for another platform is no answer here.
    An input shows what was typed, else what was answered at an earlier download, else the usual answer. Rendering
    judges the answers, not this form: `mark` shows its findings.
    """

    use_required_attribute = False

    def __init__(
        self,
        platform: Platform,
        spec: TunnelSpec,
        customer: CustomerGateway,
        typed: Mapping[str, str],
    ) -> None:
        self.questions = tuple(one for one in platform.questions if one.asked(spec))
        known = customer.device_answers.get(platform.id, {})
        # One character too many is kept, so that the answer stays a wrong one.
        self.given = {
            one.id: typed.get(f"{platform.id}-{one.id}", known.get(one.id, one.usual))[: ANSWER_MAX + 1]
            for one in self.questions
        }  # fmt: skip
        shown = {f"{platform.id}-{name}": answer for name, answer in self.given.items()}
        super().__init__(shown, prefix=platform.id, auto_id="config-%s")
        for one in self.questions:
            self.fields[one.id] = _field(one)

    def mark(self, findings: Iterable[Finding]) -> None:
        """Show what is wrong with answers, each at its input."""
        add_findings(self, [finding for finding in findings if finding.field in self.fields])


def _field(question: Question) -> forms.CharField:
    attrs = {
        "placeholder": question.usual,
        "maxlength": ANSWER_MAX,
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
    }
    if question.numbers:
        attrs["inputmode"] = "numeric"
    return forms.CharField(
        label=question.label,
        help_text=question.help,
        required=False,
        widget=forms.TextInput(attrs=attrs),
    )
