"""Step 4: IPsec, which is ESP in tunnel mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django import forms

from tunnels.domain import crypto
from tunnels.domain.proposals import (
    IPSEC_LIFETIME_KB,
    IPSEC_LIFETIME_SECONDS,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    check_ipsec,
    weaknesses,
)
from tunnels.models import IpsecConfig
from tunnels.web.errors import add_findings
from tunnels.web.wizard.forms_common import (
    REFRESHES,
    Mark,
    StepForm,
    mark,
    shown_number,
    strength_choices,
)

TABLES: Mapping[str, Mapping[str, crypto.Transform]] = {
    "encryption": crypto.ESP_ENCRYPTION,
    "integrity": crypto.INTEGRITY,
    "pfs": crypto.DH_GROUPS,
}


class IpsecForm(StepForm, forms.ModelForm):  # type: ignore[type-arg]
    """Step 4. `ike` is step 3, on whose version some algorithms depend.

    After `is_valid()`: `settings`, a domain value.
    """

    class Meta:
        model = IpsecConfig
        fields = ("encryption", "integrity", "pfs", "lifetime_seconds", "lifetime_kb")
        labels: ClassVar = {
            "encryption": "Encryption algorithm",
            "integrity": "Verification algorithm",
            "pfs": "PFS",
            "lifetime_seconds": "IPsec SA lifetime (s)",
            "lifetime_kb": "IPsec SA lifetime (KB)",
        }
        help_texts: ClassVar = {
            "encryption": "Protects the traffic in the tunnel.",
            "integrity": "Proves that nobody changed a packet on its way.",
            "pfs": (
                "Perfect forward secrecy: every new key is agreed on afresh, so that one stolen key opens nothing "
                "else. Both sides need the same group."
            ),
            "lifetime_seconds": (
                f"{IPSEC_LIFETIME_SECONDS[0]} to {IPSEC_LIFETIME_SECONDS[1]}. New keys are agreed on before that."
            ),
            "lifetime_kb": (
                f"{IPSEC_LIFETIME_KB[0]} to {IPSEC_LIFETIME_KB[1]}. New keys also come after this much traffic."
            ),
        }
        error_messages: ClassVar = {
            "lifetime_seconds": {"required": "Enter a lifetime in seconds."},
            "lifetime_kb": {"required": "Enter a lifetime in KB."},
        }
        widgets: ClassVar = {
            name: forms.Select(attrs=REFRESHES) for name in ("encryption", "integrity", "pfs")
        }

    def __init__(self, *args: Any, ike: IkeSettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ike = ike
        refused = crypto.IKEV1_ESP_REFUSED if ike.version == IkeVersion.V1 else frozenset()
        self._choices("encryption").choices = strength_choices(crypto.ESP_ENCRYPTION)
        self._choices("encryption").widget.choices = [
            (key, label)
            for key, label in strength_choices(crypto.ESP_ENCRYPTION)
            if key not in refused or key == self.shown("encryption")
        ]
        self._choices("integrity").choices = strength_choices(crypto.INTEGRITY)
        self._choices("pfs").choices = [("", "Disabled"), *strength_choices(crypto.DH_GROUPS)]
        self.fields["integrity"].required = False

    @classmethod
    def data_of(cls, settings: IpsecSettings, prefix: str) -> dict[str, str]:
        """The settings as they would be posted."""
        return {f"{prefix}-{name}": str(value) for name, value in asdict(settings).items()}

    @property
    def aead(self) -> bool:
        """Whether the chosen encryption brings its own integrity."""
        chosen = crypto.ESP_ENCRYPTION.get(self.shown("encryption"))
        return bool(chosen and chosen.aead)

    @property
    def marks(self) -> dict[str, Mark | None]:
        """The strength of what is chosen, by field."""
        return {name: mark(table, self.shown(name)) for name, table in TABLES.items()}

    @property
    def warnings(self) -> list[str]:
        """A sentence for each insecure choice of this step."""
        step = self.shown_settings
        chosen = {name: getattr(step, name) for name in TABLES}
        if any(value not in TABLES[name] for name, value in chosen.items() if value):
            return []
        with_step = weaknesses(self.ike, step)
        return with_step[len(weaknesses(self.ike)) :]

    @property
    def shown_settings(self) -> IpsecSettings:
        """What the step shows, right or wrong; what shows nothing is as the default says."""
        default = IpsecSettings()
        return IpsecSettings(
            encryption=self.shown("encryption") or default.encryption,
            integrity=self.shown("integrity") or default.integrity,
            pfs=self.shown("pfs"),
            lifetime_seconds=shown_number(self.shown("lifetime_seconds"), default.lifetime_seconds),
            lifetime_kb=shown_number(self.shown("lifetime_kb"), default.lifetime_kb),
        )

    @property
    def settings(self) -> IpsecSettings:
        """The step as a domain value; hidden integrity has its default. Valid forms only."""
        data, default = self.cleaned_data, IpsecSettings()
        encryption = data.get("encryption") or default.encryption
        integrity = data.get("integrity") or default.integrity
        return IpsecSettings(
            encryption=encryption,
            integrity=default.integrity if crypto.is_aead(encryption) else integrity,
            pfs=data.get("pfs") or "",
            lifetime_seconds=_number(data.get("lifetime_seconds"), default.lifetime_seconds),
            lifetime_kb=_number(data.get("lifetime_kb"), default.lifetime_kb),
        )

    def clean(self) -> dict[str, Any]:
        """Check the step by the rules; each finding goes to its field."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        found = check_ipsec(self.settings, version=self.ike.version)
        add_findings(self, [finding for finding in found if finding.field not in self.errors])
        return data

    def _choices(self, name: str) -> Any:
        return self.fields[name]


def _number(value: int | None, default: int) -> int:
    return default if value is None else value
