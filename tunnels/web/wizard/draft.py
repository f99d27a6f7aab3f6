"""A draft as the tunnel that it would become if it were finished now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.datastructures import MultiValueDict

from tunnels.domain.health import HealthCheck
from tunnels.domain.proposals import DEFAULT_PRESET, PRESETS, IkeSettings, IpsecSettings, Preset
from tunnels.domain.secret import PSK_MIN, Secret
from tunnels.domain.spec import Endpoint, TunnelSpec
from tunnels.domain.status import Intent
from tunnels.models import CustomerGateway, VpnGateway
from tunnels.web.devices import remembered
from tunnels.web.wizard.device import note
from tunnels.web.wizard.forms_basic import BasicForm
from tunnels.web.wizard.forms_common import Data, StepForm
from tunnels.web.wizard.forms_ike import IkeForm
from tunnels.web.wizard.forms_ipsec import IpsecForm
from tunnels.web.wizard.forms_spd import SpdForm

if TYPE_CHECKING:
    from tunnels.web.wizard.storage import DraftStorage

# For a draft whose key cannot be read any more: every device takes it.
_ANY_KEY = Secret("x" * PSK_MIN)


def chosen_gateway(storage: DraftStorage) -> VpnGateway | None:
    """The VPN gateway of the draft's step 1, with its network; None when there is none, or not any more."""
    gateways = VpnGateway.objects.select_related("vpc", "ccn")
    return gateways.filter(public_id=_basic(storage).get("basic-vpn_gateway") or "").first()


def chosen_customer(storage: DraftStorage) -> CustomerGateway | None:
    """The customer gateway of step 1; None when it is to be created, or is gone."""
    chosen = _basic(storage).get("basic-customer_gateway") or ""
    return CustomerGateway.objects.filter(public_id=chosen).first()


def probe_of(storage: DraftStorage) -> HealthCheck | None:
    """The health check of step 1, when both its addresses were typed."""
    return BasicForm.typed_probe(_basic(storage), "basic")


def preset_data(storage: DraftStorage, step: str) -> Data:
    """What a step that nobody has filled in is taken to be: as the chosen preset says."""
    values: dict[str, str] = {}
    if step == "ike":
        values = IkeForm.data_of(_preset(storage).ike, step)
    elif step == "ipsec":
        values = IpsecForm.data_of(_preset(storage).ipsec, step)
    return MultiValueDict({name: [value] for name, value in values.items()})


def ike_of(storage: DraftStorage) -> IkeSettings:
    """Step 3 as far as it is in order, else as the preset says."""
    form = IkeForm(data=storage.get_step_data("ike"), prefix="ike")
    return form.settings if form.is_valid() else _preset(storage).ike


def note_device(
    storage: DraftStorage, step: str, form: StepForm, gateway: VpnGateway, *, whole: bool
) -> None:
    """Say at the step what the draft's device cannot do, when it is known (one query); see `wizard.device.note`."""
    customer = chosen_customer(storage)
    device = remembered(customer) if customer else None
    if customer and device:
        note(form, step, device, spec_of_draft(storage, form, gateway, customer), whole=whole)


def spec_of_draft(
    storage: DraftStorage, form: StepForm, gateway: VpnGateway, customer: CustomerGateway
) -> TunnelSpec:
    """The tunnel with the step as `form` shows it, and the other steps as they are stored (no query)."""
    ike = form.shown_settings if isinstance(form, IkeForm) else ike_of(storage)
    rules = form if isinstance(form, SpdForm) else _spd(storage, gateway)
    return TunnelSpec(
        id="vpnx-00000000",
        name="",
        revision=0,
        intent=Intent.UP,
        local=Endpoint(
            name=gateway.name,
            address=gateway.public_ip,
            identity=ike.local_fqdn or str(gateway.public_ip),
        ),
        remote=Endpoint(
            name=customer.name,
            address=customer.public_ip,
            identity=ike.remote_fqdn or str(customer.public_ip),
        ),
        psk=storage.psk or _ANY_KEY,
        rules=rules.rules,
        ike=ike,
        ipsec=form.shown_settings if isinstance(form, IpsecForm) else _ipsec(storage, ike),
        health=probe_of(storage),
    )


def _basic(storage: DraftStorage) -> Data:
    return storage.get_step_data("basic") or MultiValueDict()


def _spd(storage: DraftStorage, gateway: VpnGateway) -> SpdForm:
    return SpdForm(data=storage.get_step_data("spd"), prefix="spd", vpn_gateway=gateway)


def _ipsec(storage: DraftStorage, ike: IkeSettings) -> IpsecSettings:
    form = IpsecForm(data=storage.get_step_data("ipsec"), prefix="ipsec", ike=ike)
    return form.settings if form.is_valid() else _preset(storage).ipsec


def _preset(storage: DraftStorage) -> Preset:
    return PRESETS.get(storage.preset) or PRESETS[DEFAULT_PRESET]
