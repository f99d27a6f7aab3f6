"""What only the firewall's owner knows. Names with blanks, which PAN-OS takes between quotes, are not offered."""

from __future__ import annotations

import re
from typing import Final

from tunnels.devices.questions import Question, number

VIRTUAL: Final = "virtual-router"
LOGICAL: Final = "logical-router"
ONE_SYSTEM: Final = "none"

_NAME = re.compile(r"(?!(any|all)\Z)[A-Za-z0-9][A-Za-z0-9_.-]{0,30}", re.ASCII)
QUESTIONS = (
    Question(
        id="outside_interface",
        label="Outside interface",
        usual="ethernet1/1",
        grammar=re.compile(
            r"(ethernet[0-9]{1,2}/[0-9]{1,3}|ae[0-9]{1,2}|vlan|loopback)(\.[0-9]{1,4})?", re.ASCII
        ),
        help="The interface towards the internet.",
    ),
    Question(
        id="outside_zone",
        label="Outside zone",
        usual="untrust",
        grammar=_NAME,
        help="The zone of the outside interface.",
    ),
    Question(
        id="inside_zone",
        label="Inside zone",
        usual="trust",
        grammar=_NAME,
        help="The zone that your own ranges are in.",
    ),
    Question(
        id="vpn_zone",
        label="VPN zone",
        usual="vpn",
        grammar=_NAME,
        help="The layer-3 zone for the tunnel; it is made when it is not there.",
    ),
    number(
        "tunnel_number",
        "Tunnel interface",
        10,
        (1, 9_999),
        explained="The number behind tunnel. that no other tunnel uses.",
    ),
    Question(
        id="routing",
        label="Routing",
        usual=VIRTUAL,
        grammar=re.compile(f"{VIRTUAL}|{LOGICAL}", re.ASCII),
        help=f"{LOGICAL} when Advanced Routing is switched on, else {VIRTUAL}.",
        example=LOGICAL,
    ),
    Question(
        id="router",
        label="Router",
        usual="default",
        grammar=_NAME,
        help="The virtual or logical router of the outside interface.",
    ),
    Question(
        id="virtual_system",
        label="Virtual system",
        usual=ONE_SYSTEM,
        grammar=re.compile(rf"{ONE_SYSTEM}|vsys[1-9][0-9]{{0,2}}", re.ASCII),
        help=f"{ONE_SYSTEM}, or for a firewall with several: vsys1 and so on.",
        example="vsys1",
    ),
)
