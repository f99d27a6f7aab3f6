"""What a Linux gateway needs around any IPsec daemon: firewall, forwarding, NAT, routes, TCP segments.

Commands are those of iptables-extensions(8), modules policy and TCPMSS, and of sysctl(8).
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import SAFE_MSS
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.addresses import is_default_route

_FORWARDING = {4: "net.ipv4.ip_forward=1", 6: "net.ipv6.conf.all.forwarding=1"}
_TABLES = {4: "iptables", 6: "ip6tables"}


def around(view: Viewpoint, *, routes: str) -> Iterator[str]:
    """The items for `heading(around=…)`; `routes` is a clause on who sets this device's own ones."""
    versions = sorted({pair.local.version for pair in view.pairs})
    yield (
        f"Firewall: let UDP 500, UDP 4500 and ESP (IP protocol 50) pass between {view.device.address} and "
        f"{view.gateway.address}, and the ranges above in both directions."
    )
    yield _item("Forwarding:", *(f"sysctl -w {_FORWARDING[version]}" for version in versions))
    yield _item(
        "NAT: exempt the tunnel before anything is masqueraded:",
        *(
            f"{_TABLES[version]} -t nat -I POSTROUTING -m policy --dir out --pol ipsec -j ACCEPT"
            for version in versions
        ),
    )
    yield (
        f"Routes: {routes}. Other routers of your site need one to each range of the VPN gateway, with "
        "this device as the next hop."
    )
    yield _item(
        "Large TCP packets, when connections hang:",
        *(
            f"{_TABLES[version]} -t mangle -A FORWARD -m policy --dir {direction} --pol ipsec "
            f"-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {SAFE_MSS}"
            for version in versions
            for direction in ("in", "out")
        ),
    )
    if view.probe:
        asked, _ = view.probe
        yield _item(
            "Health check: give this device its address, unless it has it:",
            f"ip addr add {asked}/{asked.max_prefixlen} dev lo",
        )


def swallowing(view: Viewpoint, *, first: str) -> Iterator[str]:
    """The warning of a tunnel for everything, whose policies catch what the device sends to its own network as well.

    `first` is a clause on what exempts that network.
    """
    if any(is_default_route(pair.remote) for pair in view.pairs):
        yield (
            "The range of the VPN gateway is everything: what this device sends from your ranges goes into the tunnel, "
            f"its answers to your own network too. First {first}, or you may lock yourself out."
        )


def _item(sentence: str, *commands: str) -> str:
    return "\n".join((sentence, *commands))
