"""What VRP calls the transforms, and how much of each it takes.

Sources: USG6000E V600 Product Documentation, command reference: ike proposal, prf, esp authentication-algorithm,
pre-shared-key (IKE peer view); its *Configuring an IPSec Proposal* (AES-GCM) and *Configuring an IKE Proposal*. AR
V200R010 *CLI-based Configuration Guide - VPN*, *Configuring an IPSec Proposal*, and the files of its IPSec
examples. NetEngine 8000 command reference: sa duration in both views. Configurations of USG6300, USG6600 and AR in use:
dh, pfs. The narrower limit is taken where they differ; what is in none of them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar
from tunnels.devices.huawei_vrp.notation import ROUTER, USG_V500, USG_V600
from tunnels.domain.proposals import IkeVersion

_CBC: Final = {
    "aes-256": "aes-256", "aes-192": "aes-192", "aes-128": "aes-128", "3des": "3des", "des": "des",
}  # fmt: skip
_GCM: Final = {"aes-256-gcm": "aes-256-gcm-128", "aes-128-gcm": "aes-128-gcm-128"}
_HASHES: Final = {
    "sha2-256": "sha2-256", "sha2-384": "sha2-384", "sha2-512": "sha2-512", "sha1": "sha1", "md5": "md5",
}  # fmt: skip
# The same hash as IKEv2's integrity algorithm: those without a truncation of their own name it.
INTEGRITY: Final = {
    "sha2-256": "hmac-sha2-256", "sha2-384": "hmac-sha2-384", "sha2-512": "hmac-sha2-512",
    "sha1": "hmac-sha1-96", "md5": "hmac-md5-96",
}  # fmt: skip
_MODP: Final = {"dh2": "group2", "dh5": "group5", "dh14": "group14"}
_USG_GROUPS: Final = {**_MODP, "dh19": "group19"}
_AR_GROUPS: Final = {"dh1": "group1", **_MODP}

_IKE_SECONDS: Final = (60, 604_800)
_IPSEC_SECONDS: Final = (480, 604_800)
_KILOBYTES: Final = (8_000, 200_000_000)

# What newer releases have in a package apart, since it is weak.
WEAK: Final = frozenset({"des", "3des", "md5", "sha1", "dh1", "dh2", "dh5"})

_PSK: Final = PskGrammar(
    refused='?"',
    # Text between two of these is cipher text of one of VRP's generations.
    prefixes=("%^%#", "%$%$", "%@%@", "%#%#", "@%@%", "%+%#"),
    lengths=(1, 128),
    why="VRP takes ? for a question, encloses strings in quotation marks, and knows cipher text by how it begins",
)


def _abilities(
    *,
    dh: Mapping[str, str],
    pfs: Mapping[str, str],
    combined: Mapping[str, str],
) -> Abilities:
    """`combined` are the AEADs of ESP beside IKEv2; no document shows one below IKEv1, or for IKE itself."""
    groups = {key: f"dh-{word}" for key, word in pfs.items()}
    ike = Phase(encryption=_CBC, integrity=_HASHES, dh=dh, lifetime_seconds=_IKE_SECONDS)

    def esp(encryption: Mapping[str, str]) -> Phase:
        return Phase(
            encryption=encryption, integrity=_HASHES, dh=groups, lifetime_seconds=_IPSEC_SECONDS
        )

    return Abilities(
        ike={IkeVersion.V2: ike, IkeVersion.V1: ike},
        esp={IkeVersion.V2: esp({**combined, **_CBC}), IkeVersion.V1: esp(_CBC)},
        lifetime_kb=_KILOBYTES,
        psk=_PSK,
        ipv6=False,
    )


VERSIONS: Final = {
    USG_V600: _abilities(dh=_USG_GROUPS, pfs=_USG_GROUPS, combined=_GCM),
    USG_V500: _abilities(dh=_USG_GROUPS, pfs=_USG_GROUPS, combined={}),
    ROUTER: _abilities(dh=_AR_GROUPS, pfs=_MODP, combined={}),
}
