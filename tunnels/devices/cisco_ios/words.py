"""What IOS and IOS XE call the algorithms, and which release has which.

Sources: Cisco's own YANG models of IOS XE 16.5 to 17.18 (module Cisco-IOS-XE-crypto: isakmp policy, ikev2 proposal,
ipsec transform-set, map … set pfs, the lifetimes' ranges); "Next Generation Encryption" (document 116055), the table of
first releases, for IOS 15; field notice FN72510 for what IOS XE 17.11 and later reject.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Final

from tunnels.devices.abilities import Abilities, Phase
from tunnels.devices.cisco import PSK
from tunnels.domain.proposals import IkeVersion

IKEV1_ENCRYPTION: Final = {
    "aes-256": "aes 256",
    "aes-192": "aes 192",
    "aes-128": "aes 128",
    "3des": "3des",
    "des": "des",
}
IKEV1_HASH: Final = {
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha1": "sha",
    "md5": "md5",
}
IKEV2_ENCRYPTION: Final = {
    "aes-256-gcm": "aes-gcm-256",
    "aes-128-gcm": "aes-gcm-128",
    "aes-256": "aes-cbc-256",
    "aes-192": "aes-cbc-192",
    "aes-128": "aes-cbc-128",
    "3des": "3des",
    "des": "des",
}
IKEV2_INTEGRITY: Final = IKEV1_HASH | {"sha1": "sha1"}
PRF: Final = {"sha2-256": "sha256", "sha2-384": "sha384", "sha2-512": "sha512"}
ESP_ENCRYPTION: Final = {
    "aes-256-gcm": "esp-gcm 256",
    "aes-128-gcm": "esp-gcm 128",
    "aes-256": "esp-aes 256",
    "aes-192": "esp-aes 192",
    "aes-128": "esp-aes 128",
    "3des": "esp-3des",
}
ESP_INTEGRITY: Final = {
    "sha2-256": "esp-sha256-hmac",
    "sha2-384": "esp-sha384-hmac",
    "sha2-512": "esp-sha512-hmac",
    "sha1": "esp-sha-hmac",
    "md5": "esp-md5-hmac",
}
GROUPS: Final = {f"dh{number}": str(number) for number in (1, 2, 5, 14, 15, 16, 19, 20, 21, 24)}
GCM: Final = frozenset({"aes-256-gcm", "aes-128-gcm"})

# FN72510, revision 1.5: rejected unless the compliance shield is taken down.
_WEAK: Final = frozenset({"des", "3des", "md5"})
_WEAK_GROUPS: Final = frozenset({"dh1", "dh2", "dh5"})
_WEAK_ELSEWHERE: Final = _WEAK_GROUPS | {"dh24"}

# YANG: isakmp policy and ikev2 profile; map … set security-association lifetime.
_IKEV1_SECONDS: Final = (60, 86_400)
_IKEV2_SECONDS: Final = (120, 86_400)
_KILOBYTES: Final = (2_560, 4_294_967_295)

# `host domain` and `fqdn domain` have a meaning of their own, so a name needs a dot.
_NAME: Final = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+",
    re.ASCII,
)


def _without(words: Mapping[str, str], lacking: Set[str]) -> Mapping[str, str]:
    return {key: word for key, word in words.items() if key not in lacking}


def _abilities(
    *,
    algorithms: Set[str] = frozenset(),
    ikev1_groups: Set[str] = frozenset(),
    groups: Set[str] = frozenset(),
    ikev2_encryption: Set[str] = frozenset(),
    ipsec_seconds: tuple[int, int] = (120, 2_592_000),
) -> Abilities:
    """The abilities of a release without what it lacks: `algorithms` and `groups` anywhere (for IKEv1's phase 1 it is
    `ikev1_groups`), `ikev2_encryption` for the IKE SA of IKEv2.
    """

    def esp(encryption: Mapping[str, str]) -> Phase:
        return Phase(
            encryption=_without(encryption, algorithms),
            integrity=_without(ESP_INTEGRITY, algorithms),
            dh=_without(GROUPS, groups),
            lifetime_seconds=ipsec_seconds,
        )

    return Abilities(
        ike={
            IkeVersion.V1: Phase(
                encryption=_without(IKEV1_ENCRYPTION, algorithms),
                integrity=_without(IKEV1_HASH, algorithms),
                dh=_without(GROUPS, ikev1_groups),
                lifetime_seconds=_IKEV1_SECONDS,
            ),
            IkeVersion.V2: Phase(
                encryption=_without(IKEV2_ENCRYPTION, algorithms | ikev2_encryption),
                integrity=_without(IKEV2_INTEGRITY, algorithms),
                prf=PRF,
                dh=_without(GROUPS, groups),
                lifetime_seconds=_IKEV2_SECONDS,
            ),
        },
        # No document of Cisco's shows esp-gcm below IKEv1.
        esp={IkeVersion.V1: esp(_without(ESP_ENCRYPTION, GCM)), IkeVersion.V2: esp(ESP_ENCRYPTION)},
        lifetime_kb=_KILOBYTES,
        psk=PSK,
        # A crypto map takes IPv6 for GDOI only.
        ipv6=False,
        identity=_NAME,
    )


IOS_15: Final = "IOS 15.2 to 15.9"
VERSIONS: Final = {
    "IOS XE 17.11 and later": _abilities(
        algorithms=_WEAK, ikev1_groups=_WEAK_GROUPS, groups=_WEAK_ELSEWHERE
    ),
    "IOS XE 16.9 to 17.10": _abilities(),
    # DH21 and AES-GCM for IKE came with IOS XE.
    IOS_15: _abilities(
        ikev1_groups={"dh21"},
        groups={"dh21"},
        ikev2_encryption=GCM,
        ipsec_seconds=(120, 86_400),
    ),
}
