"""What charon's words mean, for the readers of both its files: proposals, durations, identities.

The words are those of the tables "IKE and ESP cipher suites" in strongSwan's manual.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from tests.devices.understood import BadFileError

# What turns a word into a number, or raises BadFileError.
Value: TypeAlias = Callable[[str], int]

ENCRYPTION = {
    "aes128": "aes-128",
    "aes192": "aes-192",
    "aes256": "aes-256",
    "3des": "3des",
    "des": "des",
}
AEAD = {
    "aes128gcm16": "aes-128-gcm",
    "aes256gcm16": "aes-256-gcm",
    "chacha20poly1305": "chacha20-poly1305",
}
INTEGRITY = {
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha2-256",
    "sha384": "sha2-384",
    "sha512": "sha2-512",
}
PRF = {"prfsha256": "sha2-256", "prfsha384": "sha2-384", "prfsha512": "sha2-512"}
GROUPS = {
    "modp768": "dh1",
    "modp1024": "dh2",
    "modp1536": "dh5",
    "modp2048": "dh14",
    "modp3072": "dh15",
    "modp4096": "dh16",
    "modp6144": "dh17",
    "modp8192": "dh18",
    "ecp256": "dh19",
    "ecp384": "dh20",
    "ecp521": "dh21",
    "modp2048s256": "dh24",
    "curve25519": "dh31",
}


def word(table: dict[str, str], text: str) -> str:
    """Our id of charon's word. Raises BadFileError for a word that it does not know."""
    if text not in table:
        raise BadFileError(f"{text!r} is none of {', '.join(table)}")
    return table[text]


def ike_proposal(text: str) -> dict[str, str | None]:
    """The fields of Understood in an IKE proposal: `encryption-integrity-group`, or with a PRF beside an AEAD."""
    first, second, group = _parts(text, 3, 3)
    aead = first in AEAD
    return {
        "ike_encryption": word(AEAD if aead else ENCRYPTION, first),
        "ike_integrity": None if aead else word(INTEGRITY, second),
        "ike_prf": word(PRF, second) if aead else None,
        "ike_dh": word(GROUPS, group),
    }


def esp_proposal(text: str) -> dict[str, str | None]:
    """The fields of Understood in an ESP proposal: `encryption-integrity[-group]`, or an AEAD without integrity."""
    aead = text.split("-")[0] in AEAD
    shortest = 1 if aead else 2
    parts = _parts(text, shortest, shortest + 1)
    return {
        "esp_encryption": word(AEAD if aead else ENCRYPTION, parts[0]),
        "esp_integrity": None if aead else word(INTEGRITY, parts[1]),
        "pfs": word(GROUPS, parts[-1]) if len(parts) > shortest else "",
    }


def seconds(text: str) -> int:
    """A duration such as `3600s`."""
    return number(text.removesuffix("s")) if text.endswith("s") else _bad(text)


def number(text: str) -> int:
    """A whole number above 0, without a sign or leading zeros."""
    return int(text) if re.fullmatch("[1-9][0-9]*", text, re.ASCII) else _bad(text)


def kilobytes(octets: int) -> int:
    """Bytes in KB of 1024."""
    return octets // 1024 if octets % 1024 == 0 else _bad(f"{octets} bytes")


def address(text: str) -> str:
    """An IP address in its canonical form."""
    try:
        return text if str(ipaddress.ip_address(text)) == text else _bad(text)
    except ValueError:
        return _bad(text)


def network(text: str) -> str:
    """A range in its canonical form, without host bits."""
    try:
        return text if str(ipaddress.ip_network(text)) == text else _bad(text)
    except ValueError:
        return _bad(text)


def identity(text: str, *, name: str) -> str:
    """An address, or what follows the prefix `name`, which makes it a domain name."""
    if text.startswith(name) and len(text) > len(name):
        return text[len(name) :]
    return address(text)


def _parts(text: str, shortest: int, longest: int) -> list[str]:
    parts = text.split("-")
    return parts if shortest <= len(parts) <= longest else _bad(text)


def _bad(text: str) -> NoReturn:
    raise BadFileError(f"not understood: {text!r}")
