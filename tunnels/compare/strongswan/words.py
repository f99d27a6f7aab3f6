"""Values as strongSwan writes them: proposals, times, identities, ranges, keys.

Sources: strongSwan 5.9 and 6.0, proposal_keywords_static.txt and proposal.c (keywords, defaults, what is dropped),
identification.c (types of identities), vici_config.c and starter/args.c (times and sizes), traffic_selector.c.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Final

from tunnels.compare.ranges import cidr, from_to
from tunnels.compare.reading import (
    NO_GROUP,
    Ident,
    Key,
    Naming,
    Offered,
    Range,
    Said,
    Volume,
)
from tunnels.compare.text import unreadable
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.secret import Secret

_UNITS: Final = MappingProxyType({"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400})
_SIZES: Final = MappingProxyType({"": 1, "k": 1_024, "m": 1_024**2, "g": 1_024**3})
_NUMBER: Final = re.compile(r"([0-9]{1,18}) *([a-zA-Z]?)")

_KINDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    **{row.keyword: ("encryption", row.id) for row in crypto.ENCRYPTION.values()},
    **{row.keyword: ("integrity", row.id) for row in crypto.INTEGRITY.values()},
    **{row.keyword: ("group", row.id) for row in crypto.DH_GROUPS.values()},
    **{row.keyword: ("prf", row.id) for row in crypto.PRF.values()},
    "prfsha1": ("prf", "sha1"),
    "prfmd5": ("prf", "md5"),
    "aes": ("encryption", "aes-128"),
    "aes128gcm": ("encryption", "aes-128-gcm"),
    "aes128gcm128": ("encryption", "aes-128-gcm"),
    "aes256gcm": ("encryption", "aes-256-gcm"),
    "aes256gcm128": ("encryption", "aes-256-gcm"),
    "sha": ("integrity", "sha1"),
    "sha2_256": ("integrity", "sha2-256"),
    "sha2_384": ("integrity", "sha2-384"),
    "sha2_512": ("integrity", "sha2-512"),
    "x25519": ("group", "dh31"),
    "none": ("group", NO_GROUP),
    "modpnone": ("group", NO_GROUP),
})  # fmt: skip

# Of what our catalogue does not have, the beginning of the word tells the kind.
_OTHERS: Final = re.compile(
    r"(?P<prf>prf)|(?P<integrity>sha|md5|aesxcbc|aescmac|camelliaxcbc)"
    r"|(?P<encryption>aes|camellia|blowfish|serpent|twofish|cast|null|chacha20)"
    r"|(?P<group>modp|ecp|curve|x448|gost|mlkem)"
)
# So many proposals of a list, and words of a proposal, are read; nobody writes more.
NUMBER_MAX: Final = 64

# What `default` stands for, as far as our catalogue goes: proposal_create_default and its AEAD sister.
_HASHES: Final = ("sha2-256", "sha2-384", "sha2-512", "sha1")
_GROUPS: Final = ("dh19", "dh20", "dh21", "dh31", "dh15", "dh16", "dh17", "dh18", "dh14")
_CBC: Final = ("aes-128", "aes-192", "aes-256")
_GCM: Final = ("aes-128-gcm", "aes-256-gcm")


def proposals(said: Said[str], *, esp: bool, version: IkeVersion | None) -> Iterator[Offered]:
    """The proposals of a comma-separated list; `version` is set when only that one is spoken.

    A word that strongSwan does not know is kept as `other`, and so are extended sequence numbers when the device
    insists on them.
    """
    line = said.line
    lists = [_words(single) for single in _parts(said.value.lower())[:NUMBER_MAX]]
    for words in lists or [["default"]]:
        if words == ["default"]:
            yield from default_proposals(line, esp=esp)
        else:
            offered = _proposal(words, line, esp=esp)
            yield first_of_each(offered) if version is IkeVersion.V1 else offered


def default_proposals(line: int | None, *, esp: bool) -> Iterator[Offered]:
    """What strongSwan offers when nothing is said, or `default`."""
    groups = Said((*_GROUPS, NO_GROUP) if esp else _GROUPS, line)
    integrity = Said(_HASHES, line)
    prf: Said[tuple[str, ...]] = Said(() if esp else _HASHES, line)
    aead = _GCM if esp else (*_GCM, "chacha20-poly1305")
    cbc = _CBC if esp else (*_CBC, "3des")
    yield Offered(encryption=Said(cbc, line), integrity=integrity, prf=prf, group=groups)
    yield Offered(encryption=Said(aead, line), prf=prf, group=groups)


class Lists:
    """The lists of all children of one connection; one that many of them inherit is read once.

    `offers` reads proposals for ESP, None standing for the default.
    """

    def __init__(self, offers: Callable[[Said[str] | None], tuple[Offered, ...]]) -> None:
        self.offers = cache(offers)
        self.ranges = cache(ranges)


def first_of_each(offered: Offered) -> Offered:
    """The proposal as IKEv1 sends it: of several algorithms of a kind, the first (swanctl.conf(5), proposals)."""
    return replace(
        offered,
        encryption=Said(offered.encryption.value[:1], offered.encryption.line),
        integrity=Said(offered.integrity.value[:1], offered.integrity.line),
        prf=Said(offered.prf.value[:1], offered.prf.line),
        group=Said(offered.group.value[:1], offered.group.line),
    )


def seconds(said: Said[str]) -> Said[int]:
    """A time such as `3600`, `90m` or `1 h` in seconds. Raises RuleError when it is none."""
    value = _measure(said.value, _UNITS)
    if value is None:
        raise unreadable(said.line or 1, "a time such as 3600s, 60m or 1h was expected.")
    return Said(value, said.line)


def size(text: str) -> int | None:
    """A number of bytes such as `500M`; None when it is none."""
    return _measure(text, _SIZES)


def volume(size_bytes: int) -> Volume | None:
    """A limit in bytes as KB: charon counts 1024 bytes, and announces bytes / 1000 in IKEv1; 0 is no limit."""
    if size_bytes <= 0:
        return None
    kilobytes = {size_bytes // unit for unit in (1_000, 1_024) if size_bytes % unit == 0}
    return Volume(f"{size_bytes:,} bytes", frozenset(kilobytes))


def identity(text: str) -> Ident:
    """An identity, typed as identification.c does it."""
    text = text.strip()
    lowered = text.lower()
    for prefix in ("fqdn:", "dns:"):
        if lowered.startswith(prefix) and not text[len(prefix) :].startswith("#"):
            return Ident(Naming.NAME, text[len(prefix) :])
    if lowered in {"", "%any", "%any6", "%any4", "0.0.0.0", "::", "0::0", "*"}:  # noqa: S104
        return Ident(Naming.ANY)
    if text.startswith("@") and text[1:2] not in {"@", "#"}:
        return Ident(Naming.NAME, text[1:])
    if "=" in text or "@" in text:
        return Ident(Naming.OTHER, text)
    try:
        return Ident(Naming.ADDRESS, str(ipaddress.ip_address(text)))
    except ValueError:
        return Ident(Naming.OTHER if ":" in text else Naming.NAME, text)


def address_of(addresses: tuple[Said[str], ...]) -> Said[Ident]:
    """The identity that a side has without saying one: its address, where it is a single one."""
    single = identity(addresses[0].value) if len(addresses) == 1 else Ident(Naming.OWN)
    if single.naming is not Naming.ADDRESS:
        return Said(Ident(Naming.OWN))
    return Said(single, addresses[0].line)


def known_as(own: Said[Ident], addresses: tuple[Said[str], ...]) -> set[Ident]:
    """Whose keys a side may have: its identity, and each of its addresses."""
    return {own.value, *(identity(said.value) for said in addresses)}


def ranges(said: Said[str], own: str) -> tuple[Range, ...]:
    """The ranges of a comma-separated list; `own` is what `dynamic` stands for. Host bits are cut, as charon does."""
    return tuple(_range(part, said.line, own) for part in _parts(said.value))


def key(text: str, line: int, *, quoted: bool = False) -> Key:
    """A pre-shared key; `0x` (hex) and `0s` (base64) are decoded unless it is a quoted one of ipsec.secrets."""
    start, rest = text[:2].lower(), text[2:]
    if quoted or start not in {"0x", "0s"}:
        return Key(line=line, secret=Secret(text))
    try:
        raw = (
            bytes.fromhex(rest) if start == "0x" else base64.b64decode(_padded(rest), validate=True)
        )
    except (ValueError, binascii.Error):
        encoding = "hexadecimal" if start == "0x" else "Base64"
        return Key(line=line, why=f"it begins with {start} and is not valid {encoding}")
    # Ours are ASCII: any other byte makes it another key, whatever letter it becomes here.
    return Key(line=line, secret=Secret(raw.decode("latin-1")))


def included(lines: list[int]) -> tuple[str, ...]:
    """A note on the lines that include other files: those are not here."""
    if not lines:
        return ()
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return (
        f"Line {lines[0]:,}{more} includes other files. They are not here; what they say was not compared.",
    )


def _words(proposal: str) -> list[str]:
    return [word for word in proposal.split("-") if word][:NUMBER_MAX]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _proposal(words: list[str], line: int | None, *, esp: bool) -> Offered:
    found: dict[str, list[str]] = {"encryption": [], "integrity": [], "prf": [], "group": []}
    other = [word for word in words if _kind(word)[0] == "other" and word not in {"noesn", "esn"}]
    for word in words:
        kind, value = _kind(word)
        if kind in found:
            found[kind].append(value)
    if "esn" in words and "noesn" not in words:
        other.append("extended sequence numbers")
    # The PRF follows the integrity algorithm, even where that one is then dropped beside an AEAD.
    prf = found["prf"] or found["integrity"]
    if found["encryption"] and all(_aead(word) for word in found["encryption"]):
        found["integrity"] = []
    return Offered(
        encryption=Said(tuple(found["encryption"]), line),
        integrity=Said(tuple(found["integrity"]), line),
        prf=Said(() if esp else tuple(prf), line),
        group=Said(tuple(found["group"]), line),
        other=tuple(other),
    )


def _kind(word: str) -> tuple[str, str]:
    known = _KINDS.get(word)
    if known:
        return known
    found = _OTHERS.match(word)
    return str(found.lastgroup) if found else "other", word


def _aead(encryption: str) -> bool:
    if encryption in crypto.ENCRYPTION:
        return crypto.is_aead(encryption)
    return any(mode in encryption for mode in ("gcm", "ccm", "chacha20"))


def _measure(text: str, units: Mapping[str, int]) -> int | None:
    found = _NUMBER.fullmatch(text.strip())
    if not found or found[2].lower() not in units:
        return None
    return int(found[1]) * units[found[2].lower()]


def _range(text: str, line: int | None, own: str) -> Range:
    where, bracket, _ = (part.strip() for part in text.partition("["))
    found = _whole(where, line, own)
    if not bracket:
        return found
    return Range(f"a part of {found.text} only (protocol or port)", None, line, known=found.known)


def _whole(text: str, line: int | None, own: str) -> Range:
    if text.lower() in {"dynamic", "%dynamic"}:
        alone = cidr(own, line)
        return alone if alone.known else Range("its own address", None, line, known=False)
    if "-" in text:
        first, _, last = text.partition("-")
        return from_to(first, last, line)
    return cidr(text, line)


def _padded(text: str) -> str:
    text = "".join(text.split())
    return text + "=" * (-len(text) % 4)
