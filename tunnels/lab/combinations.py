"""Which settings the matrix negotiates, made from the catalogue of transforms."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tunnels.domain import crypto
from tunnels.domain.crypto import Strength
from tunnels.domain.proposals import (
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    check_ike,
    check_ipsec,
)

# The choices of the reference wizard: 2 × 5 × 2 × 5 of IKE, 2 × 4 × 2 × 6 of ESP.
REFERENCE_ENCRYPTION = ("des", "3des", "aes-128", "aes-192", "aes-256")
REFERENCE_INTEGRITY = ("md5", "sha1")
REFERENCE_GROUPS = ("dh1", "dh2", "dh5", "dh14", "dh24")

# What the step that is not under test uses: quick, and in every version.
PLAIN_IKE = IkeSettings(encryption="aes-256", integrity="sha2-256", dh_group="dh19")
PLAIN_IPSEC = IpsecSettings(encryption="aes-128", integrity="sha2-256", pfs="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Settings of both steps, and the part of the matrix that they belong to."""

    part: str
    ike: IkeSettings
    ipsec: IpsecSettings

    def __str__(self) -> str:
        mode = f" {self.ike.mode}" if self.ike.version == IkeVersion.V1 else ""
        return f"IKEv{self.ike.version:d}{mode} {self.ike.proposal}, ESP {self.ipsec.proposal}"


def everything() -> list[Combination]:
    """All combinations: parts `IKE` (100), `ESP` (96), `aggressive` (50) and `modern`."""
    return [*_reference_ike(), *_reference_esp(), *_aggressive(), *_modern()]


def sample() -> list[Combination]:
    """About a dozen, spread over all parts, versions and modes; without the slow groups."""
    strides = {"IKE": 23, "ESP": 29, "aggressive": 49, "modern": 13}
    chosen = everything()
    return [
        one
        for part, stride in strides.items()
        for one in [each for each in chosen if each.part == part][::stride]
    ]


def _reference_ike() -> Iterator[Combination]:
    for version, encryption, integrity, group in itertools.product(
        IkeVersion, REFERENCE_ENCRYPTION, REFERENCE_INTEGRITY, REFERENCE_GROUPS
    ):
        ike = IkeSettings(
            version=version, encryption=encryption, integrity=integrity, dh_group=group
        )
        yield Combination(part="IKE", ike=ike, ipsec=PLAIN_IPSEC)


def _reference_esp() -> Iterator[Combination]:
    for version, encryption, integrity, pfs in itertools.product(
        IkeVersion, REFERENCE_ENCRYPTION[1:], REFERENCE_INTEGRITY, ("", *REFERENCE_GROUPS)
    ):
        ipsec = IpsecSettings(encryption=encryption, integrity=integrity, pfs=pfs)
        yield Combination(part="ESP", ike=_plain_ike(version), ipsec=ipsec)


def _aggressive() -> Iterator[Combination]:
    for one in _reference_ike():
        if one.ike.version == IkeVersion.V1:
            ike = replace(one.ike, mode=Mode.AGGRESSIVE)
            yield Combination(part="aggressive", ike=ike, ipsec=PLAIN_IPSEC)


def _modern() -> Iterator[Combination]:
    """Each option that the reference does not have, in both versions wherever our own rules allow it."""
    groups = [key for key, group in crypto.DH_GROUPS.items() if group.strength is Strength.MODERN]
    integrities = [key for key in crypto.INTEGRITY if key not in REFERENCE_INTEGRITY]
    aeads = [key for key in crypto.ENCRYPTION if crypto.is_aead(key)]
    for version in IkeVersion:
        plain = _plain_ike(version)
        ikes = [
            *(
                IkeSettings(version=version, encryption=aead, prf=prf)
                for aead, prf in itertools.product(aeads, crypto.PRF)
            ),
            *(
                IkeSettings(version=version, encryption="aes-256", integrity=integrity)
                for integrity in integrities
            ),
            *(
                IkeSettings(version=version, encryption="aes-256", dh_group=group)
                for group in groups
            ),
        ]
        ipsecs = [
            *(IpsecSettings(encryption=aead) for aead in aeads),
            *(IpsecSettings(encryption="aes-256", integrity=each) for each in integrities),
            *(IpsecSettings(encryption="aes-256", pfs=group) for group in groups),
        ]
        candidates = [(ike, PLAIN_IPSEC) for ike in ikes] + [(plain, ipsec) for ipsec in ipsecs]
        for ike, ipsec in candidates:
            if not check_ike(ike) and not check_ipsec(ipsec, version=version):
                yield Combination(part="modern", ike=ike, ipsec=ipsec)


def _plain_ike(version: IkeVersion) -> IkeSettings:
    return replace(PLAIN_IKE, version=version)
