"""What only the customer knows about the device."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tunnels.devices.questions import (
    IPV4_OR_NONE,
    NEXT_HOP,
    NONE,
    Question,
    begins,
    is_ikev1,
    is_probed,
    number,
)
from tunnels.devices.vrp import ADVANCED_ACL_OR_NONE, INTERFACE

_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}", re.ASCII)
_LOOPBACK: Final = re.compile(rf"{NONE}|[1-9]?[0-9]|1[01][0-9]|12[0-7]", re.ASCII)

QUESTIONS: Final = (
    Question(
        id="outside", label="Outside interface", usual="GigabitEthernet0/0", grammar=INTERFACE,
        help="The one towards the Internet; the IPsec policy is applied to it.", example="GigabitEthernet1/0/1",
    ),
    Question(
        id="inside", label="Inside interface", usual="GigabitEthernet0/1", grammar=INTERFACE,
        help="The one with your ranges; TCP segments are limited there.", example="GigabitEthernet1/0/2",
    ),
    NEXT_HOP,
    Question(
        id="policy", label="IPsec policy", usual="vpn-console", grammar=re.compile(r"[A-Za-z0-9_-]{1,46}", re.ASCII),
        help="A new name, or that of the policy which the outside interface has already.",
    ),
    number("sequence", "Sequence number", 10, (1, 65_535), explained="A free one in the policy."),
    number("acl", "ACL number", 3_100, (3_000, 3_999), explained="A free number of an advanced ACL."),
    replace(
        number(
            "proposal", "IKE proposal", 10, (1, 65_535), explained="A free number; a lower one is offered first.",
        ),
        asked=is_ikev1,
    ),
    Question(
        id="nat_acl", label="NAT ACL", usual=NONE, grammar=ADVANCED_ACL_OR_NONE, example="3000",
        help="The advanced ACL that nat outbound uses; none, when the device does no NAT, or does it otherwise.",
    ),
    number(
        "nat_rule", "First rule number in the NAT ACL", 1, (0, 65_000),
        explained="Free from there on, one for each pair, and below the rules that permit.",
    ),
    Question(
        id="loopback", label="Loopback number", usual="100", grammar=_LOOPBACK, asked=is_probed,
        help="A free one; it owns the address that answers the health check. None, when the device has it already.",
    ),
    Question(
        id="ping_source", label="The device's own address in your ranges", usual=NONE, grammar=IPV4_OR_NONE,
        example="192.168.0.1", asked=begins,
        help="It pings through the tunnel and so begins it; none, when something behind the device does.",
    ),
    Question(
        id="outside_zone", label="Outside zone", usual="Untrust", grammar=_ZONE,
        help="Firewalls only: the security zone of the outside interface.",
    ),
    Question(
        id="inside_zone", label="Inside zone", usual="Trust", grammar=_ZONE,
        help="Firewalls only: the security zone of the inside interface.",
    ),
)  # fmt: skip
