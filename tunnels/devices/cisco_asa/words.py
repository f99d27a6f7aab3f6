"""What the ASA calls the algorithms, and which release has which.

Sources: CLI Book 3, Cisco ASA Series VPN CLI Configuration Guide, "IPsec and ISAKMP" (the keyword tables of crypto
ikev1 policy and crypto ikev2 policy; IKEv1 has SHA-1 and MD5 only); the release notes of 9.13 (DH14 for IKEv1, DH15 and
DH16), 9.15 (what was removed: DH2, DH24, DES, 3DES, MD5) and 9.16 (DH31); those of Firepower 6.7, which has the same
code as 9.15, for DH5: it is left for IKEv1 only. The ranges of numbers are those that Cisco's Firewall Management
Center takes for the same commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tunnels.devices.abilities import Abilities, Phase
from tunnels.devices.cisco import PSK
from tunnels.domain.proposals import IkeVersion

_CBC: Final = {"aes-256": "aes-256", "aes-192": "aes-192", "aes-128": "aes"}
_GCM: Final = {"aes-256-gcm": "aes-gcm-256", "aes-128-gcm": "aes-gcm"}
_WEAK_CIPHERS: Final = {"3des": "3des", "des": "des"}
_PRF: Final = {"sha2-256": "sha256", "sha2-384": "sha384", "sha2-512": "sha512"}
# The same algorithms are spelt otherwise for ESP.
_IKEV2_INTEGRITY: Final = {**_PRF, "sha1": "sha"}
_ESP_INTEGRITY: Final = {
    "sha2-256": "sha-256",
    "sha2-384": "sha-384",
    "sha2-512": "sha-512",
    "sha1": "sha-1",
}
_IKEV1_HASH: Final = {"sha1": "sha"}
_WEAK_HASH: Final = {"md5": "md5"}

_SECONDS: Final = (120, 2_147_483_647)
_KILOBYTES: Final = (10, 2_147_483_647)


def _groups(numbers: Iterable[int]) -> Mapping[str, str]:
    return {f"dh{number}": str(number) for number in numbers}


def _abilities(*, ikev1: Iterable[int], ikev2: Iterable[int], weak: bool) -> Abilities:
    """A release with these DH groups, for IKE and for PFS; `weak` is before DES, 3DES and MD5 were removed."""
    ciphers: Mapping[str, str] = {**_CBC, **(_WEAK_CIPHERS if weak else {})}
    md5 = _WEAK_HASH if weak else {}
    esp_ciphers = {key: cipher for key, cipher in ciphers.items() if key != "des"}
    groups = {IkeVersion.V1: _groups(ikev1), IkeVersion.V2: _groups(ikev2)}
    return Abilities(
        ike={
            IkeVersion.V1: Phase(
                encryption=ciphers,
                integrity={**_IKEV1_HASH, **md5},
                dh=groups[IkeVersion.V1],
                lifetime_seconds=_SECONDS,
            ),
            IkeVersion.V2: Phase(
                encryption={**_GCM, **ciphers},
                integrity={**_IKEV2_INTEGRITY, **md5},
                prf=_PRF,
                dh=groups[IkeVersion.V2],
                lifetime_seconds=_SECONDS,
            ),
        },
        esp={
            IkeVersion.V1: Phase(
                encryption={key: f"esp-{cipher}" for key, cipher in esp_ciphers.items()},
                integrity={key: f"esp-{name}-hmac" for key, name in {**_IKEV1_HASH, **md5}.items()},
                dh=groups[IkeVersion.V1],
                lifetime_seconds=_SECONDS,
            ),
            IkeVersion.V2: Phase(
                encryption={**_GCM, **esp_ciphers},
                integrity={**_ESP_INTEGRITY, **md5},
                dh=groups[IkeVersion.V2],
                lifetime_seconds=_SECONDS,
            ),
        },
        lifetime_kb=_KILOBYTES,
        psk=PSK,
        # `crypto isakmp identity` is one setting for all tunnels and knows no name but the ASA's own. No manual tells
        # which tunnel group answers to the name of a peer with a pre-shared key.
        domain_names=(False, False),
    )


_ECP: Final = (19, 20, 21)
VERSIONS: Final = {
    "9.16 and later": _abilities(ikev1=(5, 14), ikev2=(14, 15, 16, *_ECP, 31), weak=False),
    "9.15": _abilities(ikev1=(5, 14), ikev2=(14, 15, 16, *_ECP), weak=False),
    "9.13 to 9.14": _abilities(ikev1=(2, 5, 14), ikev2=(2, 5, 14, 15, 16, *_ECP, 24), weak=True),
    "9.8 to 9.12": _abilities(ikev1=(1, 2, 5), ikev2=(1, 2, 5, 14, *_ECP, 24), weak=True),
}
