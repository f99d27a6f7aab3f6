"""The comment at the top of the file. Pasted lines must not hold `?`, quotes or backslashes, comment or not."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.fortinet_fortios.objects import SUFFIXES, addresses, routed
from tunnels.devices.heading import commented, heading
from tunnels.devices.viewpoint import Viewpoint, forwarded, owned
from tunnels.domain.spec import TunnelSpec


def header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The lines of the comment, each behind `#`: FortiOS knows no comment behind a command."""
    name = order.spec.id
    lines = heading(
        order,
        before=_before(view),
        load=_load(),
        verify=[
            f"diagnose vpn ike gateway list name {name}: the status is established",
            f"get vpn ipsec tunnel summary | grep {name}: of the selectors, the second number counts those that are up",
            f"diagnose vpn tunnel list name {name}: enc and dec both count up, for each pair that had traffic",
        ],
        around=_around(order.spec, view),
        remove=_remove(order.spec, view),
    )
    return commented(lines, "#")


def _before(view: Viewpoint) -> Iterator[str]:
    if view.device.address.version == 4:
        yield (
            f"local-gw: when this device is behind NAT, replace {view.device.address} by the address of its own "
            "interface; localid stays as it is."
        )
    yield (
        "Load it once: routes and policies take the next free numbers, and a second time they would be there twice."
    )
    yield "With virtual domains, enter the right one first: config vdom, then edit and its name."
    yield (
        "With central NAT, FortiOS refuses set nat disable, which is harmless: see that no entry of config firewall "
        "central-snat-map translates these ranges."
    )


def _load() -> Iterator[str]:
    yield (
        "Paste it into the CLI console or an SSH session, or run it as a script: the menu of your user name, "
        "Configuration, Scripts."
    )


def _around(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    yield (
        "Policies: the new ones stand last. Move them above any that would refuse or translate this traffic first."
    )
    yield (
        "Firewall: FortiOS lets UDP 500, UDP 4500 and ESP in for its own tunnels. Let them pass on firewalls in front "
        f"of it, between {view.device.address} and {view.gateway.address}."
    )
    yield (
        "Routes: other routers of your site need one to each range of the VPN gateway, with this device as the next "
        "hop."
    )
    if view.probe and owned(spec, view):
        yield f"Health check: the tunnel interface gets {view.probe[0]} and answers pings."
    elif view.probe:
        yield (
            f"Health check: {view.probe[0]} lies in a range of your site. If it is an address of this device, let its "
            "interface answer: config system interface, edit and its name, append allowaccess ping."
        )


def _remove(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    objects, remotes = list(addresses(forwarded(spec, view))), routed(view)
    yield from _by_number("firewall policy", spec.id)
    for version, six in SUFFIXES.items():
        if any(remote.version == version for remote in remotes):
            yield from _by_number(f"router static{six}", spec.id)
    for version, six in SUFFIXES.items():
        names = [name for name, network in objects if network.version == version]
        yield from _by_name(f"firewall address{six}", names)
    yield from _by_name("vpn ipsec phase2-interface", [pair.name for pair in view.pairs])
    yield from _by_name("vpn ipsec phase1-interface", [spec.id])


def _by_number(path: str, name: str) -> Iterator[str]:
    yield f"show {path} | grep -f {name}"
    yield f"Then, with each number that it shows:\nconfig {path}\ndelete NUMBER\nend"


def _by_name(path: str, names: list[str]) -> Iterator[str]:
    if names:
        yield f"config {path}"
        yield from (f"delete {name}" for name in names)
        yield "end"
