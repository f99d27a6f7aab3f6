"""What Comware 7 calls the transforms, and how much of each it takes.

Sources: H3C Security Command Reference (Comware 7), *IPsec commands*: esp encryption-algorithm, esp
authentication-algorithm, pfs, sa duration; *IKE commands*: encryption-algorithm, authentication-algorithm, dh,
sa duration, pre-shared-key; *IKEv2 commands*: encryption, integrity, prf, dh, sa duration, pre-shared-key.
"""

from __future__ import annotations

from tunnels.devices.abilities import Abilities, Phase, PskGrammar
from tunnels.domain.proposals import IkeVersion

_CBC = {
    "aes-256": "aes-cbc-256", "aes-192": "aes-cbc-192", "aes-128": "aes-cbc-128", "3des": "3des-cbc", "des": "des-cbc",
}  # fmt: skip
# Combined mode is for ESP, and there for IKEv2 only.
_GCM = {"aes-256-gcm": "gcm-256", "aes-128-gcm": "gcm-128"}
_SHA2 = {"sha2-256": "sha256", "sha2-384": "sha384", "sha2-512": "sha512"}
# SHA1 is called differently in phase 1 of IKEv1 than everywhere else.
_IKEV1_HASHES = {**_SHA2, "sha1": "sha", "md5": "md5"}
_HASHES = {**_SHA2, "sha1": "sha1", "md5": "md5"}
_MODP = {
    "dh1": "group1", "dh2": "group2", "dh5": "group5", "dh14": "group14", "dh24": "group24",
}  # fmt: skip
_CURVES = {"dh19": "group19", "dh20": "group20"}


def _pfs(groups: dict[str, str]) -> dict[str, str]:
    return {key: f"dh-{word}" for key, word in groups.items()}


ABILITIES = Abilities(
    ike={
        IkeVersion.V2: Phase(
            encryption=_CBC, integrity=_HASHES, dh={**_MODP, **_CURVES}, lifetime_seconds=(120, 86_400)
        ),
        IkeVersion.V1: Phase(
            encryption=_CBC, integrity=_IKEV1_HASHES, dh=_MODP, lifetime_seconds=(60, 604_800)
        ),
    },
    esp={
        IkeVersion.V2: Phase(
            encryption={**_GCM, **_CBC},
            integrity=_HASHES,
            dh=_pfs({**_MODP, **_CURVES}),
            lifetime_seconds=(180, 604_800),
        ),
        IkeVersion.V1: Phase(
            encryption=_CBC, integrity=_HASHES, dh=_pfs(_MODP), lifetime_seconds=(180, 604_800)
        ),
    },
    lifetime_kb=(2_560, 4_294_967_295),
    psk=PskGrammar(
        refused='?"\\',
        lengths=(1, 128),
        why="the command line takes ? for a question, and quotes and backslashes for its own",
    ),
    ipv6=False,
)  # fmt: skip
