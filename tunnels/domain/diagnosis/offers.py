"""charon's proposals (`IKE:AES_CBC_256/HMAC_SHA2_256_128/…`) in the words of our catalogue, and how two differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tunnels.domain import crypto
from tunnels.domain.crypto import Transform
from tunnels.domain.proposals import IkeSettings, IpsecSettings

# How many proposals of a peer are told; some devices send dozens.
TOLD_MAX = 3
_WORD = re.compile(r"[A-Z0-9_]{2,40}")
_SILENT = frozenset({"NO_EXT_SEQ", "EXT_SEQ"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One proposal: for each kind of transform what may be chosen. Ids of our catalogue, else charon's word."""

    encryption: tuple[str, ...] = ()
    integrity: tuple[str, ...] = ()
    prf: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def __str__(self) -> str:
        aead = any(key in crypto.ENCRYPTION and crypto.is_aead(key) for key in self.encryption)
        parts = [
            _labels(self.encryption, crypto.ENCRYPTION),
            _labels(self.integrity, crypto.INTEGRITY),
            # Beside an integrity algorithm the PRF follows it, and says nothing new.
            _labels(self.prf, crypto.PRF) if aead else "",
            _labels(self.group, crypto.DH_GROUPS),
            " or ".join(self.other),
        ]
        return " / ".join(part for part in parts if part)


def parse_offers(text: str) -> tuple[Offer, ...]:
    """The proposals of a `received proposals:` or `configured proposals:` line; what is not one is left out."""
    offers = []
    for proposal in text.split(","):
        _, colon, words = proposal.strip().partition(":")
        if colon:
            found = [word for word in words.split("/") if _WORD.fullmatch(word)]
            offers.append(_offer(word for word in found if word not in _SILENT))
    return tuple(offers)


def describe(offers: Iterable[Offer]) -> str:
    """For people: `AES-128 / SHA1 / DH2 (1024-bit MODP)`, several with "; or" between them."""
    texts = list(dict.fromkeys(str(offer) for offer in offers))
    more = f"; and {len(texts) - TOLD_MAX} more" if len(texts) > TOLD_MAX else ""
    return "; or ".join(texts[:TOLD_MAX]) + more


def our_ike(ike: IkeSettings) -> Offer:
    """What we accept in phase 1."""
    aead = crypto.is_aead(ike.encryption)
    return Offer(
        encryption=(ike.encryption,),
        integrity=() if aead else (ike.integrity,),
        prf=(ike.prf if aead else ike.integrity,),
        group=(ike.dh_group,),
    )


def our_esp(ipsec: IpsecSettings) -> Offer:
    """What we accept in phase 2."""
    aead = crypto.is_aead(ipsec.encryption)
    return Offer(
        encryption=(ipsec.encryption,),
        integrity=() if aead else (ipsec.integrity,),
        group=(ipsec.pfs,) if ipsec.pfs else (),
    )


def differing(ours: Offer, theirs: Iterable[Offer]) -> str:
    """Where the offer that is nearest to ours differs: encryption, integrity, prf, group, or "" for nowhere."""
    # Most alike first: of an offer that differs in the group only, the group is the one thing to change.
    nearest = min((_differences(ours, offer) for offer in theirs), key=len, default=[])
    return nearest[0] if nearest else ""


def _differences(ours: Offer, theirs: Offer) -> list[str]:
    pairs = {
        "encryption": (ours.encryption, theirs.encryption),
        "integrity": (ours.integrity, theirs.integrity),
        "prf": (ours.prf, theirs.prf),
        "group": (ours.group, theirs.group),
    }
    return [
        kind for kind, (one, other) in pairs.items() if (one or other) and not set(one) & set(other)
    ]


def _offer(words: Iterable[str]) -> Offer:
    found: dict[str, list[str]] = {
        "encryption": [], "integrity": [], "prf": [], "group": [], "other": [],
    }  # fmt: skip
    for word in words:
        kind, key = _WORDS.get(word, ("other", word))
        if word not in _WORDS:
            kind = next((kind for start, kind in _KINDS if word.startswith(start)), "other")
        found[kind].append(key)
    return Offer(**{kind: tuple(keys) for kind, keys in found.items()})


def _labels(keys: tuple[str, ...], table: Mapping[str, Transform]) -> str:
    return " or ".join(table[key].label if key in table else key for key in keys)


# Of transforms outside our catalogue the beginning of charon's word tells at least the kind.
_KINDS = (
    ("PRF_", "prf"), ("HMAC_", "integrity"), ("AES_XCBC", "integrity"), ("AES_CMAC", "integrity"),
    ("MODP_", "group"), ("ECP_", "group"), ("CURVE_", "group"), ("KE_", "group"), ("NTRU_", "group"),
    ("AES_", "encryption"), ("CAMELLIA_", "encryption"), ("BLOWFISH_", "encryption"), ("CAST_", "encryption"),
    ("SERPENT_", "encryption"), ("TWOFISH_", "encryption"), ("NULL", "encryption"),
)  # fmt: skip

_CURVES = {19: "ECP_256", 20: "ECP_384", 21: "ECP_521", 24: "MODP_2048_256", 31: "CURVE_25519"}

# charon's word → (kind, id in our catalogue).
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "AES_GCM_16_256": ("encryption", "aes-256-gcm"),
    "AES_GCM_16_128": ("encryption", "aes-128-gcm"),
    "CHACHA20_POLY1305": ("encryption", "chacha20-poly1305"),
    "CHACHA20_POLY1305_256": ("encryption", "chacha20-poly1305"),
    "AES_CBC_256": ("encryption", "aes-256"),
    "AES_CBC_192": ("encryption", "aes-192"),
    "AES_CBC_128": ("encryption", "aes-128"),
    "3DES_CBC": ("encryption", "3des"),
    "DES_CBC": ("encryption", "des"),
    "HMAC_SHA2_256_128": ("integrity", "sha2-256"),
    "HMAC_SHA2_384_192": ("integrity", "sha2-384"),
    "HMAC_SHA2_512_256": ("integrity", "sha2-512"),
    "HMAC_SHA1_96": ("integrity", "sha1"),
    "HMAC_MD5_96": ("integrity", "md5"),
    "PRF_HMAC_SHA2_256": ("prf", "sha2-256"),
    "PRF_HMAC_SHA2_384": ("prf", "sha2-384"),
    "PRF_HMAC_SHA2_512": ("prf", "sha2-512"),
    "PRF_HMAC_SHA1": ("prf", "sha1"),
    "PRF_HMAC_MD5": ("prf", "md5"),
    **{
        _CURVES.get(group.number) or group.keyword.upper().replace("MODP", "MODP_"): ("group", group.id)
        for group in crypto.DH_GROUPS.values()
    },
})  # fmt: skip
