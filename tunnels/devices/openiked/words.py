"""What OpenIKED calls the algorithms, and which of them it has.

iked.conf(5), "Crypto transforms", and the tables of iked's parser (parse.y). The portable version hands its SAs to
Linux through PF_KEY, where it has no AEAD (iked drops such a proposal without a word) and where SHA2-256 would be cut
to 96 bits, unlike RFC 4868 §2.6 (pfkey.c).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar
from tunnels.domain import crypto
from tunnels.domain.proposals import (
    IKE_LIFETIME_SECONDS,
    IPSEC_LIFETIME_KB,
    IPSEC_LIFETIME_SECONDS,
    IkeVersion,
)

_CIPHERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aes-256-gcm": "aes-256-gcm",
        "aes-128-gcm": "aes-128-gcm",
        "aes-256": "aes-256",
        "aes-192": "aes-192",
        "aes-128": "aes-128",
        "3des": "3des",
    }
)
# ChaCha20 is for ESP only.
_ESP_CIPHERS: Final[Mapping[str, str]] = MappingProxyType(
    {**_CIPHERS, "chacha20-poly1305": "chacha20-poly1305"}
)
_HASHES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sha2-256": "hmac-sha2-256",
        "sha2-384": "hmac-sha2-384",
        "sha2-512": "hmac-sha2-512",
        "sha1": "hmac-sha1",
        "md5": "hmac-md5",
    }
)
_GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dh1": "modp768",
        "dh2": "modp1024",
        "dh5": "modp1536",
        "dh14": "modp2048",
        "dh15": "modp3072",
        "dh16": "modp4096",
        "dh17": "modp6144",
        "dh18": "modp8192",
        "dh19": "ecp256",
        "dh20": "ecp384",
        "dh21": "ecp521",
        "dh31": "curve25519",
    }
)
_IKE: Final = Phase(
    encryption=_CIPHERS,
    integrity=_HASHES,
    prf={key: word for key, word in _HASHES.items() if key in crypto.PRF},
    dh=_GROUPS,
    lifetime_seconds=IKE_LIFETIME_SECONDS,
)


def _abilities(ciphers: Mapping[str, str], hashes: Mapping[str, str]) -> Abilities:
    """What iked can do with these for ESP: IKEv2 only."""
    esp = Phase(
        encryption=ciphers,
        integrity=hashes,
        dh=_GROUPS,
        lifetime_seconds=IPSEC_LIFETIME_SECONDS,
    )
    return Abilities(
        ike={IkeVersion.V2: _IKE},
        esp={IkeVersion.V2: esp},
        lifetime_kb=IPSEC_LIFETIME_KB,
        psk=PskGrammar(),
        # It offers all ranges of a policy at once, does not follow when the other side narrows them, and lets every
        # pair use the same SA (ikev2_childsa_negotiate in ikev2.c). A policy for each pair makes an IKE SA for each,
        # and the VPN gateway keeps one for a peer.
        sa_for_each_pair=False,
    )


LINUX: Final = "portable 7.x on Linux"
VERSIONS: Final[Mapping[str, Abilities]] = MappingProxyType(
    {
        "OpenBSD 7.x": _abilities(_ESP_CIPHERS, _HASHES),
        LINUX: _abilities(
            {key: word for key, word in _ESP_CIPHERS.items() if not crypto.is_aead(key)},
            {key: word for key, word in _HASHES.items() if key != "sha2-256"},
        ),
    }
)
