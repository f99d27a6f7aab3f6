"""What stands around iked.conf: how it is loaded, checked and removed, and what the machine needs besides.

iked(8), ikectl(8), "Packet filtering" in iked.conf(5), pf.conf(5) and sysctl(2) of OpenBSD 7; for the portable version
the files of its Debian package.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices import linux
from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.heading import heading
from tunnels.devices.openiked.words import LINUX
from tunnels.devices.viewpoint import Identity, Viewpoint

# Where the included file is put, and what starts the daemon.
_FOLDER = "/etc"


def header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """The lines of the comment at the top."""
    path = f"{_FOLDER}/iked-{order.spec.id}.conf"
    on_linux = order.version == LINUX
    start = (
        "systemctl enable --now openiked" if on_linux else "rcctl enable iked && rcctl start iked"
    )
    return heading(
        order,
        before=_before(view, path),
        load=(
            f"install -m 600 {order.spec.id}-iked.conf {path}",
            f"""echo 'include "{path}"' >> /etc/iked.conf""",
            "chmod 600 /etc/iked.conf",
            "iked -n",
            f"ikectl reload, or when iked does not run yet: {start}",
        ),
        verify=(
            "ikectl show sa",
            "It shows the IKE SA as ESTABLISHED, two ESP SAs and the flows.",
        ),
        around=linux.around(view, routes="iked needs none but the default route")
        if on_linux
        else _openbsd(view),
        remove=(
            f"sed -i '/{order.spec.id}/d' /etc/iked.conf",
            f"rm {path}",
            "ikectl reload",
            f"ikectl reset id {_printed(view.gateway.identity)}",
        ),
    )


def _before(view: Viewpoint, path: str) -> Iterator[str]:
    yield f"iked refuses files that others may read: {path} and /etc/iked.conf have mode 600."
    yield (
        f"local: when this device is behind NAT, replace {view.device.address} by the address of its own interface."
    )
    yield (
        "The last policy that matches a peer wins: keep the include below any policy of yours for all peers."
    )


def _openbsd(view: Viewpoint) -> Iterator[str]:
    device, gateway, pair = view.device.address, view.gateway.address, view.pairs[0]
    inner = pair.local.version
    yield _item(
        "Firewall: these lines of /etc/pf.conf, where it blocks by default:",
        f"pass in on egress proto udp from {gateway} to {device} port {{ 500, 4500 }}",
        f"pass out on egress proto udp from {device} to {gateway} port {{ 500, 4500 }}",
        f"pass in on egress proto esp from {gateway} to {device}",
        f"pass out on egress proto esp from {device} to {gateway}",
        f"pass in on enc0 proto {_ENCAPSULATED[inner]} from {gateway} to {device} keep state (if-bound)",
        f"pass out on enc0 proto {_ENCAPSULATED[inner]} from {device} to {gateway} keep state (if-bound)",
        f"pass in on enc0 from {pair.remote} to {pair.local} keep state (if-bound)",
        f"pass out on enc0 from {pair.local} to {pair.remote} keep state (if-bound)",
    )
    yield _item("Forwarding:", f"sysctl {_FORWARDING[inner]}")
    yield (
        "NAT: packets for the tunnel pass enc0 and not the outside interface. Bind nat-to to the outside interface (on "
        "egress), and they are exempt."
    )
    yield (
        "Routes: this device needs none but its default route. Other routers of your site need one to the range of the "
        "VPN gateway, with this device as the next hop."
    )
    yield _item(
        "Large TCP packets, when connections hang:", f"match on enc0 scrub (max-mss {SAFE_MSS})"
    )
    if view.probe:
        asked, _ = view.probe
        family = "inet" if asked.version == 4 else "inet6"
        yield _item(
            "Health check: give this device its address, unless it has it:",
            f"ifconfig lo0 {family} alias {asked}/{asked.max_prefixlen}",
        )


_FORWARDING = {4: "net.inet.ip.forwarding=1", 6: "net.inet6.ip6.forwarding=1"}
# The IP protocol of a range's packets inside a tunnel; pf.conf takes names of /etc/protocols.
_ENCAPSULATED = {4: "ipencap", 6: "ipv6"}


def _printed(identity: Identity) -> str:
    """The identity as iked prints it and `ikectl reset id` takes it."""
    kind = ("IPV6" if ":" in identity.text else "IPV4") if identity.is_address else "FQDN"
    return f"{kind}/{identity.text}"


def _item(sentence: str, *commands: str) -> str:
    return "\n".join((sentence, *commands))
