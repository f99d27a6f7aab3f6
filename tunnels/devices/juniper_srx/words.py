"""What the releases of Junos on SRX can do, in Junos' words.

Words, ranges and lengths are those of Juniper's YANG models (junos-es-conf-security) of 18.1R1 to 18.3R1, 22.4R1,
23.1R1, 23.2R1, 23.4R1, 24.2R1 and 24.4R1; that AES-GCM needs IKEv2 in IKE is said in the CLI Reference,
encryption-algorithm (Security IKE). The model of 24.4R1 has ChaCha20-Poly1305 for IKE too, but nothing tells which PRF
goes with it: it is not offered there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, ike_phases
from tunnels.domain.proposals import IkeVersion

# CLI Reference, prf-algorithm: beside AES-GCM the PRF cannot be set, AES-256-GCM implies that of SHA-384.
PRF_BESIDE: Final[Mapping[str, str]] = {"aes-256-gcm": "sha2-384", "aes-128-gcm": "sha2-256"}
PRF_WORDS: Final[Mapping[str, str]] = {
    "sha2-256": "prf-hmac-sha256",
    "sha2-384": "prf-hmac-sha384",
}
# What the older of the two IKE processes does not have (Junos IPsec VPN User Guide, junos-ike package).
NEEDS_IKED: Final = frozenset({"dh21", "sha2-384-esp", "sha2-512", "chacha20-poly1305"})

_CBC = {
    "aes-256": "aes-256-cbc",
    "aes-192": "aes-192-cbc",
    "aes-128": "aes-128-cbc",
    "3des": "3des-cbc",
    "des": "des-cbc",
}
_GCM = {"aes-256-gcm": "aes-256-gcm", "aes-128-gcm": "aes-128-gcm"}
_CHACHA = {"chacha20-poly1305": "chacha20-poly1305"}
_IKE_HASHES = {"sha2-384": "sha-384", "sha2-256": "sha-256", "sha1": "sha1", "md5": "md5"}
_IKE_SHA512 = {"sha2-512": "sha-512"}
_ESP_HASHES = {"sha2-256": "hmac-sha-256-128", "sha1": "hmac-sha1-96", "md5": "hmac-md5-96"}
_ESP_LONG_HASHES = {"sha2-384": "hmac-sha-384", "sha2-512": "hmac-sha-512"}
_GROUPS = {f"dh{number}": f"group{number}" for number in (1, 2, 5, 14, 19, 20, 24)}
_LARGE_GROUPS = {f"dh{number}": f"group{number}" for number in (15, 16)}
_P521 = {"dh21": "group21"}
_SECONDS = (180, 86_400)
_MOST_KB = 4_294_967_294


def _abilities(
    *,
    ike_hashes: Mapping[str, str],
    esp_ciphers: Mapping[str, str],
    esp_hashes: Mapping[str, str],
    groups: Mapping[str, str],
    lifetime_kb: tuple[int, int] | None,
) -> Abilities:
    return Abilities(
        ike=ike_phases(
            Phase(
                encryption={**_GCM, **_CBC},
                integrity=ike_hashes,
                prf=PRF_WORDS,
                dh=groups,
                lifetime_seconds=_SECONDS,
            )
        ),
        esp=dict.fromkeys(
            IkeVersion,
            Phase(
                encryption=esp_ciphers, integrity=esp_hashes, dh=groups, lifetime_seconds=_SECONDS
            ),
        ),
        lifetime_kb=lifetime_kb,
        psk=PskGrammar(),
        most_pairs=200,
    )


_OLD_ESP = {**_GCM, **_CBC}
_NEW_IKE_HASHES = {**_IKE_HASHES, **_IKE_SHA512}
_NEW_ESP_HASHES = {**_ESP_HASHES, **_ESP_LONG_HASHES}
_NEW_GROUPS = {**_GROUPS, **_LARGE_GROUPS, **_P521}
_IN_23_4 = _abilities(
    ike_hashes=_NEW_IKE_HASHES,
    esp_ciphers=_OLD_ESP,
    esp_hashes=_NEW_ESP_HASHES,
    groups=_NEW_GROUPS,
    lifetime_kb=(64, _MOST_KB),
)

RELEASES: Final[Mapping[str, Abilities]] = {
    "24.2 and later": _abilities(
        ike_hashes=_NEW_IKE_HASHES,
        esp_ciphers={**_OLD_ESP, **_CHACHA},
        esp_hashes=_NEW_ESP_HASHES,
        groups=_NEW_GROUPS,
        lifetime_kb=(64_000, _MOST_KB),
    ),
    "23.4": _IN_23_4,
    # The model of this release alone has no lifetime by volume.
    "23.2": replace(_IN_23_4, lifetime_kb=None),
    "18.3 to 23.1": _abilities(
        ike_hashes=_IKE_HASHES,
        esp_ciphers=_OLD_ESP,
        esp_hashes=_ESP_HASHES,
        groups={**_GROUPS, **_LARGE_GROUPS},
        lifetime_kb=(64, _MOST_KB),
    ),
    "15.1X49-D100 to 18.2": _abilities(
        ike_hashes=_IKE_HASHES,
        esp_ciphers=_OLD_ESP,
        esp_hashes=_ESP_HASHES,
        groups=_GROUPS,
        lifetime_kb=(64, _MOST_KB),
    ),
}
