"""One form a noun. They read text; the services judge it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.db.models import Model, QuerySet

from tunnels.models import Ccn, CustomerGateway, GatewayType, Region, Tunnel, Vpc, VpnGateway
from tunnels.services import gateways, networks
from tunnels.services.access import Actor
from tunnels.web.devices import offered, remembered

if TYPE_CHECKING:
    _ModelChoiceField = forms.ModelChoiceField[Any]
else:
    _ModelChoiceField = forms.ModelChoiceField


class Text(forms.CharField):
    """A text that is marked as required, while the rules say what is wrong with an empty one."""

    def validate(self, value: Any) -> None:
        """Leave it to the service."""


class Choice(_ModelChoiceField):
    """A choice that is marked as required, while the rules say what is missing."""

    def validate(self, value: Any) -> None:
        """Leave it to the service."""


class InventoryForm(forms.Form):
    """What all of them can do."""

    # Inputs that change which other inputs make sense; and the others, which are fetched again.
    refreshing: ClassVar[tuple[str, ...]] = ()

    def save(self, *, actor: Actor, instance: Any | None) -> str:
        """Create the thing, or change `instance`; the sentence to show. Raises RuleError."""
        raise NotImplementedError

    @classmethod
    def values(cls, instance: Any) -> dict[str, Any]:
        """The initial values that show `instance`."""
        return {"name": instance.name}

    @classmethod
    def refreshed(cls, data: Mapping[str, Any]) -> InventoryForm:
        """The form as it was typed, not judged, with the choices that go with it."""
        return cls(initial={name: data.get(name) for name in cls.base_fields})


class RegionForm(InventoryForm):
    """A region."""

    code = Text(
        help_text="A short word for addresses and files, such as eu-central.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    name = Text(help_text="What people call the place, such as Frankfurt.")

    def save(self, *, actor: Actor, instance: Region | None) -> str:
        """Create or change the region."""
        if instance is None:
            networks.create_region(actor=actor, **self.cleaned_data)
        else:
            networks.update_region(actor=actor, region=instance, **self.cleaned_data)
        return _done("Region", self.cleaned_data["name"], instance)

    @classmethod
    def values(cls, instance: Region) -> dict[str, Any]:
        """Code and name."""
        return {"code": instance.code, "name": instance.name}


class VpcForm(InventoryForm):
    """A VPC."""

    name = Text()
    region = forms.ModelChoiceField(
        Region.objects.all(), error_messages={"required": "Choose a region."}
    )
    cidrs = Text(
        label="CIDR blocks",
        help_text="One a line, IPv4 or IPv6, such as 10.0.0.0/16. "
        "Local ranges of its tunnels must lie inside one of them.",
        widget=forms.Textarea(attrs={"rows": 4, "class": "font-monospace", "spellcheck": "false"}),
    )

    def save(self, *, actor: Actor, instance: Vpc | None) -> str:
        """Create or change the VPC."""
        values = {**self.cleaned_data, "cidrs": self.cleaned_data["cidrs"].splitlines()}
        if instance is None:
            networks.create_vpc(actor=actor, **values)
        else:
            networks.update_vpc(actor=actor, vpc=instance, **values)
        return _done("VPC", values["name"], instance)

    def add_row_error(self, field: str, row: int, message: str) -> bool:
        """Place a message at a line of the blocks."""
        if field != "cidrs":
            return False
        self.add_error(field, f"Line {row + 1}: {message}")
        return True

    @classmethod
    def values(cls, instance: Vpc) -> dict[str, Any]:
        """Name, region, and the blocks one a line."""
        return {
            "name": instance.name,
            "region": instance.region,
            "cidrs": "\n".join(map(str, instance.cidrs)),
        }


class CcnForm(InventoryForm):
    """A CCN."""

    name = Text(help_text="A CCN joins networks of several regions; it has no blocks of its own.")

    def save(self, *, actor: Actor, instance: Ccn | None) -> str:
        """Create or rename the CCN."""
        if instance is None:
            networks.create_ccn(actor=actor, **self.cleaned_data)
        else:
            networks.update_ccn(actor=actor, ccn=instance, **self.cleaned_data)
        return _done("CCN", self.cleaned_data["name"], instance)


def _address(owner: str) -> Text:
    return Text(
        label="Public IP address",
        help_text=f"The static IPv4 or IPv6 address of {owner}.",
        widget=forms.TextInput(
            attrs={"class": "font-monospace", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )


class VpnGatewayForm(InventoryForm):
    """A VPN gateway. The VPCs offered are those of the region; a CCN gateway has a CCN instead."""

    refreshing = ("region", "type")

    name = Text()
    region = forms.ModelChoiceField(
        Region.objects.all(), error_messages={"required": "Choose a region."}
    )
    type = forms.ChoiceField(
        choices=GatewayType.choices,
        initial=GatewayType.VPC,
        help_text="A VPC gateway serves one VPC; a CCN gateway serves every network that the CCN joins.",
    )
    vpc = Choice(Vpc.objects.none(), label="VPC")
    ccn = Choice(Ccn.objects.all(), label="CCN")
    public_ip = _address("the machine on which the gateway runs")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        vpc = cast("Choice", self.fields["vpc"])
        vpc.queryset = self._vpcs()
        if not self._region():
            vpc.empty_label = "Choose a region first"

    @property
    def network(self) -> forms.BoundField:
        """The field of the network that goes with the type."""
        return self["ccn" if str(self["type"].value()) == GatewayType.CCN else "vpc"]

    def save(self, *, actor: Actor, instance: VpnGateway | None) -> str:
        """Create or change the gateway."""
        values = {**self.cleaned_data, "type_": self.cleaned_data["type"]}
        del values["type"]
        if instance is None:
            gateways.create_vpn_gateway(actor=actor, **values)
            return _done("VPN gateway", values["name"], None)
        tunnels = gateways.update_vpn_gateway(actor=actor, vpn_gateway=instance, **values)
        return _done("VPN gateway", values["name"], instance) + _waiting(tunnels)

    @classmethod
    def values(cls, instance: VpnGateway) -> dict[str, Any]:
        """All of it."""
        return {
            "name": instance.name,
            "region": instance.region_id,
            "type": instance.type,
            "vpc": instance.vpc_id,
            "ccn": instance.ccn_id,
            "public_ip": str(instance.public_ip),
        }

    def _region(self) -> str:
        value = str(self["region"].value() or "")
        return value if value.isdecimal() and len(value) < 19 else ""

    def _vpcs(self) -> QuerySet[Vpc]:
        return (
            Vpc.objects.filter(region=int(self._region())) if self._region() else Vpc.objects.none()
        )


class CustomerGatewayForm(InventoryForm):
    """A customer gateway."""

    name = Text(help_text="Whose device it is, and where: people look for it by this name.")
    public_ip = _address("the customer's device")
    platform = forms.ChoiceField(
        label="Device",
        required=False,
        help_text="What it is, when you know it: new tunnels then show what this device cannot do.",
        choices=lambda: [("", "Not known yet"), *offered()],
    )

    def save(self, *, actor: Actor, instance: CustomerGateway | None) -> str:
        """Create or change the gateway."""
        if instance is None:
            gateways.create_customer_gateway(actor=actor, **self.cleaned_data)
            return _done("Customer gateway", self.cleaned_data["name"], None)
        tunnels = gateways.update_customer_gateway(
            actor=actor, customer_gateway=instance, **self.cleaned_data
        )
        return _done("Customer gateway", self.cleaned_data["name"], instance) + _waiting(tunnels)

    @classmethod
    def values(cls, instance: CustomerGateway) -> dict[str, Any]:
        """Name, address, and the device when it is one that is offered."""
        device = remembered(instance)
        return {
            "name": instance.name,
            "public_ip": str(instance.public_ip),
            "platform": device.platform.id if device else "",
        }


def _done(kind: str, name: str, instance: Model | None) -> str:
    return f"{kind} {name} was {'created' if instance is None else 'saved'}."


def _waiting(tunnels: list[Tunnel]) -> str:
    if not tunnels:
        return ""
    count = "1 tunnel waits" if len(tunnels) == 1 else f"{len(tunnels)} tunnels wait"
    return f" {count} to be applied with the new address; download the device files again."
