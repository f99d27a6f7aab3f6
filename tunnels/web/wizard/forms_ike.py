"""Step 3: IKE, with the presets that set step 4 as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, ClassVar

from django import forms

from tunnels.domain import crypto
from tunnels.domain.proposals import (
    AGGRESSIVE_CAUTION,
    DPD_TIMEOUT_SECONDS,
    IKE_LIFETIME_SECONDS,
    PRESETS,
    DpdAction,
    IkeSettings,
    IkeVersion,
    Mode,
    Negotiation,
    Preset,
    check_ike,
    weaknesses,
)
from tunnels.models import IkeConfig
from tunnels.web.errors import add_findings
from tunnels.web.wizard.forms_common import (
    REFRESHES,
    Data,
    Mark,
    StepForm,
    mark,
    shown_choice,
    shown_number,
    strength_choices,
)

PRESET = "preset"
BY_IP, BY_FQDN = "ip", "fqdn"
IDENTITIES = [(BY_IP, "IP address"), (BY_FQDN, "FQDN (full domain name)")]
# What a preset sets; identifiers, dead peer detection and who begins stay as they are.
PRESET_FIELDS = (
    "version",
    "mode",
    "encryption",
    "integrity",
    "prf",
    "dh_group",
    "lifetime_seconds",
)
TABLES: Mapping[str, Mapping[str, crypto.Transform]] = {
    "encryption": crypto.ENCRYPTION,
    "integrity": crypto.INTEGRITY,
    "prf": crypto.PRF,
    "dh_group": crypto.DH_GROUPS,
}
FOR_IKEV1 = "aes-256"


class IkeForm(StepForm, forms.ModelForm):  # type: ignore[type-arg]
    """Step 3. `presets` False leaves the presets away, as when only this step is edited.

    After `is_valid()`: `settings`, a domain value.
    """

    local_identity = forms.ChoiceField(
        label="VPN gateway identifier",
        choices=IDENTITIES,
        required=False,
        help_text="How our gateway names itself to the device.",
        widget=forms.Select(attrs=REFRESHES),
    )
    remote_identity = forms.ChoiceField(
        label="Customer gateway identifier",
        choices=IDENTITIES,
        required=False,
        help_text="How the device names itself to us; set the same there.",
        widget=forms.Select(attrs=REFRESHES),
    )

    class Meta:
        model = IkeConfig
        fields = (
            "version", "encryption", "integrity", "prf", "mode", "local_fqdn", "remote_fqdn", "dh_group",
            "lifetime_seconds", "dpd_enabled", "dpd_timeout", "dpd_action", "negotiation",
        )  # fmt: skip
        labels: ClassVar = {
            "version": "Version",
            "encryption": "Encryption algorithm",
            "integrity": "Verification algorithm",
            "prf": "Pseudo-random function",
            "mode": "Negotiation mode",
            "dh_group": "DH group",
            "lifetime_seconds": "IKE SA lifetime (s)",
            "local_fqdn": "VPN gateway FQDN",
            "remote_fqdn": "Customer gateway FQDN",
            "dpd_enabled": "Dead peer detection",
            "dpd_timeout": "Timeout (s)",
            "dpd_action": "After the timeout",
            "negotiation": "Negotiation type",
        }
        help_texts: ClassVar = {
            "version": "IKEv2 unless the device only has IKEv1.",
            "encryption": "Protects the negotiation itself.",
            "integrity": "Proves that nobody changed a packet of the negotiation.",
            "prf": "Makes the keys; AES-GCM and ChaCha20 need it to be named.",
            "mode": "Main mode hides who is asking; aggressive mode saves three packets.",
            "dh_group": "How the two agree on a key. Larger groups are safer and take longer.",
            "lifetime_seconds": (
                f"{IKE_LIFETIME_SECONDS[0]} to {IKE_LIFETIME_SECONDS[1]}. New keys are agreed on before the old "
                "ones run out, and used at once; the old ones are cleared at their end."
            ),
            "local_fqdn": "Such as vpn.example.com. It is a name only and need not resolve.",
            "remote_fqdn": "Such as edge.example.net. It is a name only and need not resolve.",
            "dpd_enabled": "Asks a silent device whether it is still there.",
            "dpd_timeout": f"{DPD_TIMEOUT_SECONDS[0]} to {DPD_TIMEOUT_SECONDS[1]} without an answer.",
            "dpd_action": "Negotiate again (a passive gateway waits for the device), or only drop the connection.",
            "negotiation": "Who begins. Passive waits for the device, and suits devices behind NAT.",
        }
        error_messages: ClassVar = {
            "lifetime_seconds": {"required": "Enter a lifetime in seconds."},
        }
        widgets: ClassVar = {
            **{
                name: forms.Select(attrs=REFRESHES)
                for name in ("version", "encryption", "integrity", "prf", "mode", "dh_group")
            },
            "dpd_enabled": forms.CheckboxInput(attrs=REFRESHES),
            "local_fqdn": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            "remote_fqdn": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }

    operations: ClassVar[tuple[str, ...]] = (PRESET, "refresh")

    def __init__(self, *args: Any, presets: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.presets = tuple(PRESETS.values()) if presets else ()
        for name, table in TABLES.items():
            self._choices(name).choices = strength_choices(table)
        for name in ("mode", "integrity", "prf", "dpd_timeout", "dpd_action"):
            self.fields[name].required = False
        if self.ikev1:
            self._choices("encryption").widget.choices = [
                (key, label)
                for key, label in strength_choices(crypto.ENCRYPTION)
                if key not in crypto.IKEV1_IKE_AEAD_REFUSED
            ]
        for side in ("local", "remote"):
            named = self.shown(f"{side}_fqdn")
            self.initial.setdefault(f"{side}_identity", BY_FQDN if named else BY_IP)

    @classmethod
    def operate(cls, data: Data, prefix: str) -> tuple[Data, str]:
        """A preset fills its fields; a change to IKEv1 leaves algorithms that IKEv1 lacks."""
        changed, focus = super().operate(data, prefix)
        chosen = PRESETS.get(data.get(PRESET) or "")
        if chosen:
            changed.update(cls.data_of(chosen.ike, prefix, PRESET_FIELDS))
            focus = f"preset-{chosen.id}"
        ikev1 = changed.get(f"{prefix}-version") == str(IkeVersion.V1.value)
        if ikev1 and changed.get(f"{prefix}-encryption") in crypto.IKEV1_IKE_AEAD_REFUSED:
            changed[f"{prefix}-encryption"] = FOR_IKEV1
        return changed, focus

    @classmethod
    def data_of(
        cls, settings: IkeSettings, prefix: str, names: tuple[str, ...] = ()
    ) -> dict[str, str]:
        """The settings as they would be posted; only these fields when `names` are given."""
        values = {
            name: value for name, value in asdict(settings).items() if not names or name in names
        }
        if not values.get("dpd_enabled", True):
            del values["dpd_enabled"]
        if not names:
            for side in ("local", "remote"):
                values[f"{side}_identity"] = BY_FQDN if values[f"{side}_fqdn"] else BY_IP
        return {
            f"{prefix}-{name}": str(value.value if isinstance(value, IkeVersion) else value)
            for name, value in values.items()
        }

    # --- What the page shows -----------------------------------------------------------------------

    @property
    def ikev1(self) -> bool:
        """Whether IKEv1 is chosen, and with it a negotiation mode."""
        return self.shown("version") == str(IkeVersion.V1.value)

    @property
    def aead(self) -> bool:
        """Whether the chosen encryption brings its own integrity, and a PRF is to be chosen instead."""
        chosen = crypto.ENCRYPTION.get(self.shown("encryption"))
        return bool(chosen and chosen.aead)

    @property
    def caution(self) -> str:
        """What speaks against aggressive mode, when it is chosen."""
        aggressive = self.ikev1 and self.shown("mode") == Mode.AGGRESSIVE
        return AGGRESSIVE_CAUTION if aggressive else ""

    @property
    def local_named(self) -> bool:
        """Whether our gateway uses an FQDN."""
        return self.shown("local_identity") == BY_FQDN

    @property
    def remote_named(self) -> bool:
        """Whether the customer gateway uses an FQDN."""
        return self.shown("remote_identity") == BY_FQDN

    @property
    def dpd_on(self) -> bool:
        """Whether dead peer detection's fields are wanted."""
        return self.shown("dpd_enabled") == "True"

    @property
    def marks(self) -> dict[str, Mark | None]:
        """The strength of what is chosen, by field."""
        return {name: mark(table, self.shown(name)) for name, table in TABLES.items()}

    @property
    def warnings(self) -> list[str]:
        """A sentence for each insecure choice; the caution about aggressive mode has its own place."""
        chosen = self.shown_settings
        if any(getattr(chosen, name) not in table for name, table in TABLES.items()):
            return []
        return weaknesses(replace(chosen, mode=Mode.MAIN))

    @property
    def shown_settings(self) -> IkeSettings:
        """What the step shows, right or wrong; what shows nothing is as the default says."""
        default = IkeSettings()
        chosen = {name: self.shown(name) or getattr(default, name) for name in TABLES}
        return IkeSettings(
            version=IkeVersion.V1 if self.ikev1 else IkeVersion.V2,
            mode=shown_choice(Mode, self.shown("mode"), Mode.MAIN) if self.ikev1 else Mode.MAIN,
            lifetime_seconds=shown_number(self.shown("lifetime_seconds"), default.lifetime_seconds),
            local_fqdn=self.shown("local_fqdn").strip() if self.local_named else "",
            remote_fqdn=self.shown("remote_fqdn").strip() if self.remote_named else "",
            dpd_enabled=self.dpd_on,
            dpd_timeout=shown_number(self.shown("dpd_timeout"), default.dpd_timeout),
            dpd_action=shown_choice(DpdAction, self.shown("dpd_action"), default.dpd_action),
            negotiation=shown_choice(Negotiation, self.shown("negotiation"), default.negotiation),
            **chosen,
        )

    @property
    def preset(self) -> Preset | None:
        """The preset that the algorithms shown are those of."""
        return next((preset for preset in self.presets if self._shows(preset.ike)), None)

    # --- What comes out ----------------------------------------------------------------------------

    @property
    def settings(self) -> IkeSettings:
        """The step as a domain value; what is hidden has its default. Valid forms only."""
        data = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        default = IkeSettings()
        version = IkeVersion(data.get("version", default.version))
        aead = crypto.is_aead(data.get("encryption", default.encryption))
        return IkeSettings(
            version=version,
            mode=Mode(data.get("mode", default.mode)) if version is IkeVersion.V1 else default.mode,
            encryption=data.get("encryption", default.encryption),
            integrity=default.integrity if aead else data.get("integrity", default.integrity),
            prf=data.get("prf", default.prf) if aead else default.prf,
            dh_group=data.get("dh_group", default.dh_group),
            lifetime_seconds=data.get("lifetime_seconds", default.lifetime_seconds),
            local_fqdn=self._fqdn("local"),
            remote_fqdn=self._fqdn("remote"),
            dpd_enabled=bool(data.get("dpd_enabled")),
            dpd_timeout=data.get("dpd_timeout", default.dpd_timeout),
            dpd_action=DpdAction(data.get("dpd_action", default.dpd_action)),
            negotiation=Negotiation(data.get("negotiation", default.negotiation)),
        )

    def clean(self) -> dict[str, Any]:
        """Check the step by the rules; each finding goes to its field."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for side in ("local", "remote"):
            name = f"{side}_fqdn"
            if (
                data.get(f"{side}_identity") == BY_FQDN
                and not data.get(name)
                and name not in self.errors
            ):
                self.add_error(name, "Enter the name, or choose the IP address as the identifier.")
        found = check_ike(self.settings)
        add_findings(self, [finding for finding in found if finding.field not in self.errors])
        return data

    def _fqdn(self, side: str) -> str:
        by_name = self.cleaned_data.get(f"{side}_identity") == BY_FQDN
        return str(self.cleaned_data.get(f"{side}_fqdn") or "").strip() if by_name else ""

    def _choices(self, name: str) -> Any:
        return self.fields[name]

    def _shows(self, settings: IkeSettings) -> bool:
        names = ["version", "encryption", "dh_group", "prf" if self.aead else "integrity"]
        names += ["mode"] if self.ikev1 else []
        posted = self.data_of(settings, "", tuple(names))
        return all(self.shown(name) == posted[f"-{name}"] for name in names)
