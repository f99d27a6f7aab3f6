"""What the releases of PAN-OS can do, in PAN-OS' words.

Words and ranges are those of Palo Alto Networks' own provider specifications (ike-crypto-profile, ipsec-crypto-profile,
ike-gateway); which release has which is told in the PAN-OS Administrator's Guide, IKE Phase 1 and IKE Phase 2: the
groups 15, 16 and 21 came with 10.2, and the guides of 10.x list DES for IKE where the specifications of 11 do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, esp_phases, ike_phases
from tunnels.domain.proposals import IPSEC_LIFETIME_KB

# IKE Crypto profile, AES-GCM: authentication is non-auth, and the hash follows from the group (Define IKE Crypto
# Profiles: up to group 19 sha256, with group 20 sha384). Nothing is said of group 21.
PRF_OF_GROUP: Final[Mapping[str, str]] = {
    **{f"dh{number}": "sha2-256" for number in (1, 2, 5, 14, 15, 16, 19)},
    "dh20": "sha2-384",
}
AEAD_HASH: Final = "non-auth"
AEAD_AUTHENTICATION: Final = "none"
NO_PFS: Final = "no-pfs"

_CBC = {
    "aes-256": "aes-256-cbc",
    "aes-192": "aes-192-cbc",
    "aes-128": "aes-128-cbc",
    "3des": "3des",
}
_DES = {"des": "des"}
_GCM = {"aes-256-gcm": "aes-256-gcm", "aes-128-gcm": "aes-128-gcm"}
_HASHES = {
    "sha2-512": "sha512",
    "sha2-384": "sha384",
    "sha2-256": "sha256",
    "sha1": "sha1",
    "md5": "md5",
}
_PRFS = {"sha2-256": "sha256", "sha2-384": "sha384"}
_GROUPS = {f"dh{number}": f"group{number}" for number in (1, 2, 5, 14, 19, 20)}
_NEW_GROUPS = {f"dh{number}": f"group{number}" for number in (15, 16, 21)}
# Three minutes are the least of both profiles, seven days the most that the console asks for.
_SECONDS = (180, 604_800)

_PSK = PskGrammar(
    # Between double quotes a quote or backslash has no documented escape; ? asks for help unless scripting mode is on.
    refused="\"'\\`?|<>",
    prefixes=("-AQ==",),
    lengths=(1, 255),
    why="the command line of PAN-OS would read it as something else",
)


def _abilities(ike_ciphers: Mapping[str, str], groups: Mapping[str, str]) -> Abilities:
    return Abilities(
        ike=ike_phases(
            Phase(
                encryption={**_GCM, **ike_ciphers},
                integrity=_HASHES,
                prf=_PRFS,
                dh=groups,
                lifetime_seconds=_SECONDS,
            )
        ),
        esp=esp_phases(
            Phase(
                encryption={**_GCM, **_CBC},
                integrity=_HASHES,
                dh=groups,
                lifetime_seconds=_SECONDS,
            )
        ),
        lifetime_kb=IPSEC_LIFETIME_KB,
        psk=_PSK,
        most_pairs=250,
    )


RELEASES: Final[Mapping[str, Abilities]] = {
    "11.x": _abilities(_CBC, {**_GROUPS, **_NEW_GROUPS}),
    "10.2": _abilities({**_CBC, **_DES}, {**_GROUPS, **_NEW_GROUPS}),
    "10.1": _abilities({**_CBC, **_DES}, _GROUPS),
}
