"""Step 1: name, gateways, pre-shared key, health check, tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, ClassVar, cast

from django import forms

from tunnels.domain.addresses import Address, parse_address, parse_gateway_address
from tunnels.domain.findings import Finding
from tunnels.domain.health import (
    AUTO_RANGE,
    INTERVAL_MS,
    THRESHOLD,
    TIMEOUT_MS,
    HealthCheck,
    check_health,
)
from tunnels.domain.names import NAME_MAX, check_tags, clean_name
from tunnels.domain.secret import PSK_MAX, PSK_MIN, Secret, generate_psk
from tunnels.models import CustomerGateway, GatewayType, Region, Tunnel, Vpc, VpnGateway
from tunnels.services.creation import check_basics
from tunnels.services.inventory import attempt
from tunnels.services.policy import HealthRequest, check_gateway_pair, check_outer_family
from tunnels.web.errors import add_findings
from tunnels.web.wizard.forms_common import REFRESHES, Data, PickField, StepForm
from tunnels.web.wizard.offers import Offers

NEW = "new"
GATEWAYS = (
    "region", "type", "vpc", "vpn_gateway", "customer_gateway", "new_customer_name", "new_customer_ip",
)  # fmt: skip


class BasicForm(StepForm, forms.Form):
    """Step 1. `kept_psk` is the key typed earlier; `tunnel` the one being edited, whose gateways are fixed.

    After `is_valid()`: `cleaned_data["vpn_gateway"]`, `cleaned_data["customer_gateway"]` (None = the new one),
    `key` (None when an edited tunnel keeps its key), `health` and `tags`.
    """

    name = forms.CharField(
        label="Tunnel name",
        error_messages={"required": "Give the tunnel a name."},
        help_text=f"1 to {NAME_MAX} characters of any script.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    region = PickField(
        label="Region",
        help_text="Where the VPN gateway runs.",
        error_messages={"required": "Choose a region.", "invalid_choice": "Choose a region."},
        widget=forms.Select(attrs=REFRESHES),
    )
    type = forms.ChoiceField(
        label="VPN gateway type",
        choices=GatewayType.choices,
        initial=GatewayType.VPC.value,
        help_text="A VPC gateway serves one private network; a CCN gateway serves all networks joined by the CCN.",
        widget=forms.RadioSelect(attrs=REFRESHES),
    )
    vpc = PickField(
        label="VPC",
        help_text="The private network behind the gateway. Only VPCs that have a VPN gateway are listed.",
        error_messages={"required": "Choose a VPC.", "invalid_choice": "Choose a VPC of this region."},
        widget=forms.Select(attrs=REFRESHES),
    )  # fmt: skip
    vpn_gateway = PickField(
        label="VPN gateway",
        help_text="Our end of the tunnel.",
        error_messages={
            "required": "Choose a VPN gateway.",
            "invalid_choice": "Choose a VPN gateway that fits the choices above.",
        },
        widget=forms.Select(attrs=REFRESHES),
    )
    customer_gateway = PickField(
        label="Customer gateway",
        help_text="The other end: the device in the data centre or office.",
        error_messages={
            "required": "Choose a customer gateway.",
            "invalid_choice": "This customer gateway is not there any more; choose another.",
        },
        widget=forms.Select(attrs=REFRESHES),
    )
    new_customer_name = forms.CharField(
        label="Name of the new customer gateway",
        error_messages={"required": "Give the customer gateway a name."},
        help_text="It is created together with the tunnel, and can then be used for others.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    new_customer_ip = forms.CharField(
        label="Customer gateway IP",
        error_messages={"required": "Enter the device's public address."},
        help_text="The device's static public address, such as 198.51.100.7.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    psk = forms.CharField(
        label="Pre-shared key",
        strip=False,
        error_messages={"required": "Type a key, or generate one."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
        help_text=(
            f"The two gateways prove with it who they are, so both need the same key: {PSK_MIN} to {PSK_MAX} "
            "visible ASCII characters without spaces."
        ),
    )
    health_enabled = forms.BooleanField(
        label="Enable health check",
        required=False,
        help_text="Pings the other side through the tunnel and shows whether answers come back.",
        widget=forms.CheckboxInput(attrs=REFRESHES),
    )
    health_local = forms.CharField(
        label="VPN gateway IP address for health check",
        required=False,
        help_text="Pings come from here: a free address outside the VPC. Empty: one is assigned.",
        widget=forms.TextInput(attrs={"placeholder": f"from {AUTO_RANGE}", "spellcheck": "false"}),
    )
    health_remote = forms.CharField(
        label="Customer gateway IP address for health check",
        required=False,
        help_text=(
            "Pings go here: an address of the customer's side that answers. Not allowed: multicast, 0.0.0.0/8, "
            f"and of 169.254.0.0/16 anything outside {AUTO_RANGE}. Empty: one is assigned."
        ),
        widget=forms.TextInput(attrs={"placeholder": f"from {AUTO_RANGE}", "spellcheck": "false"}),
    )
    health_interval_ms = forms.IntegerField(
        label="Interval (ms)", initial=5_000, required=False,
        help_text=f"{INTERVAL_MS[0]} to {INTERVAL_MS[1]}; from one ping to the next.",
    )  # fmt: skip
    health_threshold = forms.IntegerField(
        label="Lost pings", initial=3, required=False,
        help_text=f"{THRESHOLD[0]} to {THRESHOLD[1]} in a row make the tunnel unhealthy.",
    )  # fmt: skip
    health_timeout_ms = forms.IntegerField(
        label="Timeout (ms)", initial=150, required=False,
        help_text=f"{TIMEOUT_MS[0]} to {TIMEOUT_MS[1]}; an answer after that counts as lost.",
    )  # fmt: skip

    rows: ClassVar[Mapping[str, tuple[str, ...]]] = {"tags": ("tag_key", "tag_value")}
    operations: ClassVar[tuple[str, ...]] = ("generate_psk", "add_tag", "remove_tag", "refresh")
    secrets: ClassVar[tuple[str, ...]] = ("psk",)

    def __init__(
        self,
        *args: Any,
        may_add_customer: bool = False,
        kept_psk: Secret | None = None,
        tunnel: Tunnel | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kept_psk = kept_psk
        self.tunnel = tunnel
        self.fields["psk"].required = not (kept_psk or tunnel)
        if tunnel:
            for name in GATEWAYS:
                del self.fields[name]
            self.fields["psk"].label = "New pre-shared key"
            self.offers = Offers(vpn_gateways=(), customer_gateways={})
        else:
            self.offers = Offers.read()
            self._narrow(may_add_customer)

    @classmethod
    def initial_of(cls, tunnel: Tunnel) -> dict[str, Any]:
        """`initial` for editing this tunnel."""
        values = {
            name: getattr(tunnel, name) for name in cls.base_fields if name.startswith("health")
        }
        return values | {"name": tunnel.name, "tags": sorted(tunnel.tags.items())}

    @classmethod
    def typed_probe(cls, data: Data, prefix: str) -> HealthCheck | None:
        """The health check of a stored step that was in order, when both its addresses were typed."""
        values = cls.typed(data, prefix)
        if (
            not values["health_enabled"]
            or not values["health_local"]
            or not values["health_remote"]
        ):
            return None
        local, remote = (parse_address(values[name]) for name in ("health_local", "health_remote"))
        return HealthCheck(local=local, remote=remote)

    @classmethod
    def operate(cls, data: Data, prefix: str) -> tuple[Data, str]:
        """Besides rows: generate a key, for browsers that run no script."""
        changed, focus = super().operate(data, prefix)
        if "generate_psk" in data:
            changed[f"{prefix}-psk"] = generate_psk().reveal()
            focus = f"id_{prefix}-psk"
        return changed, focus

    # --- What the page shows ---------------------------------------------------------------------

    @property
    def vpc_type(self) -> bool:
        """Whether a VPC is to be chosen."""
        return self.shown("type") == GatewayType.VPC

    @property
    def new_customer(self) -> bool:
        """Whether a customer gateway is to be created in place."""
        return not self.tunnel and self.shown("customer_gateway") == NEW

    @property
    def chosen_customer(self) -> CustomerGateway | None:
        """The existing customer gateway that is chosen now."""
        return self.offers.customer_gateways.get(self.shown("customer_gateway"))

    @property
    def health_on(self) -> bool:
        """Whether the health check's fields are wanted."""
        return self.shown("health_enabled") == "True"

    @property
    def probe_errors(self) -> bool:
        """Whether a mistake hides in the folded timing."""
        names = ("health_interval_ms", "health_threshold", "health_timeout_ms")
        return self.is_bound and any(name in self.errors for name in names)

    # --- What comes out ----------------------------------------------------------------------------

    @property
    def key(self) -> Secret | None:
        """The key typed now or earlier; None when there is none, or an edited tunnel keeps its own."""
        typed = self.cleaned_data.get("psk")
        return Secret(typed) if typed else self.kept_psk

    @property
    def tags(self) -> dict[str, str]:
        """The tags; blank rows do not count."""
        return dict(self._tag_pairs())

    @property
    def health(self) -> HealthRequest | None:
        """The health check asked for, None when it is off. Valid forms only."""
        return self._health([])

    def clean(self) -> dict[str, Any]:
        """Check the step by the rules; each finding goes to its field."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        findings = [
            *check_basics(name=data.get("name", ""), psk=self.key, tags={}),
            *self._check_tag_rows(),
        ]
        if not self.tunnel:
            findings += self._check_gateways(data)
        findings += self._check_health()
        add_findings(self, [finding for finding in findings if finding.field not in self.errors])
        return data

    def _narrow(self, may_add_customer: bool) -> None:
        offers = self.offers
        region = self._offer("region", offers.regions(), _region_label, "Choose a region")
        vpc = self._offer("vpc", offers.vpcs(region), _vpc_label, "Choose a VPC")
        if not self.vpc_type:
            self.fields["vpc"].required = False
        self._offer(
            "vpn_gateway",
            offers.gateways(region, self.shown("type"), vpc),
            _gateway_label,
            "Choose a VPN gateway",
        )
        customers = cast("PickField", self.fields["customer_gateway"])
        more = [(NEW, "Create a new one …")] if may_add_customer else []
        customers.offer(
            offers.customer_gateways,
            _gateway_label,
            empty="Choose a customer gateway",
            more=more,
        )
        if not self.is_bound and not offers.customer_gateways and more:
            self.initial["customer_gateway"] = NEW
        for name in ("new_customer_name", "new_customer_ip"):
            self.fields[name].required = self.new_customer

    def _offer(
        self, name: str, objects: Mapping[str, Any], label: Callable[[Any], str], empty: str
    ) -> str:
        """Offer the objects; where there is but one, it is chosen already. Returns the key chosen now."""
        cast("PickField", self.fields[name]).offer(objects, label, empty=empty)
        if not self.is_bound and self.shown(name) not in objects:
            self.initial[name] = next(iter(objects)) if len(objects) == 1 else ""
        return self.shown(name)

    def _tag_pairs(self) -> list[tuple[str, str]]:
        return [
            (row.cells["tag_key"].value.strip(), row.cells["tag_value"].value.strip())
            for row in self.row_lists["tags"]
            if not row.blank
        ]

    def _check_tag_rows(self) -> list[Finding]:
        places = [row.index for row in self.row_lists["tags"] if not row.blank]
        return [
            finding if finding.row is None else finding.at("tags", places[finding.row])
            for finding in check_tags(self._tag_pairs())
        ]

    def _check_gateways(self, data: Mapping[str, Any]) -> list[Finding]:
        if self.new_customer:
            return self._check_new_customer(data)
        gateway, customer = data.get("vpn_gateway"), data.get("customer_gateway")
        if not isinstance(gateway, VpnGateway) or not isinstance(customer, CustomerGateway):
            return []
        # Step 3 may still set other identifiers; what is wrong with those is told there.
        pair = Tunnel(vpn_gateway=gateway, customer_gateway=customer)
        found = check_gateway_pair(pair, peer=str(customer.public_ip))
        return [finding for finding in found if finding.field in self.fields]

    def _check_new_customer(self, data: Mapping[str, Any]) -> list[Finding]:
        findings: list[Finding] = []
        attempt(findings, "new_customer_name", clean_name, data.get("new_customer_name", ""))
        address = attempt(
            findings, "new_customer_ip", parse_gateway_address, data.get("new_customer_ip", "")
        )
        known = [c for c in self.offers.customer_gateways.values() if c.public_ip == address]
        if known:
            message = (
                f"{known[0].name} ({known[0].public_id}) already has this address; choose that one."
            )
            findings.append(Finding(rule="address-taken", message=message, field="new_customer_ip"))
        gateway = data.get("vpn_gateway")
        if address and isinstance(gateway, VpnGateway):
            pair = Tunnel(vpn_gateway=gateway, customer_gateway=CustomerGateway(public_ip=address))
            findings += [finding.at("new_customer_ip") for finding in check_outer_family(pair)]
        return findings

    def _check_health(self) -> list[Finding]:
        findings: list[Finding] = []
        asked = self._health(findings)
        gateway = self.tunnel.vpn_gateway if self.tunnel else self.cleaned_data.get("vpn_gateway")
        if asked is None or not isinstance(gateway, VpnGateway) or findings:
            return findings
        # A missing address stands for any free one of the automatic range, which breaks no rule.
        free = (AUTO_RANGE[2], AUTO_RANGE[3])
        local = asked.local or next(address for address in free if address != asked.remote)
        remote = asked.remote or next(address for address in free if address != local)
        check = _as_check(asked, local, remote)
        return check_health(check, vpc=gateway.vpc_cidrs, locals_=[], remotes=[])

    def _health(self, findings: list[Finding]) -> HealthRequest | None:
        if not self.cleaned_data.get("health_enabled"):
            return None
        numbers = {
            name: self.cleaned_data.get(f"health_{name}") or self.fields[f"health_{name}"].initial
            for name in ("interval_ms", "threshold", "timeout_ms")
        }
        return HealthRequest(
            local=self._address(findings, "health_local"),
            remote=self._address(findings, "health_remote"),
            **numbers,
        )

    def _address(self, findings: list[Finding], field: str) -> Address | None:
        text = self.cleaned_data.get(field)
        return attempt(findings, field, parse_address, text) if text else None


def _as_check(asked: HealthRequest, local: Address, remote: Address) -> HealthCheck:
    return HealthCheck(**asdict(replace(asked, local=local, remote=remote)))


def _region_label(region: Region) -> str:
    return f"{region.name} ({region.code})"


def _vpc_label(vpc: Vpc) -> str:
    return f"{vpc.name} ({', '.join(map(str, vpc.cidrs))})"


def _gateway_label(gateway: VpnGateway | CustomerGateway) -> str:
    return f"{gateway.name} ({gateway.public_ip}, {gateway.public_id})"
