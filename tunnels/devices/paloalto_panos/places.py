"""Where things stand in the configuration: the virtual system, the router, the routes into the tunnel."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.paloalto_panos.asked import LOGICAL, ONE_SYSTEM, VIRTUAL
from tunnels.devices.viewpoint import Viewpoint


def vsys(order: Order) -> str:
    """What stands before `zone`, `import` and `rulebase`; nothing on a firewall with one virtual system."""
    chosen = order.answers["virtual_system"]
    return "" if chosen == ONE_SYSTEM else f"vsys {chosen} "


def router(order: Order) -> str:
    """The path of the virtual or logical router below `network`."""
    answers = order.answers
    if answers["routing"] == VIRTUAL:
        return f"{VIRTUAL} {answers['router']}"
    return f"{LOGICAL} {answers['router']} vrf default"


def routes(view: Viewpoint) -> Iterator[str]:
    """Table, name and destination of one static route for each range of the VPN gateway."""
    known = set()
    for pair in view.pairs:
        if pair.remote not in known:
            known.add(pair.remote)
            table = "ip" if pair.remote.version == 4 else "ipv6"
            yield f"{table} static-route {pair.name} destination {pair.remote}"
