"""VyOS's words for what the catalogue offers.

Source: VyOS's interface definitions (vpn_ipsec.xml, include/vpn-ipsec-encryption.xml and vpn-ipsec-hash.xml) of 1.4 and
1.5: the values that the command line takes. What is behind them is strongSwan, which has no DES there.
"""

from __future__ import annotations

from tunnels.devices.abilities import Abilities, Phase, PskGrammar
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion

_ENCRYPTION = {
    "aes-256-gcm": "aes256gcm128",
    "aes-128-gcm": "aes128gcm128",
    "chacha20-poly1305": "chacha20poly1305",
    "aes-256": "aes256",
    "aes-192": "aes192",
    "aes-128": "aes128",
    "3des": "3des",
}
_HASH = {
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha1": "sha1",
    "md5": "md5",
}
_PRF = {"sha2-256": "prfsha256", "sha2-384": "prfsha384", "sha2-512": "prfsha512"}
# 1, 2, 5, 14 to 32: it has each group of the catalogue, under its number.
_GROUPS = {key: str(group.number) for key, group in crypto.DH_GROUPS.items()}


def _without(refused: frozenset[str]) -> dict[str, str]:
    return {key: word for key, word in _ENCRYPTION.items() if key not in refused}


def _ike(refused: frozenset[str]) -> Phase:
    return Phase(
        encryption=_without(refused),
        integrity=_HASH,
        prf=_PRF,
        dh=_GROUPS,
        # 0 would be no end at all.
        lifetime_seconds=(1, 86_400),
    )


def _esp(refused: frozenset[str]) -> Phase:
    return Phase(
        encryption=_without(refused),
        integrity=_HASH,
        dh={key: f"dh-group{number}" for key, number in _GROUPS.items()},
        lifetime_seconds=(30, 86_400),
    )


ABILITIES = Abilities(
    ike={IkeVersion.V1: _ike(crypto.IKEV1_IKE_AEAD_REFUSED), IkeVersion.V2: _ike(frozenset())},
    esp={IkeVersion.V1: _esp(crypto.IKEV1_ESP_REFUSED), IkeVersion.V2: _esp(frozenset())},
    # life-bytes is 1024 to 26843545600000.
    lifetime_kb=(1, 26_214_400_000),
    psk=PskGrammar(
        refused="'\"\\?",
        prefixes=("0x", "0s", "//"),
        why="it means something else to VyOS's prompt, or in the files that VyOS makes of it",
    ),
    main_mode_names=True,
)
