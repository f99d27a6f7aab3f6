"""The tunnel as the customer's device sees it. The two sides are swapped here, once, for every platform."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from tunnels.domain.addresses import Address, Network
from tunnels.domain.health import HealthCheck
from tunnels.domain.names import has_invisible
from tunnels.domain.proposals import Negotiation
from tunnels.domain.spd import Mapping
from tunnels.domain.spec import Endpoint, TunnelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a side sends as its IKE identity: `text` is a canonical IP address or a domain name."""

    text: str
    is_address: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One end of the tunnel; `name` is safe inside a line."""

    name: str
    address: Address
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One mapping from the customer's side: `local` is the customer's range, `remote` the VPN gateway's.

    `number` counts from 1, `name` is unique among all tunnels, `origin` tells which rule it comes from.
    """

    number: int
    name: str
    local: Network
    remote: Network
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewpoint:
    """Both ends and all pairs from the customer's side.

    `starts` is whether the device has to begin the negotiation because the VPN gateway only waits. `probe` is
    the (asked, asking) pair of health-check addresses: the device must answer on the first one.
    """

    device: Side
    gateway: Side
    pairs: tuple[Pair, ...]
    starts: bool
    probe: tuple[Address, Address] | None


def customer_viewpoint(spec: TunnelSpec) -> Viewpoint:
    """The tunnel with its sides swapped: what is remote to us is the device itself."""
    return Viewpoint(
        device=_side(spec.remote),
        gateway=_side(spec.local),
        pairs=tuple(
            _pair(spec.id, number, mapping) for number, mapping in enumerate(spec.mappings, start=1)
        ),
        starts=spec.ike.negotiation is Negotiation.PASSIVE,
        probe=_probe(spec.health),
    )


def forwarded(spec: TunnelSpec, view: Viewpoint) -> list[Pair]:
    """The pairs between networks: without that of the health check when it is about this device alone."""
    pairs = zip(view.pairs, spec.mappings, strict=True)
    return [pair for pair, mapping in pairs if mapping.rule is not None]


def owned(spec: TunnelSpec, view: Viewpoint) -> bool:
    """Whether the device gets the health check's address: not one that may be in use at the customer's."""
    alone = len(forwarded(spec, view)) < len(view.pairs)
    return view.probe is not None and (alone or view.probe[0].is_link_local)


def one_line(text: str) -> str:
    """The text with every character that is invisible or could end a line replaced by `?`.

    Names have been checked before they were stored; a comment of a device file must stay one line even so.
    """
    return "".join("?" if has_invisible(char) else char for char in text)


def _side(endpoint: Endpoint) -> Side:
    return Side(
        name=one_line(endpoint.name),
        address=endpoint.address,
        identity=_identity(endpoint.identity),
    )


def _identity(text: str) -> Identity:
    try:
        return Identity(text=str(ipaddress.ip_address(text)), is_address=True)
    except ValueError:
        return Identity(text=text, is_address=False)


def _pair(tunnel_id: str, number: int, mapping: Mapping) -> Pair:
    return Pair(
        number=number,
        name=f"{tunnel_id}-{number}",
        local=mapping.remote,
        remote=mapping.local,
        origin=f"rule {mapping.rule}" if mapping.rule else "health check",
    )


def _probe(health: HealthCheck | None) -> tuple[Address, Address] | None:
    return (health.remote, health.local) if health else None
