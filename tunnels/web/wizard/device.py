"""What the device at the other end cannot do, said where it is chosen.

The device limits only the file that is written for it: every choice stays allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tunnels.devices.abilities import lacking
from tunnels.devices.base import obstacles
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import check_ike, check_ipsec
from tunnels.domain.spec import TunnelSpec
from tunnels.web.devices import Device
from tunnels.web.wizard.forms_common import StepForm

# The fields at which the steps' templates have a place for sentences; what belongs elsewhere is said above the fields.
PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "spd": ("rules",),
    "ike": (
        "version", "encryption", "integrity", "prf", "mode", "local_fqdn", "remote_fqdn", "dh_group",
        "lifetime_seconds",
    ),
    "ipsec": ("encryption", "integrity", "pfs", "lifetime_seconds", "lifetime_kb"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """The device's name, sentences `at` the fields that show something it cannot do, and sentences `above` them all."""

    label: str
    at: Mapping[str, list[str]]
    above: list[str]


def note(form: StepForm, step: str, device: Device, spec: TunnelSpec, *, whole: bool) -> None:
    """Mark the options that the device lacks, and put what it cannot do of the tunnel into `form.device`.

    `spec` is the tunnel with the step as it is shown. `whole` is for a step after which the tunnel may be finished: it
    tells about the other steps as well.
    """
    for name, values in lacking(device.abilities, spec.ike.version).items():
        at, _, field = name.partition(".")
        if at == step and field in form.fields:
            _mark(form.fields[field], values, device.name)
    at_fields: dict[str, list[str]] = {}
    above = []
    for finding in _findings(device, spec):
        at, _, field = finding.field.partition(".")
        if at == step and field in PLACES[step]:
            at_fields.setdefault(field, []).append(finding.message)
        elif at == step or whole:
            above.append(finding.message)
    form.device = Notes(label=device.label, at=at_fields, above=above)


def _mark(field: Any, lacks: frozenset[str], name: str) -> None:
    # What is drawn, not what is valid: the form takes these choices all the same.
    field.widget.choices = [
        (value, _remark(str(label), f"not on {name}") if str(value) in lacks else label)
        for value, label in field.widget.choices
    ]


def _remark(label: str, remark: str) -> str:
    """`DES (insecure)` → `DES (insecure, not on …)`."""
    return f"{label[:-1]}, {remark})" if label.endswith(")") else f"{label} ({remark})"


def _findings(device: Device, spec: TunnelSpec) -> list[Finding]:
    # While a step itself has mistakes, those come first, and the device's tables know nothing of such values.
    if not spec.mappings or check_ike(spec.ike):
        return []
    if check_ipsec(spec.ipsec, version=spec.ike.version):
        return []
    return obstacles(device.platform, device.version, spec)
