"""The four steps as they are edited: their forms, what these would make of the tunnel, how they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias, cast

from tunnels.domain.spec import TunnelSpec
from tunnels.models import Tunnel
from tunnels.services import editing
from tunnels.services.access import Actor
from tunnels.services.policy import settle_health
from tunnels.services.specs import spec_of, stored_rules
from tunnels.web.devices import remembered
from tunnels.web.wizard.device import note
from tunnels.web.wizard.forms_basic import BasicForm
from tunnels.web.wizard.forms_common import StepForm
from tunnels.web.wizard.forms_ike import IkeForm
from tunnels.web.wizard.forms_ipsec import IpsecForm
from tunnels.web.wizard.forms_spd import SpdForm

AnyForm: TypeAlias = BasicForm | SpdForm | IkeForm | IpsecForm

FORMS: Final[Mapping[str, type[StepForm]]] = {
    "basic": BasicForm,
    "spd": SpdForm,
    "ike": IkeForm,
    "ipsec": IpsecForm,
}
TITLES: Final[Mapping[str, str]] = {
    "basic": "Basic information",
    "spd": "SPD policy",
    "ike": "IKE settings",
    "ipsec": "IPsec settings",
}


def arguments(step: str, tunnel: Tunnel) -> dict[str, Any]:
    """What the step's form needs to know of the tunnel; it changes no stored row."""
    if step == "basic":
        return {"tunnel": tunnel}
    if step == "spd":
        return {"vpn_gateway": tunnel.vpn_gateway, "health": tunnel.health, "besides": tunnel}
    return {"presets": False} if step == "ike" else {"ike": tunnel.ike.settings}


def initial(step: str, tunnel: Tunnel) -> dict[str, Any]:
    """What the step's form begins with: the tunnel as it is."""
    if step == "basic":
        return BasicForm.initial_of(tunnel)
    if step == "spd":
        return SpdForm.initial_of(stored_rules(tunnel))
    row = tunnel.ike if step == "ike" else tunnel.ipsec
    return {field.name: getattr(row, field.name) for field in row._meta.fields}


def candidate(tunnel: Tunnel, form: AnyForm) -> tuple[TunnelSpec, TunnelSpec]:
    """The tunnel as it is, and as a valid form would make it. Raises RuleError when no probe address is free."""
    before = spec_of(tunnel)
    match form:
        case BasicForm():
            health = settle_health(form.health, vpn_gateway=tunnel.vpn_gateway, besides=tunnel)
            after = replace(
                before,
                name=form.cleaned_data["name"],
                tags=form.tags,
                psk=form.key or before.psk,
                health=health,
            )
        case SpdForm():
            after = replace(before, rules=form.rules)
        case IkeForm():
            # The identities that follow from the settings need no telling: any change of them is one of these.
            after = replace(before, ike=form.settings)
        case _:
            after = replace(before, ipsec=form.settings)
    return before, after


def note_device(step: str, tunnel: Tunnel, form: AnyForm) -> None:
    """Say at the step what the tunnel's device cannot do, when it is known (two queries); see `wizard.device.note`."""
    device = remembered(tunnel.customer_gateway)
    if device and step != "basic":
        note(form, step, device, _shown(tunnel, form), whole=False)


def save(
    form: AnyForm, *, actor: Actor, tunnel: Tunnel, seen_revision: int, seen_mark: str
) -> None:
    """Save a valid form. Raises RuleError, also when somebody saved meanwhile, and PermissionDenied."""
    match form:
        case BasicForm():
            editing.update_basics(
                actor=actor,
                tunnel=tunnel,
                name=form.cleaned_data["name"],
                health=form.health,
                tags=form.tags,
                psk=form.key,
                seen_revision=seen_revision,
                seen_mark=seen_mark,
            )
        case SpdForm():
            editing.update_policy(
                actor=actor, tunnel=tunnel, rules=form.rules, seen_revision=seen_revision
            )
        case IkeForm():
            editing.update_ike(
                actor=actor, tunnel=tunnel, ike=form.settings, seen_revision=seen_revision
            )
        case _:
            editing.update_ipsec(
                actor=actor, tunnel=tunnel, ipsec=form.settings, seen_revision=seen_revision
            )


def make_form(step: str, **kwargs: Any) -> AnyForm:
    """The step's form, with its prefix."""
    return cast("AnyForm", FORMS[step](prefix=step, **kwargs))


def _shown(tunnel: Tunnel, form: AnyForm) -> TunnelSpec:
    """The tunnel with the step as it is shown, right or wrong."""
    spec = spec_of(tunnel)
    match form:
        case SpdForm():
            return replace(spec, rules=form.rules)
        case IpsecForm():
            return replace(spec, ipsec=form.shown_settings)
        case IkeForm():
            ike = form.shown_settings
            return replace(
                spec,
                ike=ike,
                local=replace(spec.local, identity=ike.local_fqdn or str(spec.local.address)),
                remote=replace(spec.remote, identity=ike.remote_fqdn or str(spec.remote.address)),
            )
        case _:
            return spec
