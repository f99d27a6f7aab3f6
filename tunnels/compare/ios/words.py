"""Values as IOS writes them: algorithms, groups, identities, ranges, keys.

Source: Cisco IOS Security Command Reference (encryption, hash, group, integrity, prf, crypto ipsec transform-set,
crypto isakmp key, pre-shared-key, access-list), IOS 15M and IOS-XE 17.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from tunnels.compare.ranges import block, unread
from tunnels.compare.reading import Ident, Key, Naming, Range
from tunnels.domain import crypto
from tunnels.domain.secret import Secret

HASHES: Mapping[str, str] = MappingProxyType({
    "md5": "md5", "sha": "sha1", "sha1": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512",
})  # fmt: skip
IKEV2_CIPHERS: Mapping[str, str] = MappingProxyType({
    "des": "des", "3des": "3des", "aes-cbc-128": "aes-128", "aes-cbc-192": "aes-192", "aes-cbc-256": "aes-256",
    "aes-gcm-128": "aes-128-gcm", "aes-gcm-256": "aes-256-gcm",
})  # fmt: skip
_AES: Final = {"128": "aes-128", "192": "aes-192", "256": "aes-256"}
_GCM: Final = {"128": "aes-128-gcm", "256": "aes-256-gcm"}
_HMACS: Final = {f"esp-{name}-hmac": value for name, value in HASHES.items()}


def cipher(words: tuple[str, ...]) -> str:
    """The cipher of an ISAKMP policy: `aes`, `aes 256`, `3des`."""
    name, size = words[0] if words else "", words[1] if len(words) > 1 else "128"
    if name == "aes":
        return _AES.get(size, f"aes {size}")
    return name


def ciphers(words: Iterable[str]) -> tuple[str, ...]:
    """The ciphers of an IKEv2 proposal."""
    return tuple(IKEV2_CIPHERS.get(word, word) for word in words)


def hashes(words: Iterable[str]) -> tuple[str, ...]:
    """Hash functions, of either version."""
    return tuple(HASHES.get(word, word) for word in words)


def groups(words: Iterable[str]) -> tuple[str, ...]:
    """DH groups, written `14` or `group14`."""
    numbers = (word.removeprefix("group") for word in words)
    return tuple(
        f"dh{number}" if f"dh{number}" in crypto.DH_GROUPS else f"DH{number}" for number in numbers
    )


def transforms(words: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(cipher, integrity, what else there is) of a transform set, such as `esp-aes 256 esp-sha256-hmac`."""
    encryption, integrity, other = "", [], []
    for at, word in enumerate(words):
        size = words[at + 1] if words[at + 1 : at + 2] and words[at + 1].isdecimal() else "128"
        if word == "esp-aes":
            encryption = _AES.get(size, f"esp-aes {size}")
        elif word == "esp-gcm":
            encryption = _GCM.get(size, f"esp-gcm {size}")
        elif word in {"esp-3des", "esp-des"}:
            encryption = word.removeprefix("esp-")
        elif word in _HMACS:
            integrity.append(_HMACS[word])
        elif not word.isdecimal():
            other.append(word)
    return encryption, tuple(integrity), tuple(other)


def key(words: tuple[str, ...], line: int) -> Key | None:
    """A key behind its keyword: `0 TEXT`, `6 TEXT` (encrypted), `hex DIGITS`, or just the text."""
    if not words:
        return None
    kind = words[0] if len(words) > 1 and words[0] in {"0", "6", "7", "hex"} else ""
    if kind in {"6", "7"}:
        return Key(line=line, why="it is encrypted (type 6 or 7)")
    if kind == "hex":
        try:
            return Key(line=line, secret=Secret(bytes.fromhex(words[1]).decode("latin-1")))
        except ValueError:
            return Key(line=line, why="it is not valid hexadecimal")
    return Key(line=line, secret=Secret(words[1] if kind else words[0]))


def identity(words: tuple[str, ...]) -> Ident:
    """An identity: `address A [MASK]`, `fqdn NAME`, `fqdn domain NAME`, `host NAME`, `any`, or another kind."""
    kind, rest = words[0] if words else "", words[1:]
    if kind == "any":
        return Ident(Naming.ANY)
    if kind == "address":
        address = _block(rest)
        return Ident(Naming.ADDRESS, address) if address else Ident(Naming.OWN)
    if kind in {"fqdn", "host"} and rest:
        name = f"*.{rest[1]}" if rest[0] == "domain" and len(rest) > 1 else rest[0]
        return Ident(Naming.NAME, name)
    return Ident(Naming.OTHER, " ".join(words))


def network(address: str, wildcard: str, line: int) -> Range:
    """A range of an access list: an address and its wildcard mask, whose 1 bits may be anything."""
    try:
        base, free = ipaddress.IPv4Address(address), int(ipaddress.IPv4Address(wildcard))
    except ValueError:
        return unread(line)
    if free & (free + 1):
        return Range("a wildcard mask with gaps", None, line)
    return block(ipaddress.IPv4Network((int(base) & ~free, 32 - free.bit_length())), line)


def _block(words: tuple[str, ...]) -> str:
    """The address, or the block of an address and a netmask; "" when it is none."""
    words = words[1:] if words[:1] == ("ipv6",) else words
    try:
        if len(words) > 1 and words[1][:1].isdigit() and words[1] != "255.255.255.255":
            return str(ipaddress.ip_network(f"{words[0]}/{words[1]}", strict=False))
        return str(ipaddress.ip_address(words[0].split("/")[0])) if words else ""
    except ValueError:
        return ""
