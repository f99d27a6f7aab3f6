r"""RouterOS's words, limits and strings: MikroTik's manual, "IPsec" (Profiles, Proposals, Identities) and "Scripting"
(constant escape sequences). The lists of algorithms are those that `/console inspect` of 7.9 to 7.24 offers.
"""

from __future__ import annotations

import re
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, esp_phases
from tunnels.domain.proposals import IKE_LIFETIME_SECONDS, IPSEC_LIFETIME_SECONDS, IkeVersion

_DH: Final = {
    **{f"dh{number}": f"modp{bits}" for number, bits in ((1, 768), (2, 1024), (5, 1536), (14, 2048))},
    **{f"dh{number}": f"modp{bits}" for number, bits in ((15, 3072), (16, 4096), (17, 6144), (18, 8192))},
    **{f"dh{number}": f"ecp{bits}" for number, bits in ((19, 256), (20, 384), (21, 521))},
}  # fmt: skip
_INTEGRITY: Final = {"sha2-256": "sha256", "sha2-512": "sha512", "sha1": "sha1", "md5": "md5"}

_IKE: Final = Phase(
    # It has no AEAD for IKE.
    encryption={
        "aes-256": "aes-256",
        "aes-192": "aes-192",
        "aes-128": "aes-128",
        "3des": "3des",
        "des": "des",
    },
    integrity=_INTEGRITY | {"sha2-384": "sha384"},
    dh=_DH | {"dh31": "x25519"},
    lifetime_seconds=IKE_LIFETIME_SECONDS,
)
_CIPHERS: Final = {
    "aes-256-gcm": "aes-256-gcm",
    "aes-128-gcm": "aes-128-gcm",
    "chacha20-poly1305": "chacha20poly1305",
    "aes-256": "aes-256-cbc",
    "aes-192": "aes-192-cbc",
    "aes-128": "aes-128-cbc",
    "3des": "3des",
}
_ESP: Final = Phase(
    encryption=_CIPHERS,
    # There is no SHA2-384, and x25519 is no group for PFS.
    integrity=_INTEGRITY,
    dh=_DH,
    lifetime_seconds=IPSEC_LIFETIME_SECONDS,
)

ABILITIES: Final = Abilities(
    ike=dict.fromkeys(IkeVersion, _IKE),
    esp=esp_phases(_ESP),
    lifetime_kb=None,
    psk=PskGrammar(),
)

# `\?` was an escape until 7.1: the hexadecimal one means the same in every version.
_ESCAPED: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "$": "\\$", "?": "\\3F"})
# A secret behind 0x is hexadecimal.
_HEX: Final = re.compile("0x", re.IGNORECASE)


def quote(text: str) -> str:
    """The visible ASCII text as a string of RouterOS's console language; nothing in it is evaluated."""
    return f'"{text.translate(_ESCAPED)}"'


def secret(key: str) -> str:
    """The key so that RouterOS stores exactly its bytes."""
    return quote(f"0x{key.encode().hex()}" if _HEX.match(key) else key)


def time(seconds: int) -> str:
    """The time as RouterOS prints it: 1d, 2h30m, 45s."""
    text = ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text
