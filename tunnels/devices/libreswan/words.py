"""What Libreswan calls the algorithms, and which of them it has: the tables of its proposals.

ipsec.conf(5), "ike" and "esp", and `ipsec algparse` of 4.10 for each word and both versions of IKE. DES and DH1 are
gone, DH2 and DH24 are not compiled in (mk/config.mk of 4.2 to 5.4, USE_DH2 and USE_DH24).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, esp_phases, ike_phases
from tunnels.domain.proposals import (
    IKE_LIFETIME_SECONDS,
    IPSEC_LIFETIME_KB,
    IPSEC_LIFETIME_SECONDS,
    IkeVersion,
)

# ipsec.conf(5): "up to a maximum of 24 hours"; pluto would quietly shorten what is longer.
_DAY: Final = 86_400

_ENCRYPTION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aes-256-gcm": "aes_gcm256",
        "aes-128-gcm": "aes_gcm128",
        "chacha20-poly1305": "chacha20_poly1305",
        "aes-256": "aes256",
        "aes-192": "aes192",
        "aes-128": "aes128",
        "3des": "3des",
    }
)
_HASH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sha2-256": "sha2_256",
        "sha2-384": "sha2_384",
        "sha2-512": "sha2_512",
        "sha1": "sha1",
        "md5": "md5",
    }
)
_GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        name: name
        for name in ("dh5", "dh14", "dh15", "dh16", "dh17", "dh18", "dh19", "dh20", "dh21", "dh31")
    }
)
# Quick mode has no numbers for the curves there: `ipsec algparse -v1` refuses them.
_CURVES: Final = frozenset({"dh19", "dh20", "dh21", "dh31"})


def _without(words: Mapping[str, str], missing: frozenset[str]) -> Mapping[str, str]:
    return {key: word for key, word in words.items() if key not in missing}


_ESP: Final = esp_phases(
    Phase(
        encryption=_ENCRYPTION,
        integrity=_HASH,
        dh=_GROUPS,
        lifetime_seconds=(IPSEC_LIFETIME_SECONDS[0], _DAY),
    )
)


def abilities(lifetime_kb: tuple[int, int] | None) -> Abilities:
    """What Libreswan can do. `ikev1-policy` came with 4.2, `ipsec-max-bytes` with 4.8."""
    return Abilities(
        ike=ike_phases(
            Phase(
                encryption=_ENCRYPTION,
                integrity=_HASH,
                prf=_without(_HASH, frozenset({"sha1", "md5"})),
                dh=_GROUPS,
                lifetime_seconds=(IKE_LIFETIME_SECONDS[0], _DAY),
            )
        ),
        esp={
            **_ESP,
            IkeVersion.V1: replace(_ESP[IkeVersion.V1], dh=_without(_GROUPS, _CURVES)),
        },
        lifetime_kb=lifetime_kb,
        psk=PskGrammar(),
    )


USUAL: Final = "4.8 to 4.15"
NEW: Final = "5.x"
OLD: Final = "4.2 to 4.7"
VERSIONS: Final[Mapping[str, Abilities]] = MappingProxyType(
    {USUAL: abilities(IPSEC_LIFETIME_KB), NEW: abilities(IPSEC_LIFETIME_KB), OLD: abilities(None)}
)
