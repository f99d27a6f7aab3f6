"""IKE and IPsec settings of one tunnel, their limits, their presets, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType

from tunnels.domain import crypto
from tunnels.domain.crypto import Strength, Transform
from tunnels.domain.findings import Finding

# Ranges of the reference console; the upper KB bound is that of its newest API.
IKE_LIFETIME_SECONDS = (60, 604_800)
IPSEC_LIFETIME_SECONDS = (180, 604_800)
IPSEC_LIFETIME_KB = (2_560, 4_294_967_295)
DPD_TIMEOUT_SECONDS = (30, 60)

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


class IkeVersion(IntEnum):
    """IKEv1 (RFC 2409) or IKEv2 (RFC 7296)."""

    V1 = 1
    V2 = 2


class Mode(StrEnum):
    """How IKEv1 negotiates phase 1; IKEv2 has no such choice."""

    MAIN = "main"
    AGGRESSIVE = "aggressive"


class Negotiation(StrEnum):
    """Who begins: us at once, the peer, or the first packet."""

    ACTIVE = "active"
    PASSIVE = "passive"
    ON_TRAFFIC = "on-traffic"


class DpdAction(StrEnum):
    """What happens when the peer stays silent: forget the SAs, or negotiate them again."""

    CLEAR = "clear"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeSettings:
    """Step 3. An empty FQDN means that the side identifies itself by its IP address.

    `integrity` is unused beside an AEAD, `prf` without one, `mode` with IKEv2; `dpd_timeout` is in seconds.
    """

    version: IkeVersion = IkeVersion.V2
    mode: Mode = Mode.MAIN
    encryption: str = "aes-256-gcm"
    integrity: str = "sha2-256"
    prf: str = "sha2-384"
    dh_group: str = "dh19"
    lifetime_seconds: int = 86_400
    local_fqdn: str = ""
    remote_fqdn: str = ""
    dpd_enabled: bool = True
    dpd_timeout: int = 30
    dpd_action: DpdAction = DpdAction.RESTART
    negotiation: Negotiation = Negotiation.ACTIVE

    @property
    def proposal(self) -> str:
        """The IKE proposal in strongSwan's words."""
        return crypto.ike_proposal(
            encryption=self.encryption, integrity=self.integrity, prf=self.prf, dh=self.dh_group
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IpsecSettings:
    """Step 4: ESP in tunnel mode. `pfs` is a DH group id or "" for none; `integrity` is unused beside an AEAD."""

    encryption: str = "aes-256-gcm"
    integrity: str = "sha2-256"
    pfs: str = "dh19"
    lifetime_seconds: int = 3_600
    lifetime_kb: int = 1_843_200

    @property
    def proposal(self) -> str:
        """The ESP proposal in strongSwan's words."""
        return crypto.esp_proposal(
            encryption=self.encryption, integrity=self.integrity, pfs=self.pfs
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named choice of both steps' algorithms, with the sentence that tells when to take it."""

    id: str
    label: str
    summary: str
    warning: str
    ike: IkeSettings
    ipsec: IpsecSettings


PRESETS: Mapping[str, Preset] = MappingProxyType({
    preset.id: preset
    for preset in (
        Preset(
            id="modern", label="Modern", warning="",
            summary="IKEv2, AES-256-GCM, DH19. Take this unless the other device cannot.",
            ike=IkeSettings(), ipsec=IpsecSettings(),
        ),
        Preset(
            id="compatible", label="Compatible", warning="",
            summary="IKEv2, AES-256 with SHA2-256, DH14. For devices without AES-GCM or elliptic curves.",
            ike=IkeSettings(encryption="aes-256", dh_group="dh14"),
            ipsec=IpsecSettings(encryption="aes-256", pfs="dh14"),
        ),
        Preset(
            id="legacy", label="Legacy",
            summary="IKEv1 main mode, 3DES, SHA1, DH1; IPsec AES-128, SHA1, no PFS. Only for very old devices.",
            warning=(
                "These are the defaults of consoles of the past. 3DES and DH1 can be broken: "
                "whoever records the traffic may read it later."
            ),
            ike=IkeSettings(version=IkeVersion.V1, encryption="3des", integrity="sha1", dh_group="dh1"),
            ipsec=IpsecSettings(encryption="aes-128", integrity="sha1", pfs=""),
        ),
    )
})  # fmt: skip
DEFAULT_PRESET = "modern"


def check_ike(ike: IkeSettings) -> list[Finding]:
    """Findings of step 3; the field names are those of IkeSettings."""
    findings = [
        *_known(crypto.ENCRYPTION, ike.encryption, "encryption"),
        *_known(crypto.DH_GROUPS, ike.dh_group, "dh_group"),
        *_in_range(IKE_LIFETIME_SECONDS, ike.lifetime_seconds, "lifetime_seconds", "seconds"),
        *_check_fqdn(ike.local_fqdn, "local_fqdn"),
        *_check_fqdn(ike.remote_fqdn, "remote_fqdn"),
    ]
    if ike.encryption in crypto.ENCRYPTION and crypto.is_aead(ike.encryption):
        findings += _known(crypto.PRF, ike.prf, "prf")
    else:
        findings += _known(crypto.INTEGRITY, ike.integrity, "integrity")
    if ike.version == IkeVersion.V1 and ike.encryption in crypto.IKEV1_IKE_AEAD_REFUSED:
        label = crypto.ENCRYPTION[ike.encryption].label
        message = f"IKEv1 cannot negotiate {label}; choose AES-256, or IKEv2."
        findings.append(Finding(rule="ikev1-aead", message=message, field="encryption"))
    if ike.dpd_enabled:
        findings += _in_range(DPD_TIMEOUT_SECONDS, ike.dpd_timeout, "dpd_timeout", "seconds")
    if ike.local_fqdn and ike.local_fqdn.lower() == ike.remote_fqdn.lower():
        message = "Both gateways have the same identifier; each needs its own."
        findings.append(Finding(rule="identity-equal", message=message, field="remote_fqdn"))
    return findings


def check_ipsec(ipsec: IpsecSettings, *, version: IkeVersion) -> list[Finding]:
    """Findings of step 4, given the IKE version of step 3; the field names are those of IpsecSettings."""
    findings = [
        *_known(crypto.ESP_ENCRYPTION, ipsec.encryption, "encryption"),
        *_in_range(IPSEC_LIFETIME_SECONDS, ipsec.lifetime_seconds, "lifetime_seconds", "seconds"),
        *_in_range(IPSEC_LIFETIME_KB, ipsec.lifetime_kb, "lifetime_kb", "KB"),
    ]
    if ipsec.pfs:
        findings += _known(crypto.DH_GROUPS, ipsec.pfs, "pfs")
    if ipsec.encryption in crypto.ENCRYPTION and not crypto.is_aead(ipsec.encryption):
        findings += _known(crypto.INTEGRITY, ipsec.integrity, "integrity")
    if version == IkeVersion.V1 and ipsec.encryption in crypto.IKEV1_ESP_REFUSED:
        label = crypto.ENCRYPTION[ipsec.encryption].label
        message = f"{label} cannot be negotiated with IKEv1; choose AES-GCM or AES, or IKEv2."
        findings.append(Finding(rule="ikev1-esp", message=message, field="encryption"))
    return findings


def weaknesses(ike: IkeSettings, ipsec: IpsecSettings | None = None) -> list[str]:
    """One sentence for each insecure choice, in the order of the forms. They warn; they never refuse."""
    used: list[tuple[str, Transform]] = [("IKE", crypto.ENCRYPTION[ike.encryption])]
    if not crypto.is_aead(ike.encryption):
        used.append(("IKE", crypto.INTEGRITY[ike.integrity]))
    used.append(("IKE", crypto.DH_GROUPS[ike.dh_group]))
    if ipsec:
        used.append(("IPsec", crypto.ENCRYPTION[ipsec.encryption]))
        if not crypto.is_aead(ipsec.encryption):
            used.append(("IPsec", crypto.INTEGRITY[ipsec.integrity]))
        if ipsec.pfs:
            used.append(("IPsec", crypto.DH_GROUPS[ipsec.pfs]))
    sentences = [
        f"{where} uses {transform.label}: {transform.reason}."
        for where, transform in used
        if transform.strength is Strength.INSECURE
    ]
    if ike.version == IkeVersion.V1:
        sentences.insert(
            0, "IKEv1 is deprecated (RFC 9395); choose IKEv2 when the other device has it."
        )
        if ike.mode is Mode.AGGRESSIVE:
            sentences.insert(1, AGGRESSIVE_CAUTION)
    return sentences


AGGRESSIVE_CAUTION = (
    "Aggressive mode needs fewer packets, but sends the identities in clear and lets anybody who records the "
    "exchange try keys offline. The DH group and PFS cannot be negotiated: both devices must be set alike."
)


def _known(table: Mapping[str, Transform], key: str, field: str) -> list[Finding]:
    if key in table:
        return []
    labels = ", ".join(transform.label for transform in table.values())
    return [Finding(rule="unknown-algorithm", message=f"Choose one of: {labels}.", field=field)]


def _in_range(limits: tuple[int, int], value: int, field: str, unit: str) -> list[Finding]:
    low, high = limits
    if low <= value <= high:
        return []
    message = f"Enter {low} to {high} {unit}; {value} is outside."
    return [Finding(rule="out-of-range", message=message, field=field)]


def _check_fqdn(text: str, field: str) -> list[Finding]:
    """RFC 1123 §2.1: labels of letters, digits and inner hyphens; the last one not all digits (RFC 3696 §2)."""
    if not text:
        return []
    labels = text.split(".")
    good = len(labels) > 1 and len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    if good and not labels[-1].isdigit():
        return []
    message = "Enter a full domain name such as vpn.example.com: letters, digits, hyphens and dots."
    return [Finding(rule="fqdn-malformed", message=message, field=field)]
