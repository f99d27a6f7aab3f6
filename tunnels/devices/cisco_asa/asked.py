"""What only the customer knows about the firewall."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tunnels.devices.cisco import SEQUENCE
from tunnels.devices.questions import NEXT_HOP, NONE, Question, number
from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain.spec import TunnelSpec

# Command Reference, nameif: a name of at most 48 characters.
_NAMEIF = re.compile("[A-Za-z][A-Za-z0-9_-]{0,47}", re.ASCII)
_HEX = "[0-9A-Fa-f]{1,4}"
_NEXT_HOP_6 = re.compile(
    "|".join(
        (
            NONE,
            f"({_HEX}:){{7}}{_HEX}",
            f"({_HEX}:){{1,7}}:",
            *(f"({_HEX}:){{1,{left}}}(:{_HEX}){{1,{7 - left}}}" for left in range(1, 7)),
            f":(:{_HEX}){{1,7}}",
        )
    ),
    re.ASCII,
)


def _has_remote(spec: TunnelSpec, family: int) -> bool:
    return any(pair.remote.version == family for pair in customer_viewpoint(spec).pairs)


QUESTIONS: Final = (
    Question(
        id="outside",
        label="Outside interface",
        usual="outside",
        grammar=_NAMEIF,
        help="Its nameif; the crypto map is bound to it.",
    ),
    Question(
        id="inside",
        label="Inside interface",
        usual="inside",
        grammar=_NAMEIF,
        help="The nameif of the interface with your ranges; NAT is left out between the two.",
    ),
    Question(
        id="crypto_map",
        label="Crypto map",
        usual="outside_map",
        grammar=re.compile("[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII),
        help="An interface has only one: give the name of the one that it has (show running-config crypto map).",
    ),
    SEQUENCE,
    number(
        "policy",
        "IKE policy number",
        100,
        (1, 65_535),
        explained="A free one (show running-config crypto).",
    ),
    replace(NEXT_HOP, asked=lambda spec: _has_remote(spec, 4)),
    Question(
        id="next_hop_6",
        label="Next hop towards the VPN gateway, IPv6",
        usual=NONE,
        grammar=_NEXT_HOP_6,
        example="2001:db8::1",
        help="For routes to its IPv6 ranges; none, when the default route leads out of the outside interface.",
        asked=lambda spec: _has_remote(spec, 6),
    ),
)
