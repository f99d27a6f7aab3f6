"""Values as FortiOS writes them: proposals, groups, ranges, keys.

Source: FortiOS 7.4 and 7.6 CLI Reference, config vpn ipsec phase1-interface and phase2-interface.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tunnels.compare.ranges import cidr
from tunnels.compare.reading import Ident, Key, Naming, Offered, Range, Said
from tunnels.domain import crypto
from tunnels.domain.secret import Secret

_CIPHERS: Mapping[str, str] = MappingProxyType({
    "des": "des", "3des": "3des", "aes128": "aes-128", "aes192": "aes-192", "aes256": "aes-256",
    "aes128gcm": "aes-128-gcm", "aes256gcm": "aes-256-gcm", "chacha20poly1305": "chacha20-poly1305",
})  # fmt: skip
_HASHES: Mapping[str, str] = MappingProxyType({
    "md5": "md5", "sha1": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512",
})  # fmt: skip
_PRF: Final = "prf"


def proposals(
    said: Said[tuple[str, ...]], groups: Said[tuple[str, ...]], *, esp: bool
) -> Iterator[Offered]:
    """One proposal for each word, such as `aes256-sha256` or `aes256gcm-prfsha384`; all with the same groups."""
    for word in said.value:
        cipher, _, hash_ = word.lower().partition("-")
        name = hash_.removeprefix(_PRF)
        integrity = (_HASHES.get(name, name),) if name and not hash_.startswith(_PRF) else ()
        prf = (_HASHES.get(name, name),) if name and not esp else ()
        yield Offered(
            encryption=Said((_CIPHERS.get(cipher, cipher),), said.line),
            integrity=Said(() if integrity == ("null",) else integrity, said.line),
            prf=Said(prf, said.line),
            group=groups,
        )


def groups(numbers: Said[tuple[str, ...]]) -> Said[tuple[str, ...]]:
    """DH groups by their numbers."""
    ids = (
        f"dh{number}" if f"dh{number}" in crypto.DH_GROUPS else f"DH{number}"
        for number in numbers.value
    )
    return Said(tuple(ids), numbers.line)


def key(words: Said[tuple[str, ...]]) -> Key:
    """A pre-shared key: `ENC …` and stars cannot be read; 0x is hexadecimal."""
    line = words.line or 1
    text = words.value[0]
    if text == "ENC":
        return Key(line=line, why="it is encrypted (ENC)")
    if not text.strip("*"):
        return Key(line=line, why="it is masked by stars")
    if text[:2].lower() == "0x":
        try:
            return Key(line=line, secret=Secret(bytes.fromhex(text[2:]).decode("latin-1")))
        except ValueError:
            return Key(line=line, why="it begins with 0x and is not valid hexadecimal")
    return Key(line=line, secret=Secret(text))


def identity(text: str) -> Ident:
    """The identity that a peer is asked for: an address, or a domain name."""
    try:
        return Ident(Naming.ADDRESS, str(ipaddress.ip_address(text)))
    except ValueError:
        return Ident(Naming.NAME, text)


def subnet(words: tuple[str, ...], line: int | None) -> Range:
    """`10.0.0.0 255.255.255.0`, `10.0.0.0/24` or `2001:db8::/64`."""
    return cidr("/".join(words[:2]), line)
