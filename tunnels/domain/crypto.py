"""The one catalogue of transforms: name, label, strength with its reason, and strongSwan keyword.

Strengths follow RFC 8221 (ESP) and RFC 8247 (IKEv2): what they forbid or advise against is *insecure*, what
they keep for interoperability is *compatible*, the rest is *modern*. Forms, services, device files and the
agent all read this table; nothing else spells an algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Strength(StrEnum):
    """How far an algorithm can be trusted today."""

    MODERN = "modern"
    COMPATIBLE = "compatible"
    INSECURE = "insecure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """One algorithm.

    `id` is what the database holds, `label` what people read, `keyword` strongSwan's proposal keyword,
    `reason` why it is not modern (empty when it is), `aead` whether it brings its own integrity.
    """

    id: str
    label: str
    keyword: str
    strength: Strength = Strength.MODERN
    reason: str = ""
    aead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DhGroup(Transform):
    """A Diffie-Hellman group with its IANA number (RFC 7296 §3.3.2)."""

    number: int


def _table(*rows: Transform) -> Mapping[str, Transform]:
    return MappingProxyType({row.id: row for row in rows})


_OLD_BLOCK = "its 64-bit blocks leak data on long-lived tunnels (RFC 8221)"

ENCRYPTION: Mapping[str, Transform] = _table(
    Transform(id="aes-256-gcm", label="AES-256-GCM", keyword="aes256gcm16", aead=True),
    Transform(id="aes-128-gcm", label="AES-128-GCM", keyword="aes128gcm16", aead=True),
    Transform(id="chacha20-poly1305", label="ChaCha20-Poly1305", keyword="chacha20poly1305", aead=True),
    Transform(id="aes-256", label="AES-256", keyword="aes256"),
    Transform(
        id="aes-192", label="AES-192", keyword="aes192", strength=Strength.COMPATIBLE,
        reason="few devices support 192-bit keys; AES-256 costs the same",
    ),
    Transform(
        id="aes-128", label="AES-128", keyword="aes128", strength=Strength.COMPATIBLE,
        reason="safe, but AES-GCM is faster and AES-256 leaves more margin",
    ),
    Transform(
        id="3des", label="3DES", keyword="3des", strength=Strength.INSECURE,
        reason=f"{_OLD_BLOCK} and it is slow",
    ),
    Transform(
        id="des", label="DES", keyword="des", strength=Strength.INSECURE,
        reason="a 56-bit key is found in hours; anybody who records the traffic can read it",
    ),
)  # fmt: skip

INTEGRITY: Mapping[str, Transform] = _table(
    Transform(id="sha2-256", label="SHA2-256", keyword="sha256"),
    Transform(id="sha2-384", label="SHA2-384", keyword="sha384"),
    Transform(id="sha2-512", label="SHA2-512", keyword="sha512"),
    Transform(
        id="sha1", label="SHA1", keyword="sha1", strength=Strength.COMPATIBLE,
        reason="being phased out (RFC 8247); use it only when the other device has no SHA2",
    ),
    Transform(
        id="md5", label="MD5", keyword="md5", strength=Strength.INSECURE,
        reason="broken and forbidden for IKEv2 (RFC 8247)",
    ),
)  # fmt: skip

# The pseudo-random function of IKE. It follows the integrity algorithm, except beside an AEAD, where it is chosen.
PRF: Mapping[str, Transform] = _table(
    Transform(id="sha2-256", label="PRF SHA2-256", keyword="prfsha256"),
    Transform(id="sha2-384", label="PRF SHA2-384", keyword="prfsha384"),
    Transform(id="sha2-512", label="PRF SHA2-512", keyword="prfsha512"),
)


def _modp(
    number: int, bits: int, strength: Strength = Strength.MODERN, reason: str = ""
) -> DhGroup:
    return DhGroup(
        id=f"dh{number}", number=number, label=f"DH{number} ({bits}-bit MODP)", keyword=f"modp{bits}",
        strength=strength, reason=reason,
    )  # fmt: skip


def _curve(number: int, label: str, keyword: str) -> DhGroup:
    return DhGroup(id=f"dh{number}", number=number, label=f"DH{number} ({label})", keyword=keyword)


_SMALL_MODP = "its modulus is too short to keep a determined attacker out (RFC 8247)"

DH_GROUPS: Mapping[str, DhGroup] = MappingProxyType({
    group.id: group
    for group in (
        _curve(19, "256-bit elliptic curve", "ecp256"),
        _curve(20, "384-bit elliptic curve", "ecp384"),
        _curve(21, "521-bit elliptic curve", "ecp521"),
        _curve(31, "Curve25519", "curve25519"),
        _modp(15, 3072),
        _modp(16, 4096),
        _modp(17, 6144),
        _modp(18, 8192),
        _modp(14, 2048, Strength.COMPATIBLE, "the least that is still safe; most devices have it"),
        DhGroup(
            id="dh24", number=24, label="DH24 (2048-bit MODP, 256-bit subgroup)", keyword="modp2048s256",
            strength=Strength.INSECURE, reason="the origin of its subgroup is doubtful; RFC 8247 advises against it",
        ),
        _modp(5, 1536, Strength.INSECURE, _SMALL_MODP),
        _modp(2, 1024, Strength.INSECURE, _SMALL_MODP),
        _modp(1, 768, Strength.INSECURE, _SMALL_MODP),
    )
})  # fmt: skip

# The reference wizard offers DES for IKE but not for IPsec; the asymmetry is kept on purpose.
ESP_ENCRYPTION: Mapping[str, Transform] = MappingProxyType({
    key: transform for key, transform in ENCRYPTION.items() if key != "des"
})  # fmt: skip

# ChaCha20-Poly1305 has no IKEv1 transform number; AES-GCM has one for ESP only (RFC 4106, RFC 5282).
IKEV1_IKE_AEAD_REFUSED = frozenset(key for key, transform in ENCRYPTION.items() if transform.aead)
IKEV1_ESP_REFUSED = frozenset({"chacha20-poly1305"})


def is_aead(encryption: str) -> bool:
    """Whether the encryption of this id brings its own integrity."""
    return ENCRYPTION[encryption].aead


def ike_proposal(*, encryption: str, integrity: str, prf: str, dh: str) -> str:
    """The IKE proposal in strongSwan's words, e.g. `aes256gcm16-prfsha384-ecp256`.

    Raises KeyError for an id that is not in the catalogue: the caller checks first.
    """
    second = PRF[prf].keyword if is_aead(encryption) else INTEGRITY[integrity].keyword
    return f"{ENCRYPTION[encryption].keyword}-{second}-{DH_GROUPS[dh].keyword}"


def esp_proposal(*, encryption: str, integrity: str, pfs: str) -> str:
    """The ESP proposal in strongSwan's words, e.g. `aes256-sha256-modp2048`; no group when PFS is off ("")."""
    parts = [ENCRYPTION[encryption].keyword]
    if not is_aead(encryption):
        parts.append(INTEGRITY[integrity].keyword)
    if pfs:
        parts.append(DH_GROUPS[pfs].keyword)
    return "-".join(parts)
