"""VyOS's words for what the catalogue offers.

Source: VyOS's interface definitions (vpn_ipsec.xml, include/vpn-ipsec-encryption.xml and vpn-ipsec-hash.xml) of 1.4 and
1.5: the values that the command line takes. What is behind them is strongSwan, which has no DES there.
"""

from __future__ import annotations

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, esp_phases, ike_phases
from tunnels.domain import crypto

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

ABILITIES = Abilities(
    ike=ike_phases(
        Phase(
            encryption=_ENCRYPTION,
            integrity=_HASH,
            prf=_PRF,
            dh=_GROUPS,
            # 0 would be no end at all.
            lifetime_seconds=(1, 86_400),
        )
    ),
    esp=esp_phases(
        Phase(
            encryption=_ENCRYPTION,
            integrity=_HASH,
            dh={key: f"dh-group{number}" for key, number in _GROUPS.items()},
            lifetime_seconds=(30, 86_400),
        )
    ),
    # life-bytes is 1024 to 26843545600000.
    lifetime_kb=(1, 26_214_400_000),
    psk=PskGrammar(
        refused="'\"\\?",
        prefixes=("0x", "0s", "//"),
        why="it means something else to VyOS's prompt, or in the files that VyOS makes of it",
    ),
    main_mode_names=True,
)
