"""Ubiquiti EdgeOS 2.x and 3.x (EdgeRouter): `set` commands for its configuration mode.

EdgeOS is a fork of Vyatta 6, and Ubiquiti publishes no list of its values. The tree of commands is that of EdgeOS's own
REST interface, as public clients of it know it; values and ranges are those of vyatta-cfg-vpn (branches helium and
crux). `auto-firewall-nat-exclude` is told in Ubiquiti's help on site-to-site IPsec of the EdgeRouter, and in the commit
that brought it to VyOS (vyatta-cfg-vpn 8981105). Nothing that we did not write has judged these files.

The key stands between single quotes, and may hold what Vyatta's template of pre-shared-secret lists.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, cannot, esp_phases, ike_phases
from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.heading import commented, heading
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Pair, Side, Viewpoint, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.addresses import Address, is_default_route
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import DpdAction, IkeVersion, Mode, Negotiation
from tunnels.domain.spec import TunnelSpec

# Vyatta's range of dead-peer-detection interval begins here.
SHORTEST_DPD_INTERVAL = 15
# strongSwan's margintime and rekeyfuzz, which EdgeOS leaves alone: 9 minutes, and up to as much again.
LONGEST_MARGIN = 2 * 540

_ENCRYPTION = {
    "aes-256-gcm": "aes256gcm128",
    "aes-128-gcm": "aes128gcm128",
    "aes-256": "aes256",
    "aes-128": "aes128",
    "3des": "3des",
}
_HASH = {
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha1": "sha1",
    "md5": "md5",
}
_GROUPS = {
    key: str(group.number)
    for key, group in crypto.DH_GROUPS.items()
    if group.number in {2, 5, 24} or 14 <= group.number <= 21
}
_LIFETIME = (30, 86_400)
_KEY = string.ascii_letters + string.digits + "-+&!@#$%^*(),.:_"


_IKE = Phase(
    encryption=_ENCRYPTION,
    integrity=_HASH,
    # Beside an AEAD, strongSwan makes the PRF of the hash.
    prf={key: _HASH[key] for key in crypto.PRF},
    dh=_GROUPS,
    lifetime_seconds=_LIFETIME,
)
_ESP = Phase(
    encryption=_ENCRYPTION,
    integrity=_HASH,
    dh={key: f"dh-group{number}" for key, number in _GROUPS.items()},
    lifetime_seconds=_LIFETIME,
)
ABILITIES = Abilities(
    ike=ike_phases(_IKE),
    esp=esp_phases(_ESP),
    lifetime_kb=None,
    psk=PskGrammar(
        refused="".join(sorted(set(string.printable) - set(_KEY) - set(string.whitespace))),
        why="it takes letters, digits and - + & ! @ # $ % ^ * ( ) , . : _",
    ),
    # auto-firewall-nat-exclude is for IPv4 only.
    ipv6=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the template prints. `ike` and `esp` follow the group's name, `authentication` follows the peer's."""

    header: tuple[str, ...]
    name: str
    ike: tuple[str, ...]
    esp: tuple[str, ...]
    authentication: tuple[str, ...]
    device: Side
    gateway: Side
    connection_type: str
    pairs: tuple[Pair, ...]
    probe: tuple[str, ...]


def write(order: Order) -> str:
    """The text of the file."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    return fill(
        "ubiquiti_edgeos/template.txt.j2",
        Document(
            header=commented(_header(order, view), "#"),
            name=spec.id,
            ike=tuple(_ike_group(order, starts=view.starts)),
            esp=tuple(_esp_group(order)),
            authentication=tuple(_authentication(spec, view)),
            device=view.device,
            gateway=view.gateway,
            connection_type="initiate" if view.starts else "respond",
            pairs=view.pairs,
            probe=tuple(_probe(view)),
        ),
    )


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """charon answers no aggressive mode with a key unless strongswan.conf says so; nothing tells that EdgeOS does."""
    ike, view = spec.ike, customer_viewpoint(spec)
    if ike.version is not IkeVersion.V1 or ike.mode is not Mode.AGGRESSIVE or view.starts:
        return []
    message = (
        "EdgeOS can begin aggressive mode, but is not known to answer it; let the VPN gateway only wait (passive), or "
        "choose main mode or IKEv2."
    )
    return [cannot(message, "ike.mode")]


def losses(spec: TunnelSpec) -> list[str]:
    """What EdgeOS does differently from what was agreed."""
    ike, view, sentences = spec.ike, customer_viewpoint(spec), []
    shortest = min(ike.lifetime_seconds, spec.ipsec.lifetime_seconds)
    if shortest <= LONGEST_MARGIN:
        sentences.append(
            f"EdgeOS renews 9 to 18 minutes before a lifetime ends, and {shortest} s leave no room for that: only the "
            "VPN gateway renews in time."
        )
    if ike.dpd_enabled and ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2, EdgeOS knows no DPD timeout ({ike.dpd_timeout} s was agreed): it gives a silent peer up "
            "after its retransmissions, some 165 s."
        )
    if ike.dpd_enabled and ike.dpd_action is DpdAction.CLEAR and view.starts:
        sentences.append(
            "The VPN gateway only waits, and a silent peer is forgotten (DPD action clear): after an outage somebody "
            "must start the tunnel on this device again. DPD action restart does that by itself."
        )
    if any(is_default_route(pair.remote) for pair in view.pairs):
        sentences.append(
            "The range of the VPN gateway is everything: Vyatta, of which EdgeOS is made, then exempts your own range "
            "from the tunnel, but nothing tells that EdgeOS does. Load the file where you have the console, or you may "
            "lock yourself out."
        )
    if ike.negotiation is Negotiation.ON_TRAFFIC:
        sentences.append(
            "The VPN gateway begins with the first packet from its side; EdgeOS waits for it, and traffic from this "
            "side may not bring the tunnel up."
        )
    return sentences


def _ike_group(order: Order, *, starts: bool) -> Iterator[str]:
    ike, words = order.spec.ike, order.abilities.ike[order.spec.ike.version]
    yield f"key-exchange ikev{int(ike.version)}"
    if ike.version is IkeVersion.V1 and ike.mode is Mode.AGGRESSIVE:
        yield "mode aggressive"
    if ike.version is IkeVersion.V2:
        # With yes, strongSwan renews by ending the tunnel and beginning again.
        yield "ikev2-reauth no"
    yield f"lifetime {ike.lifetime_seconds}"
    if ike.dpd_enabled:
        restart = starts and ike.dpd_action is DpdAction.RESTART
        yield f"dead-peer-detection action {'restart' if restart else 'clear'}"
        yield f"dead-peer-detection interval {max(SHORTEST_DPD_INTERVAL, ike.dpd_timeout // 3)}"
        yield f"dead-peer-detection timeout {ike.dpd_timeout}"
    yield f"proposal 1 encryption {words.encryption[ike.encryption]}"
    aead = crypto.is_aead(ike.encryption)
    yield f"proposal 1 hash {words.prf[ike.prf] if aead else words.integrity[ike.integrity]}"
    yield f"proposal 1 dh-group {words.dh[ike.dh_group]}"


def _esp_group(order: Order) -> Iterator[str]:
    ipsec, words = order.spec.ipsec, order.abilities.esp[order.spec.ike.version]
    yield "compression disable"
    yield "mode tunnel"
    yield f"lifetime {ipsec.lifetime_seconds}"
    yield f"pfs {words.dh[ipsec.pfs] if ipsec.pfs else 'disable'}"
    yield f"proposal 1 encryption {words.encryption[ipsec.encryption]}"
    # Without one it would be sha1; beside an AEAD, strongSwan drops it.
    integrity = "sha2-256" if crypto.is_aead(ipsec.encryption) else ipsec.integrity
    yield f"proposal 1 hash {words.integrity[integrity]}"


def _authentication(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    yield "mode pre-shared-secret"
    yield f"pre-shared-secret '{spec.psk.reveal()}'"
    for word, side in (("id", view.device), ("remote-id", view.gateway)):
        identity = side.identity
        if identity.text != str(side.address):
            # The @ keeps a name from being looked up.
            yield f"{word} {identity.text}" if identity.is_address else f"{word} @{identity.text}"


def _probe(view: Viewpoint) -> Iterator[str]:
    if view.probe:
        asked, _ = view.probe
        yield "vpn ipsec allow-access-to-local-interface enable"
        yield _loopback(asked)


def _loopback(asked: Address) -> str:
    return f"interfaces loopback lo address {asked}/{asked.max_prefixlen}"


def _header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    name, gateway = order.spec.id, view.gateway.address
    return heading(
        order,
        before=(
            "Ubiquiti publishes no list of what EdgeOS takes: look whether commit accepts each line.",
            f"EdgeOS has one peer for each address: a peer {gateway} that you have already would be changed.",
            _behind_nat(view),
        ),
        load=("configure", "Paste all lines below this comment; they end with commit and save."),
        verify=(
            "show vpn ipsec sa",
            f"Each pair N is there as peer-{gateway}-tunnel-N, INSTALLED.",
        ),
        around=_advice(view),
        remove=(
            "configure",
            f"delete vpn ipsec site-to-site peer {gateway}",
            f"delete vpn ipsec ike-group {name}",
            f"delete vpn ipsec esp-group {name}",
            *(f"delete {_loopback(asked)}" for asked in (view.probe or ())[:1]),
            "\n".join(("What other IPsec peers may need, too:", *_shared(view))),
            "commit",
            "save",
        ),
    )


def _shared(view: Viewpoint) -> Iterator[str]:
    yield "delete vpn ipsec auto-firewall-nat-exclude"
    if view.probe:
        yield "delete vpn ipsec allow-access-to-local-interface"


def _behind_nat(view: Viewpoint) -> str:
    own = view.device.address
    sentence = f"local-address: when this device is behind NAT, replace {own} by the address of its own interface"
    if not view.device.identity.is_address:
        return f"{sentence}."
    peer = f"set vpn ipsec site-to-site peer {view.gateway.address}"
    return f"{sentence}, and add:\n{peer} authentication id {own}"


def _advice(view: Viewpoint) -> Iterator[str]:
    yield (
        "Firewall and NAT: auto-firewall-nat-exclude accepts UDP 500, UDP 4500, ESP and the ranges, and exempts them "
        "from NAT; it does so for all IPsec peers of this device."
    )
    yield (
        "Routes: EdgeOS makes its own. Other routers of your site need one to each range of the VPN gateway, with this "
        "device as the next hop."
    )
    yield "\n".join(
        (
            "Large TCP packets, when connections hang. It holds for all traffic of this device:",
            "set firewall options mss-clamp interface-type all",
            f"set firewall options mss-clamp mss {SAFE_MSS}",
        )
    )
    if view.probe:
        asked, asking = view.probe
        yield (
            f"Health check: leave its last line out when this device has {asked} already. When the ping is not "
            f"answered, accept ICMP from {asking} in the rule set for the outside interface, direction local."
        )


PLATFORM = Platform(
    id="ubiquiti-edgeos",
    vendor="Ubiquiti",
    name="EdgeOS",
    abilities={"2.x": ABILITIES, "3.x": ABILITIES},
    parts=(Part(filename="{tunnel_id}-edgeos.txt", write=write),),
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
