"""The comment at the top of the file."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.heading import commented, heading
from tunnels.devices.mikrotik_routeros.rules import MENUS
from tunnels.devices.viewpoint import Viewpoint, owned
from tunnels.domain.spec import TunnelSpec


def header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The lines of the comment, each behind `#`."""
    name = order.spec.id
    filename = order.platform.parts[0].filename.format(tunnel_id=name)
    lines = heading(
        order,
        before=_before(view),
        load=[
            "Copy it to the device (Files in WinBox or WebFig, or scp), then in a terminal:",
            f"/import file-name={filename} verbose=yes",
            f"/file remove {filename}",
        ],
        verify=[
            "/ip ipsec active-peers print",
            f'/ip ipsec policy print detail where peer="{name}"',
            "/ip ipsec installed-sa print",
        ],
        around=_around(order.spec, view),
        remove=_remove(order.spec, view),
    )
    return commented(lines, "#")


def _before(view: Viewpoint) -> Iterator[str]:
    if view.device.address.version == 4:
        yield (
            f"local-address: when this device is behind NAT, replace {view.device.address} by the address of its own "
            "interface, and write passive=no: it then has to begin. my-id stays as it is."
        )
    yield "Load it once: a second time, the import stops at the first command, because its name is taken."


def _around(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    yield (
        f"Firewall: UDP 500, UDP 4500 and ESP from {view.gateway.address} and the ranges above are let pass before "
        "FastTrack and all other rules. The rules of raw come earlier still: see that none drops them."
    )
    if any(pair.local.version == 4 for pair in view.pairs):
        yield (
            "NAT: connections that are open already keep their translation until they end; /ip firewall connection "
            "remove [find] ends all."
        )
    yield (
        "Routes: the policies catch what the default route would send out; without a default route, add one to each "
        "range of the VPN gateway. Other routers of your site need one with this device as the next hop."
    )
    if view.probe and owned(spec, view):
        yield f"Health check: a bridge without ports gets {view.probe[0]}."
    elif view.probe:
        yield f"Health check: {view.probe[0]} lies in a range of your site; this file gives it to nobody."


def _remove(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    comment = f'comment="{spec.id}"'
    yield f"/ip ipsec policy remove [find where {comment}]"
    yield f'/ip ipsec identity remove [find where peer="{spec.id}"]'
    for menu in ("peer", "proposal", "profile"):
        yield f'/ip ipsec {menu} remove [find where name="{spec.id}"]'
    families = {pair.local.version for pair in view.pairs} | {view.gateway.address.version}
    for version in sorted(families):
        for table in ("filter", "nat", "mangle"):
            yield f"{MENUS[version]} firewall {table} remove [find where {comment}]"
    if view.probe and owned(spec, view):
        yield f"{MENUS[view.probe[0].version]} address remove [find where {comment}]"
        yield f'/interface bridge remove [find where name="{spec.id}"]'
