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
    is_probed,
    number,
)
from tunnels.devices.vrp import ADVANCED_ACL_OR_NONE, INTERFACE

_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII)

QUESTIONS: Final = (
    Question(
        id="outside", label="Outside interface", usual="GigabitEthernet1/0/1", grammar=INTERFACE,
        help="The one towards the Internet; the IPsec policy is applied to it.",
    ),
    NEXT_HOP,
    # "The value is a string of 1 to 15 case-sensitive characters" (ipsec policy).
    Question(
        id="policy", label="IPsec policy", usual="vpn-console", grammar=re.compile(r"[A-Za-z0-9_-]{1,15}", re.ASCII),
        help="A new name, or that of the policy which the outside interface has already.",
    ),
    number("sequence", "Sequence number", 10, (1, 10_000), explained="A free one in the policy."),
    # The smallest models have a hundred; routers count to 99.
    number("proposal", "IKE proposal", 10, (1, 99), explained="A free number; a lower one is offered first."),
    number("acl", "ACL number", 3_100, (3_000, 3_999), explained="A free number of an advanced ACL."),
    replace(
        number(
            "loopback", "Loopback number", 100, (0, 1_023),
            explained="A free one; it owns the address that answers the health check.",
        ),
        asked=is_probed,
    ),
    Question(
        id="outside_zone", label="Outside zone", usual="untrust", grammar=_ZONE,
        help="USG only: the security zone of the outside interface.",
    ),
    Question(
        id="inside_zone", label="Inside zone", usual="trust", grammar=_ZONE,
        help="USG only: the security zone of your ranges.",
    ),
    Question(
        id="inside", label="Inside interface", usual="GigabitEthernet0/0/1", grammar=INTERFACE,
        help="AR only: the one with your ranges; TCP segments are limited there.",
    ),
    Question(
        id="nat_acl", label="NAT ACL", usual=NONE, grammar=ADVANCED_ACL_OR_NONE, example="3000",
        help="AR only: the advanced ACL that nat outbound uses; none, when the router does no NAT.",
    ),
    number(
        "nat_rule", "First rule number in the NAT ACL", 1, (0, 4_000_000),
        explained="AR only: free from there on, one for each pair, and below the rules that permit.",
    ),
    Question(
        id="ping_source", label="Router's own address in your ranges", usual=NONE, grammar=IPV4_OR_NONE,
        example="192.168.0.1", asked=begins,
        help="AR only: it pings through the tunnel and so begins it; none, when something behind the router does.",
    ),
)  # fmt: skip
