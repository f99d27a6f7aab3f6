"""Step 2: the SPD rules, and the mappings that they form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from django import forms

from tunnels.domain.health import HealthCheck
from tunnels.domain.spd import Rule
from tunnels.models import Tunnel, VpnGateway
from tunnels.services.policy import check_policy
from tunnels.services.specs import quotas
from tunnels.web.errors import add_findings
from tunnels.web.wizard.forms_common import StepForm
from tunnels.web.wizard.preview import ParsedRow, Preview, parse_row, preview

CHECK = "check"


class SpdForm(StepForm, forms.Form):
    """Step 2. `health` is the tunnel's health check when its addresses are known; `besides` the tunnel being edited.

    After `is_valid()`: `rules`, a tuple of domain rules in the order of the rows, blank rows left out.
    """

    rows: ClassVar[Mapping[str, tuple[str, ...]]] = {"rules": ("local", "remotes")}
    operations: ClassVar[tuple[str, ...]] = ("add_rule", "remove_rule", CHECK, "refresh")

    def __init__(
        self,
        *args: Any,
        vpn_gateway: VpnGateway,
        health: HealthCheck | None = None,
        besides: Tunnel | None = None,
        **kwargs: Any,
    ) -> None:
        initial = dict(kwargs.pop("initial", None) or {})
        initial["rules"] = initial.get("rules") or [("", "")]
        super().__init__(*args, initial=initial, **kwargs)
        self.vpn_gateway = vpn_gateway
        self.health = health
        self.besides = besides

    @classmethod
    def initial_of(cls, rules: Iterable[Rule]) -> dict[str, Any]:
        """`initial` for editing these rules."""
        return {
            "rules": [(str(rule.local), "\n".join(map(str, rule.remotes))) for rule in rules],
        }

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The typed rules; meant for valid forms, else what could be read of them."""
        return tuple(row.rule for row in self.parsed if row.rule)

    @cached_property
    def parsed(self) -> tuple[ParsedRow, ...]:
        """The rows with something in them."""
        return tuple(
            parse_row(row.index, *row.values) for row in self.row_lists["rules"] if not row.blank
        )

    @cached_property
    def preview(self) -> Preview:
        """The table of mappings for what is typed now."""
        return preview(
            self.parsed, vpn_gateway=self.vpn_gateway, health=self.health, besides=self.besides
        )

    @property
    def full(self) -> bool:
        """Whether there are as many rows as a tunnel may have rules."""
        return len(self.row_lists["rules"]) >= quotas().rules_per_tunnel

    def clean(self) -> dict[str, Any]:
        """Check the rules, alone and against all tunnels of the gateway; each finding goes to its row."""
        unreadable = [finding for row in self.parsed for finding in row.findings]
        add_findings(self, unreadable)
        places = [row.index for row in self.parsed if row.rule]
        for finding in check_policy(
            self.rules, vpn_gateway=self.vpn_gateway, health=self.health, besides=self.besides
        ):
            row = None if finding.row is None else places[finding.row]
            placed = finding.at(finding.field, row)
            if finding.rule == "spd-empty":
                placed = finding.at("local", 0)
            # Of a range that could not be read, the rules only see that it is missing.
            hidden = finding.rule in ("spd-empty", "spd-no-remote") and any(
                told.field == placed.field and told.row == placed.row for told in unreadable
            )
            if not hidden:
                add_findings(self, [placed])
        return super().clean() or self.cleaned_data
