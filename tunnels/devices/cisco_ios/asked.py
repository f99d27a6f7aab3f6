"""What only the customer knows about the router."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tunnels.devices.cisco import SEQUENCE
from tunnels.devices.questions import (
    NEXT_HOP,
    NONE,
    Question,
    begins,
    is_ikev1,
    is_probed,
    number,
)

_INTERFACE = re.compile(
    r"[A-Za-z][A-Za-z-]{1,30}[0-9]{1,5}(/[0-9]{1,4}){0,3}(\.[0-9]{1,9})?", re.ASCII
)
# The numbers of standard lists are left out: such a list cannot match two ranges.
_EXTENDED_LIST = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}|1[0-9]{2}|2[0-6][0-9]{2}", re.ASCII)
_LOOPBACK = re.compile(rf"{NONE}|0|[1-9][0-9]{{0,8}}", re.ASCII)


QUESTIONS: Final = (
    Question(
        id="outside",
        label="Outside interface",
        usual="GigabitEthernet0/0/0",
        grammar=_INTERFACE,
        help="The one towards the Internet; the crypto map is bound to it.",
    ),
    Question(
        id="inside",
        label="Inside interface",
        usual="GigabitEthernet0/0/1",
        grammar=_INTERFACE,
        help="The one with your ranges; TCP segments are limited there.",
    ),
    Question(
        id="crypto_map",
        label="Crypto map",
        usual="VPN",
        grammar=re.compile("[A-Za-z][A-Za-z0-9_-]{0,31}", re.ASCII),
        help="An interface has only one: give the name of the map that is already there (show crypto map).",
    ),
    SEQUENCE,
    replace(
        number(
            "policy",
            "IKE policy number",
            100,
            (1, 10_000),
            explained="A free one (show crypto isakmp policy).",
        ),
        asked=is_ikev1,
    ),
    Question(
        id="nat_list",
        label="NAT access list",
        usual="NAT",
        grammar=_EXTENDED_LIST,
        help="The extended list that ip nat inside source uses; none, when the router does no NAT.",
    ),
    Question(
        id="outside_list",
        label="Access list at the outside interface",
        usual=NONE,
        grammar=_EXTENDED_LIST,
        example="OUTSIDE-IN",
        help="The extended list that is bound to it inbound, so that IKE and ESP are let in; none, when there is none.",
    ),
    NEXT_HOP,
    Question(
        id="loopback",
        label="Loopback interface for the health check",
        usual="100",
        grammar=_LOOPBACK,
        help="The number of a free one; none, when the router has the address already.",
        asked=is_probed,
    ),
    replace(
        number(
            "ip_sla",
            "First IP SLA number",
            9000,
            (1, 2_000_000_000),
            explained="Free from there on, one for each pair (show ip sla configuration).",
        ),
        asked=begins,
    ),
)
