"""Finish: from four valid step forms to one tunnel, or to the step that has to be corrected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias
from uuid import UUID

from django.db import transaction

from tunnels.domain.findings import Finding, RuleError
from tunnels.models import CustomerGateway, Tunnel
from tunnels.services.access import Actor
from tunnels.services.creation import Basics, create_tunnel
from tunnels.services.gateways import create_customer_gateway
from tunnels.services.policy import lock_gateway
from tunnels.web.wizard.forms_basic import BasicForm
from tunnels.web.wizard.forms_ike import IkeForm
from tunnels.web.wizard.forms_ipsec import IpsecForm
from tunnels.web.wizard.forms_spd import SpdForm

StepForms: TypeAlias = tuple[BasicForm, SpdForm, IkeForm, IpsecForm]

NEW_CUSTOMER: Final = {"name": "new_customer_name", "public_ip": "new_customer_ip"}
# Findings of constraints have no field; these names tell where they belong.
STEP_OF_RULE: Final = {"mapping-no-overlap": "spd"}
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "spd": ("rules", "local", "remotes"),
    "ike": ("version", "mode", "prf", "dh_group", "local_fqdn", "remote_fqdn", "encryption", "integrity"),
    "ipsec": ("pfs", "lifetime_kb"),
}  # fmt: skip


def create(*, actor: Actor, draft: UUID, forms: StepForms) -> Tunnel:
    """The draft's tunnel, with its new customer gateway where one was asked for: both, or neither.

    Twice the same draft is the same tunnel. Raises RuleError, with the names of the forms' fields.
    """
    basic, spd, ike, ipsec = forms
    data, psk = basic.cleaned_data, basic.key
    if psk is None:
        message = "Type a key, or generate one."
        raise RuleError([Finding(rule="psk-missing", message=message, field="psk")])
    with transaction.atomic():
        # Gateways are locked before customer gateways everywhere; and whoever pressed Finish twice waits here.
        gateway = lock_gateway(data["vpn_gateway"])
        finished = Tunnel.objects.filter(draft=draft).first()
        if finished:
            return finished
        return create_tunnel(
            actor=actor,
            basics=Basics(
                name=data["name"],
                vpn_gateway=gateway,
                customer_gateway=data["customer_gateway"] or _new_customer(actor, data),
                psk=psk,
                health=basic.health,
                tags=basic.tags,
            ),
            rules=spd.rules,
            ike=ike.settings,
            ipsec=ipsec.settings,
            draft=draft,
        )


def first_step(findings: tuple[Finding, ...]) -> tuple[str, list[Finding]]:
    """The first step that has findings, and its own."""
    by_step: dict[str, list[Finding]] = {}
    for finding in findings:
        by_step.setdefault(_step_of(finding), []).append(finding)
    step = next(step for step in ("basic", *FIELDS) if step in by_step)
    return step, by_step[step]


def _step_of(finding: Finding) -> str:
    named = STEP_OF_RULE.get(finding.rule)
    return named or next(
        (step for step, fields in FIELDS.items() if finding.field in fields), "basic"
    )


def _new_customer(actor: Actor, data: Mapping[str, str]) -> CustomerGateway:
    try:
        return create_customer_gateway(
            actor=actor, name=data["new_customer_name"], public_ip=data["new_customer_ip"]
        )
    except RuleError as error:
        raise RuleError(
            finding.at(NEW_CUSTOMER.get(finding.field, finding.field)) for finding in error.findings
        ) from None
