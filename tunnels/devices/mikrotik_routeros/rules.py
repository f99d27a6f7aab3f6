"""The firewall's part: what must come before FastTrack, masquerading and whatever refuses the rest.

Sources: MikroTik's manual, "IPsec" (NAT and FastTrack bypass), "Filter", "NAT", "Mangle", "Scripting" (find, move).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.base import SAFE_MSS
from tunnels.devices.viewpoint import Pair, Viewpoint, forwarded
from tunnels.domain.spec import TunnelSpec

MENUS = {4: "/ip", 6: "/ipv6"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The rules that go to the top of one chain of one menu, each as finished text."""

    menu: str
    name: str
    rules: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many rules there are."""
        return len(self.rules)


def chains(spec: TunnelSpec, view: Viewpoint) -> Iterator[Chain]:
    """What is accepted and left untranslated, chain by chain; chains without rules are left out."""
    passing = forwarded(spec, view)
    for version, menu in MENUS.items():
        through = [pair for pair in passing if pair.local.version == version]
        every = [pair for pair in view.pairs if pair.local.version == version]
        for table, name, rules in (
            ("filter", "input", _input(view, version)),
            ("filter", "forward", _ways(through)),
            ("nat", "srcnat", (_between(pair) for pair in every)),
        ):
            found = tuple(f"action=accept {rule}" for rule in rules)
            if found:
                yield Chain(menu=f"{menu} firewall {table}", name=name, rules=found)


def segments(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    """The commands that keep TCP segments short enough, for both directions of each pair."""
    for pair in forwarded(spec, view):
        for way in _ways([pair]):
            yield (
                f"{MENUS[pair.local.version]} firewall mangle add chain=forward action=change-mss new-mss={SAFE_MSS} "
                f"passthrough=yes protocol=tcp tcp-flags=syn tcp-mss={SAFE_MSS + 1}-65535 {way}"
            )


def _input(view: Viewpoint, version: int) -> Iterator[str]:
    gateway = view.gateway.address
    if gateway.version == version:
        yield f"protocol=udp src-address={gateway} dst-port=500,4500"
        yield f"protocol=ipsec-esp src-address={gateway}"
    if view.probe and view.probe[0].version == version:
        asked, asking = view.probe
        icmp = "icmp" if version == 4 else "icmpv6"
        yield f"protocol={icmp} src-address={asking} dst-address={asked} ipsec-policy=in,ipsec"


def _ways(pairs: list[Pair]) -> Iterator[str]:
    for pair in pairs:
        yield f"{_between(pair)} ipsec-policy=out,ipsec"
        yield f"src-address={pair.remote} dst-address={pair.local} ipsec-policy=in,ipsec"


def _between(pair: Pair) -> str:
    return f"src-address={pair.local} dst-address={pair.remote}"
