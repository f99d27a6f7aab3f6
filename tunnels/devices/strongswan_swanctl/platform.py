"""strongSwan's swanctl.conf, 5.9 and later, for a Linux machine at the customer's end.

Grammar and meaning of the settings: swanctl.conf(5) and strongSwan's settings lexer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tunnels.devices import linux
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.charon import EVERYTHING, losses, margin
from tunnels.devices.heading import commented, heading
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Identity, Pair, Viewpoint, customer_viewpoint
from tunnels.domain.proposals import DpdAction, IkeSettings, IkeVersion, IpsecSettings, Mode
from tunnels.domain.spec import TunnelSpec

TEMPLATE = "strongswan_swanctl/template.conf.j2"
FILENAME = "{tunnel_id}-swanctl.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One `key = value` line; `value` is already escaped, `why` becomes a comment behind it."""

    key: str
    value: str
    why: str = ""

    def __str__(self) -> str:
        line = f"{self.key} = {self.value}"
        return f"{line:<44}  # {self.why}" if self.why else line


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One CHILD_SA section."""

    name: str
    origin: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints."""

    header: tuple[str, ...]
    tunnel_id: str
    device_id: str
    gateway_id: str
    connection: tuple[Setting, ...]
    children: tuple[Child, ...]
    secret: Setting


def quote(text: str) -> str:
    r"""The text as a double-quoted string: only `"` and `\` mean something inside.

    Line breaks would be legal there, but no value of ours has one; they are written as escapes.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'


def quote_psk(key: str) -> str:
    """The key so that swanctl loads exactly its bytes.

    swanctl decodes a value that begins with 0x (hex) or 0s (base64), in either case and even when it is quoted; such a
    key is written in hex.
    """
    if key[:2].lower() in {"0x", "0s"}:
        return f"0x{key.encode().hex()}"
    return quote(key)


def write(order: Order) -> str:
    """The text of the file."""
    return fill(TEMPLATE, _decide(order))


def _decide(order: Order) -> Document:
    spec, view = order.spec, customer_viewpoint(order.spec)
    return Document(
        header=commented(_header(order, view), "#"),
        tunnel_id=spec.id,
        device_id=_identity(view.device.identity),
        gateway_id=_identity(view.gateway.identity),
        connection=tuple(_connection(spec.ike, view)),
        children=tuple(
            Child(
                name=pair.name,
                origin=pair.origin,
                settings=tuple(_child(pair, spec.ike, spec.ipsec, starts=view.starts)),
            )
            for pair in view.pairs
        ),
        secret=_secret(spec.psk.reveal()),
    )


def _identity(identity: Identity) -> str:
    # Without the type, a name might be guessed to be something else.
    return identity.text if identity.is_address else quote(f"fqdn:{identity.text}")


def _secret(key: str) -> Setting:
    value = quote_psk(key)
    why = "" if value.startswith('"') else "in hex: swanctl would decode the text itself"
    return Setting(key="secret", value=value, why=why)


def _connection(ike: IkeSettings, view: Viewpoint) -> Iterator[Setting]:
    grace = margin(ike.lifetime_seconds)
    yield Setting(key="version", value=str(int(ike.version)))
    if ike.version is IkeVersion.V1:
        aggressive = "yes" if ike.mode is Mode.AGGRESSIVE else "no"
        yield Setting(key="aggressive", value=aggressive)
    else:
        yield Setting(key="mobike", value="no", why="both ends have static addresses")
    yield Setting(key="local_addrs", value=str(view.device.address))
    yield Setting(key="remote_addrs", value=str(view.gateway.address))
    yield Setting(key="proposals", value=ike.proposal)
    why = f"renew at 90 % of the agreed {ike.lifetime_seconds} s,"
    yield Setting(key="rekey_time", value=f"{ike.lifetime_seconds - grace}s", why=why)
    yield Setting(key="over_time", value=f"{grace}s", why="and give up when all of it is over")
    if ike.dpd_enabled:
        # Three questions fit into the agreed time.
        yield Setting(key="dpd_delay", value=f"{ike.dpd_timeout // 3}s")
        if ike.version is IkeVersion.V1:
            yield Setting(key="dpd_timeout", value=f"{ike.dpd_timeout}s")
    yield Setting(key="fragmentation", value="yes")
    yield Setting(key="keyingtries", value="0", why="never give up")


def _child(
    pair: Pair, ike: IkeSettings, ipsec: IpsecSettings, *, starts: bool
) -> Iterator[Setting]:
    renew = ipsec.lifetime_seconds - margin(ipsec.lifetime_seconds)
    life_bytes = ipsec.lifetime_kb * 1024
    yield Setting(key="local_ts", value=str(pair.local))
    yield Setting(key="remote_ts", value=str(pair.remote))
    yield Setting(key="mode", value="tunnel")
    yield Setting(key="esp_proposals", value=ipsec.proposal)
    yield Setting(key="life_time", value=f"{ipsec.lifetime_seconds}s", why="as agreed")
    yield Setting(key="rekey_time", value=f"{renew}s", why="90 %: renewed before it ends")
    yield Setting(
        key="life_bytes", value=str(life_bytes), why=f"{ipsec.lifetime_kb} KB of 1024 bytes"
    )
    yield Setting(key="rekey_bytes", value=str(life_bytes - margin(life_bytes)))
    if starts:
        yield Setting(key="start_action", value="start", why="the VPN gateway waits for you")
        yield Setting(key="close_action", value="start")
    else:
        yield Setting(key="start_action", value="trap", why="begin as soon as there is traffic")
    if ike.dpd_enabled:
        # A trap negotiates again with the next packet; a restart beside it makes double CHILD_SAs.
        restart = starts and ike.dpd_action is DpdAction.RESTART
        yield Setting(key="dpd_action", value="restart" if restart else "clear")


def _header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    name, filename = order.spec.id, FILENAME.format(tunnel_id=order.spec.id)
    return heading(
        order,
        before=_before(order.spec, view),
        load=(
            f"install -m 600 {filename} /etc/swanctl/conf.d/",
            "swanctl --load-all",
            "Leave out --file: that would unload all other connections.",
        ),
        verify=(
            f"swanctl --list-sas --ike {name}",
            "The IKE_SA is ESTABLISHED and every CHILD_SA INSTALLED.",
        ),
        around=linux.around(view, routes="strongSwan makes its own"),
        remove=(
            f"rm /etc/swanctl/conf.d/{filename}",
            "swanctl --load-all",
            f"swanctl --terminate --ike {name}",
        ),
    )


def _before(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    yield (
        f"local_addrs: when this device is behind NAT, replace {view.device.address} by the address of its own "
        "interface."
    )
    if spec.ike.version is IkeVersion.V1 and spec.ike.mode is Mode.AGGRESSIVE and not view.starts:
        yield (
            "Aggressive mode: charon answers it only with this line in the charon section of strongswan.conf:\n"
            "i_dont_care_about_security_and_use_aggressive_mode_psk = yes"
        )


# An identity is a quoted string here: it can be any text that is one.
ABILITIES = replace(EVERYTHING, identity=re.compile(".+", re.DOTALL))

PLATFORM = Platform(
    id="strongswan-swanctl",
    vendor="strongSwan",
    name="swanctl.conf",
    abilities={"5.9+": ABILITIES, "6.x": ABILITIES},
    parts=(Part(filename=FILENAME, write=write),),
    losses=losses,
    leads=True,
)
PLATFORMS = (PLATFORM,)
