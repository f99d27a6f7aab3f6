"""RRAS's words for what the catalogue offers: the values that Microsoft lists for Add-VpnS2SInterface."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar
from tunnels.domain.proposals import IkeVersion

# NetworkOutageTimeSeconds takes no others.
OUTAGES: Final = (3, 6, 9, 12, 15, 30, 60, 120, 240, 360, 720, 900)
NO_OUTAGE: Final = OUTAGES[-1]
# Beside an AEAD, AuthenticationTransformConstants names it once more.
TRANSFORMS: Final = MappingProxyType({"aes-256-gcm": "GCMAES256", "aes-128-gcm": "GCMAES128"})

_CBC = {"aes-256": "AES256", "aes-192": "AES192", "aes-128": "AES128", "3des": "DES3"}
# mprapi.h: 300 to 17,279,999 seconds, and 1024 KB at least.
_LIFETIME = (300, 17_279_999)

ABILITIES: Final = Abilities(
    ike={
        IkeVersion.V2: Phase(
            encryption={**_CBC, "des": "DES"},
            integrity={"sha2-256": "SHA256", "sha2-384": "SHA384", "sha1": "SHA1", "md5": "MD5"},
            dh={
                "dh19": "ECP256",
                "dh20": "ECP384",
                "dh14": "Group14",
                "dh24": "Group24",
                "dh2": "Group2",
                "dh1": "Group1",
            },
            lifetime_seconds=_LIFETIME,
        )
    },
    esp={
        IkeVersion.V2: Phase(
            encryption={**TRANSFORMS, **_CBC},
            integrity={"sha2-256": "SHA256128", "sha1": "SHA196", "md5": "MD596"},
            dh={
                "dh19": "ECP256",
                "dh20": "ECP384",
                "dh14": "PFS2048",
                "dh24": "PFS24",
                "dh2": "PFS2",
                "dh1": "PFS1",
            },
            lifetime_seconds=_LIFETIME,
        )
    },
    lifetime_kb=(1_024, 4_294_967_295),
    psk=PskGrammar(),
    # It offers all its ranges at once, and nothing tells that it would negotiate one pair after the other.
    sa_for_each_pair=False,
    domain_names=(False, False),
)
