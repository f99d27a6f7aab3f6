"""The commands of one tunnel, in the order in which the ASA takes them."""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.devices.base import Order
from tunnels.devices.cisco import Block, mode
from tunnels.devices.questions import NONE
from tunnels.devices.routes import remotes
from tunnels.devices.viewpoint import Pair, Viewpoint
from tunnels.domain import crypto
from tunnels.domain.addresses import Network
from tunnels.domain.proposals import IkeVersion, Mode


def kind(order: Order) -> str:
    """The word for the IKE version in most commands."""
    return f"ikev{int(order.spec.ike.version)}"


def objects(pair: Pair) -> tuple[str, str]:
    """The names of the pair's two network objects, local and remote."""
    return f"{pair.name}-local", f"{pair.name}-remote"


def ranges(view: Viewpoint) -> Iterator[Block]:
    """Two network objects for each pair."""
    for pair in view.pairs:
        local, remote = objects(pair)
        yield Block(
            title=f"Pair {pair.number}",
            lines=(
                *mode(f"object network {local}", _range(pair.local)),
                *mode(f"object network {remote}", _range(pair.remote)),
            ),
        )


def _range(network: Network) -> str:
    if network.prefixlen == network.max_prefixlen:
        return f"host {network.network_address}"
    if network.version == 6:
        return f"subnet {network}"
    return f"subnet {network.network_address} {network.netmask}"


def matches(order: Order, view: Viewpoint) -> Iterator[str]:
    """One entry of the access list for each pair."""
    for pair in view.pairs:
        local, remote = objects(pair)
        yield f"access-list {order.spec.id} extended permit ip object {local} object {remote}"


def exemptions(order: Order, view: Viewpoint, *, line: str = "") -> Iterator[str]:
    """A NAT rule for each pair that changes nothing; `line` is its place, with a blank behind it."""
    interfaces = f"{order.answers['inside']},{order.answers['outside']}"
    for pair in view.pairs:
        local, remote = objects(pair)
        yield (
            f"nat ({interfaces}) {line}source static {local} {local} destination static {remote} {remote} "
            "no-proxy-arp route-lookup"
        )


def routes(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """A route to each range of the VPN gateway, if a next hop is given; the default routes stay as they are."""
    return tuple(route for remote in remotes(view) for route in _route(order, remote))


def _route(order: Order, remote: Network) -> Iterator[str]:
    outside = order.answers["outside"]
    next_hop = order.answers["next_hop" if remote.version == 4 else "next_hop_6"]
    if next_hop == NONE:
        return
    if remote.version == 6:
        yield f"ipv6 route {outside} {remote} {next_hop}"
    else:
        yield f"route {outside} {remote.network_address} {remote.netmask} {next_hop} 1"


def proposals(order: Order) -> Iterator[Block]:
    """What is proposed for IKE and for IPsec."""
    if order.spec.ike.version is IkeVersion.V1:
        yield from _ikev1_proposals(order)
    else:
        yield from _ikev2_proposals(order)


def _ikev1_proposals(order: Order) -> Iterator[Block]:
    ike, ipsec = order.spec.ike, order.spec.ipsec
    words, esp = order.abilities.ike[IkeVersion.V1], order.abilities.esp[IkeVersion.V1]
    yield Block(
        title="IKE: what is proposed",
        lines=mode(
            f"crypto ikev1 policy {int(order.answers['policy'])}",
            "authentication pre-share",
            f"encryption {words.encryption[ike.encryption]}",
            f"hash {words.integrity[ike.integrity]}",
            f"group {words.dh[ike.dh_group]}",
            f"lifetime {ike.lifetime_seconds}",
        ),
    )
    transforms = f"{esp.encryption[ipsec.encryption]} {esp.integrity[ipsec.integrity]}"
    yield Block(
        title="IPsec: what is proposed",
        lines=(f"crypto ipsec ikev1 transform-set {order.spec.id} {transforms}",),
    )


def _ikev2_proposals(order: Order) -> Iterator[Block]:
    ike, ipsec = order.spec.ike, order.spec.ipsec
    words, esp = order.abilities.ike[IkeVersion.V2], order.abilities.esp[IkeVersion.V2]
    # GCM brings its own integrity; the PRF is said in any case, for its default is SHA-1.
    if crypto.is_aead(ike.encryption):
        integrity, prf = "null", words.prf[ike.prf]
    else:
        integrity = prf = words.integrity[ike.integrity]
    yield Block(
        title="IKE: what is proposed",
        lines=mode(
            f"crypto ikev2 policy {int(order.answers['policy'])}",
            f"encryption {words.encryption[ike.encryption]}",
            f"integrity {integrity}",
            f"group {words.dh[ike.dh_group]}",
            f"prf {prf}",
            f"lifetime seconds {ike.lifetime_seconds}",
        ),
    )
    aead = crypto.is_aead(ipsec.encryption)
    yield Block(
        title="IPsec: what is proposed",
        lines=mode(
            f"crypto ipsec ikev2 ipsec-proposal {order.spec.id}",
            f"protocol esp encryption {esp.encryption[ipsec.encryption]}",
            f"protocol esp integrity {'null' if aead else esp.integrity[ipsec.integrity]}",
        ),
    )


def secrets(order: Order, view: Viewpoint) -> tuple[str, ...]:
    """What stands in the tunnel group: the key, and how a silent peer is found."""
    key = order.spec.psk.reveal()
    if order.spec.ike.version is IkeVersion.V1:
        keys = [f"ikev1 pre-shared-key {key}"]
    else:
        keys = [
            f"ikev2 remote-authentication pre-shared-key {key}",
            f"ikev2 local-authentication pre-shared-key {key}",
        ]
    group = f"tunnel-group {view.gateway.address} ipsec-attributes"
    return mode(group, *keys, f"isakmp keepalive {_liveness(order)}")


def _liveness(order: Order) -> str:
    """Seconds of silence before the first question, and between those that follow: together within the timeout."""
    ike = order.spec.ike
    if not ike.dpd_enabled:
        return "disable"
    threshold = ike.dpd_timeout // 3
    return f"threshold {threshold} retry {(ike.dpd_timeout - threshold) // 4}"


def map_settings(order: Order, view: Viewpoint) -> Iterator[str]:
    """What our entry of the crypto map says, without its name and number."""
    spec, version = order.spec, order.spec.ike.version
    esp, ike = order.abilities.esp[version], order.abilities.ike[version]
    yield f"match address {spec.id}"
    yield f"set peer {view.gateway.address}"
    if version is IkeVersion.V1:
        yield f"set ikev1 transform-set {spec.id}"
        if spec.ike.mode is Mode.AGGRESSIVE:
            yield f"set ikev1 phase1-mode aggressive group{ike.dh[spec.ike.dh_group]}"
    else:
        yield f"set ikev2 ipsec-proposal {spec.id}"
    if spec.ipsec.pfs:
        yield f"set pfs group{esp.dh[spec.ipsec.pfs]}"
    yield f"set security-association lifetime seconds {spec.ipsec.lifetime_seconds}"
    yield f"set security-association lifetime kilobytes {spec.ipsec.lifetime_kb}"
