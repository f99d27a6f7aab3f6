"""strongSwan's swanctl.conf, 5.9 and later, for a Linux machine at the customer's end.

Grammar and meaning of the settings: swanctl.conf(5) and strongSwan's settings lexer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.abilities import Abilities, Phase, PskGrammar
from tunnels.devices.base import PSK_PLACEHOLDER, SAFE_MSS, Order, Part, Platform
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import (
    Identity,
    Pair,
    Side,
    Viewpoint,
    customer_viewpoint,
    one_line,
)
from tunnels.domain import crypto
from tunnels.domain.proposals import (
    IKE_LIFETIME_SECONDS,
    IPSEC_LIFETIME_KB,
    IPSEC_LIFETIME_SECONDS,
    DpdAction,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
)
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
    """Everything that the template prints; `before` and `around` are lines of a comment."""

    tunnel_id: str
    tunnel_name: str
    filename: str
    written: str
    console_version: str
    version: str
    device: Side
    gateway: Side
    device_id: str
    gateway_id: str
    before: tuple[str, ...]
    around: tuple[str, ...]
    pings: tuple[str, ...]
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


def losses(spec: TunnelSpec) -> list[str]:
    """What strongSwan does differently from what was agreed."""
    ike, sentences = spec.ike, []
    if ike.dpd_enabled and ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2, strongSwan knows no DPD timeout ({ike.dpd_timeout} s was agreed): it gives a silent peer up "
            "after its retransmissions, some 165 s unless strongswan.conf changes them."
        )
    if ike.dpd_enabled and ike.dpd_action is DpdAction.CLEAR and customer_viewpoint(spec).starts:
        sentences.append(
            "The VPN gateway only waits, and a silent peer is forgotten (DPD action clear): after an outage somebody "
            "must start the tunnel on this device again. DPD action restart does that by itself."
        )
    return sentences


def _decide(order: Order) -> Document:
    spec, view = order.spec, customer_viewpoint(order.spec)
    return Document(
        tunnel_id=spec.id,
        tunnel_name=one_line(spec.name),
        filename=FILENAME.format(tunnel_id=spec.id),
        written=f"{order.now:%Y-%m-%d %H:%M} UTC",
        console_version=one_line(order.console_version),
        version=order.version,
        device=view.device,
        gateway=view.gateway,
        device_id=_identity(view.device.identity),
        gateway_id=_identity(view.gateway.identity),
        before=tuple(_before(order, view)),
        around=tuple(_around(view)),
        pings=tuple(f"{pair.name}: from {pair.local} to {pair.remote}" for pair in view.pairs),
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
    renew, grace = _soft(ike.lifetime_seconds)
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
    yield Setting(key="rekey_time", value=f"{renew}s", why=why)
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
    renew, _ = _soft(ipsec.lifetime_seconds)
    life_bytes = ipsec.lifetime_kb * 1024
    renew_bytes, _ = _soft(life_bytes)
    yield Setting(key="local_ts", value=str(pair.local))
    yield Setting(key="remote_ts", value=str(pair.remote))
    yield Setting(key="mode", value="tunnel")
    yield Setting(key="esp_proposals", value=ipsec.proposal)
    yield Setting(key="life_time", value=f"{ipsec.lifetime_seconds}s", why="as agreed")
    yield Setting(key="rekey_time", value=f"{renew}s", why="90 %: renewed before it ends")
    yield Setting(
        key="life_bytes", value=str(life_bytes), why=f"{ipsec.lifetime_kb} KB of 1024 bytes"
    )
    yield Setting(key="rekey_bytes", value=str(renew_bytes))
    if starts:
        yield Setting(key="start_action", value="start", why="the VPN gateway waits for you")
        yield Setting(key="close_action", value="start")
    else:
        yield Setting(key="start_action", value="trap", why="begin as soon as there is traffic")
    if ike.dpd_enabled:
        # A trap negotiates again with the next packet; a restart beside it makes double CHILD_SAs.
        restart = starts and ike.dpd_action is DpdAction.RESTART
        yield Setting(key="dpd_action", value="restart" if restart else "clear")


def _soft(limit: int) -> tuple[int, int]:
    """(When to renew, what is left then) of a lifetime in any unit."""
    renew = limit * 9 // 10
    return renew, limit - renew


def _before(order: Order, view: Viewpoint) -> Iterator[str]:
    spec = order.spec
    if order.redacted:
        yield from _bullet(f"secret: put the pre-shared key in the place of {PSK_PLACEHOLDER}.")
    else:
        yield from _bullet("This file holds the pre-shared key: keep it away from others.")
    yield from _bullet(
        f"local_addrs: when this device is behind NAT, replace {view.device.address} by the address of its own "
        "interface."
    )
    if spec.ike.version is IkeVersion.V1 and spec.ike.mode is Mode.AGGRESSIVE and not view.starts:
        yield from _bullet(
            "Aggressive mode: charon answers it only with this line in the charon section of strongswan.conf:",
            "i_dont_care_about_security_and_use_aggressive_mode_psk = yes",
        )
    for sentence in losses(spec):
        yield from _bullet(sentence)


def _around(view: Viewpoint) -> Iterator[str]:
    versions = sorted({pair.local.version for pair in view.pairs})
    switches = {4: "net.ipv4.ip_forward=1", 6: "net.ipv6.conf.all.forwarding=1"}
    tables = {4: "iptables", 6: "ip6tables"}
    yield from _bullet(
        f"Firewall: let UDP 500, UDP 4500 and ESP (IP protocol 50) pass between {view.device.address} and "
        f"{view.gateway.address}, and the ranges above in both directions."
    )
    yield from _bullet("Forwarding:", *(f"sysctl -w {switches[version]}" for version in versions))
    yield from _bullet(
        "NAT: exempt the tunnel before anything is masqueraded:",
        *(
            f"{tables[version]} -t nat -I POSTROUTING -m policy --dir out --pol ipsec -j ACCEPT"
            for version in versions
        ),
    )
    yield from _bullet(
        "Routes: strongSwan makes its own. Other routers of your site need one to each range of the VPN gateway, "
        "with this device as the next hop."
    )
    yield from _bullet(
        "Large TCP packets, when connections hang:",
        *(
            f"{tables[version]} -t mangle -A FORWARD -m policy --dir {direction} --pol ipsec "
            f"-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {SAFE_MSS}"
            for version in versions
            for direction in ("in", "out")
        ),
    )
    if view.probe:
        asked, asking = view.probe
        yield from _bullet(
            f"Health check: the VPN gateway pings {asked} from {asking}. This device must own {asked}:",
            f"ip addr add {asked}/{asked.max_prefixlen} dev lo",
        )


def _bullet(sentence: str, *commands: str) -> Iterator[str]:
    """The sentence wrapped as a list item, and each command on a line of its own."""
    first, *others = textwrap.wrap(
        sentence, width=92, break_long_words=False, break_on_hyphens=False
    )
    yield f"- {first}"
    yield from (f"  {line}" for line in others)
    yield from (f"    {command}" for command in commands)


def _phase(version: IkeVersion, *, refused: frozenset[str], longest: tuple[int, int]) -> Phase:
    return Phase(
        encryption={
            key: transform.keyword
            for key, transform in crypto.ENCRYPTION.items()
            if version is IkeVersion.V2 or key not in refused
        },
        integrity={key: transform.keyword for key, transform in crypto.INTEGRITY.items()},
        prf={key: transform.keyword for key, transform in crypto.PRF.items()},
        dh={key: group.keyword for key, group in crypto.DH_GROUPS.items()},
        lifetime_seconds=longest,
    )


# Whatever the console offers, charon does: the catalogue's keywords are its own (proposals in swanctl.conf(5)).
EVERYTHING = Abilities(
    ike={
        version: _phase(
            version, refused=crypto.IKEV1_IKE_AEAD_REFUSED, longest=IKE_LIFETIME_SECONDS
        )
        for version in IkeVersion
    },
    esp={
        version: _phase(version, refused=crypto.IKEV1_ESP_REFUSED, longest=IPSEC_LIFETIME_SECONDS)
        for version in IkeVersion
    },
    lifetime_kb=IPSEC_LIFETIME_KB,
    psk=PskGrammar(),
    main_mode_names=True,
    identity=None,
)

PLATFORM = Platform(
    id="strongswan-swanctl",
    vendor="strongSwan",
    name="swanctl.conf",
    abilities={"5.9+": EVERYTHING, "6.x": EVERYTHING},
    parts=(Part(filename=FILENAME, write=write),),
    losses=losses,
)
PLATFORMS = (PLATFORM,)
