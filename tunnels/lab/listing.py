"""What `swanctl --list-sas` says, as values: strongSwan's own tool is the witness of what was negotiated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# `vpnx-1a2b3c4d: #1, ESTABLISHED, IKEv2, e42123415f4fc56c_i* 3b191da8da64e9c0_r`
_IKE = re.compile(r"(?P<name>\S+): #\d+, (?P<state>[A-Z]+), IKEv(?P<version>[12]), ")
# `  AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/CURVE_25519`
_CHOSEN = re.compile(r"  (?P<chosen>[A-Z0-9_]+(-\d+)?(/[A-Z0-9_]+)+)")
# `  child: #1, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-128/MODP_2048`
_CHILD = re.compile(
    r"  (?P<name>\S+): #(?P<unique>\d+), reqid \d+, (?P<state>[A-Z]+), [^,]+, ESP:(?P<chosen>\S+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedChild:
    """One CHILD_SA; `chosen` is like `AES_CBC-256/HMAC_SHA1_96/MODP_2048`."""

    name: str
    unique: int
    state: str
    chosen: str


@dataclass(slots=True, kw_only=True)
class ListedSa:
    """One IKE_SA; `chosen` is like `AES_CBC-256/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_2048`."""

    name: str
    state: str
    version: int
    chosen: str = ""
    children: list[ListedChild] = field(default_factory=list)


def read_list(text: str) -> list[ListedSa]:
    """The SAs of a listing, in its order; lines of other shapes are passed over."""
    found: list[ListedSa] = []
    for line in text.splitlines():
        if match := _IKE.match(line):
            found.append(
                ListedSa(name=match["name"], state=match["state"], version=int(match["version"]))
            )
        elif found and (match := _CHOSEN.fullmatch(line)):
            found[-1].chosen = match["chosen"]
        elif found and (match := _CHILD.match(line)):
            found[-1].children.append(
                ListedChild(
                    name=match["name"],
                    unique=int(match["unique"]),
                    state=match["state"],
                    chosen=match["chosen"],
                )
            )
    return found
