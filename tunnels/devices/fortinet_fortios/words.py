"""FortiOS's words for algorithms and its limits: FortiOS CLI Reference 7.0 to 7.6, `config vpn ipsec phase1-interface`
and `phase2-interface`; Administration Guide, "Encryption algorithms" and "Pre-shared key vs digital certificates".
"""

from __future__ import annotations

import re
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion

_CIPHERS: Final = {
    "aes-256": "aes256",
    "aes-192": "aes192",
    "aes-128": "aes128",
    "3des": "3des",
    "des": "des",
}
_AEAD: Final = {
    "aes-256-gcm": "aes256gcm",
    "aes-128-gcm": "aes128gcm",
    "chacha20-poly1305": "chacha20poly1305",
}
_INTEGRITY: Final = {
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha1": "sha1",
    "md5": "md5",
}
_PRF: Final = {"sha2-256": "prfsha256", "sha2-384": "prfsha384", "sha2-512": "prfsha512"}
# `dhgrp` takes the IANA numbers; there is no group 24.
_DH: Final = {
    key: str(group.number) for key, group in crypto.DH_GROUPS.items() if group.number != 24
}
_SECONDS: Final = (120, 172_800)

_IKE: Final = {
    IkeVersion.V1: Phase(encryption=_CIPHERS, integrity=_INTEGRITY, dh=_DH, lifetime_seconds=_SECONDS),
    IkeVersion.V2: Phase(
        encryption=_CIPHERS | _AEAD, integrity=_INTEGRITY, prf=_PRF, dh=_DH, lifetime_seconds=_SECONDS
    ),
}  # fmt: skip
_ESP: Final = {
    version: Phase(
        encryption=_CIPHERS | _AEAD, integrity=_INTEGRITY, dh=_DH, lifetime_seconds=_SECONDS
    )
    for version in IkeVersion
}

# The tables are the same in all these versions; 8.0 has no IKEv1 and is not offered.
ABILITIES: Final = Abilities(
    ike=_IKE, esp=_ESP, lifetime_kb=(5_120, 4_294_967_295), psk=PskGrammar(lengths=(6, 128))
)

# `localid` has 63 characters at most, `peerid` 255.
LONGEST_LOCALID: Final = 63
# A pre-shared key is an ASCII text or, behind 0x, hexadecimal; what is typed has 128 characters at most.
LONGEST_KEY: Final = 128
# What a double-quoted string holds as it is. Left out are `"` and `\`, which need escapes; `?`, which asks for help
# wherever it is pasted; `$`, which begins a variable; and what FortiOS bans from most of its fields: <>()#'.
PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9!%&*+,\-./:;=@\[\]^_{|}~]+", re.ASCII)
# A text behind 0x is decoded, and one behind 00x loses its first zero; ENC announces an encrypted key.
DECODED: Final = re.compile(r"0+x|enc", re.IGNORECASE)


def key_value(key: str) -> str:
    """The key so that FortiOS stores exactly its bytes: as a quoted text, or else in hexadecimal."""
    if PLAIN_KEY.fullmatch(key) and not DECODED.match(key):
        return f'"{key}"'
    return f"0x{key.encode().hex()}"
