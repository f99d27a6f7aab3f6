"""MikroTik RouterOS 7.9 and later: a policy-based tunnel as a script for `/import`.

Sources: MikroTik's manual, "IPsec" (Profiles, Proposals, Peers, Identities, Policies, NAT and FastTrack bypass),
"Scripting language manual", "Filter", "NAT", "Mangle", "Bridging and Switching". RouterOS refuses an AEAD beside any
`auth-algorithms`, `null` included: the list must be empty, as its own exports show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.abilities import cannot
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.mikrotik_routeros.header import header
from tunnels.devices.mikrotik_routeros.rules import Chain, chains, segments
from tunnels.devices.mikrotik_routeros.words import ABILITIES, quote, secret, time
from tunnels.devices.rendering import fill
from tunnels.devices.viewpoint import Pair, Side, Viewpoint, customer_viewpoint, owned
from tunnels.domain import crypto
from tunnels.domain.addresses import host_network, is_default_route
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeSettings, IkeVersion, Negotiation
from tunnels.domain.spec import TunnelSpec

TEMPLATE = "mikrotik_routeros/template.rsc.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that the template prints; what stands behind a name is finished text of parameters."""

    header: tuple[str, ...]
    name: str
    profile: str
    proposal: str
    chains: tuple[Chain, ...]
    segments: tuple[str, ...]
    addresses: tuple[str, ...]
    peer: str
    secret: str
    identity: str
    untouched: tuple[str, ...]
    policies: tuple[str, ...]


def write(order: Order) -> str:
    """The text of the file."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    return fill(
        TEMPLATE,
        Document(
            header=header(order, view),
            name=spec.id,
            profile=" ".join(_profile(order)),
            proposal=" ".join(_proposal(order)),
            chains=tuple(chains(spec, view)),
            segments=tuple(segments(spec, view)),
            addresses=tuple(_addresses(spec, view)),
            peer=" ".join(_peer(spec.ike, view)),
            secret=secret(spec.psk.reveal()),
            identity=" ".join(_identity(spec.ike, view)),
            untouched=tuple(dict.fromkeys(str(pair.local) for pair in _swallowing(view))),
            policies=tuple(_policy(pair) for pair in view.pairs),
        ),
    )


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """A policy from everywhere to everywhere, and an identifier that has no form."""
    view, findings = customer_viewpoint(spec), []
    if any(is_default_route(pair.local) for pair in _swallowing(view)):
        # It would encrypt what the device answers to its own network, and could not be exempted from itself.
        findings.append(
            cannot(
                "MikroTik RouterOS would encrypt all that it sends, to its own networks too, when both ranges of a "
                "pair are everything; give the customer's ranges one by one.",
                "spd.rules",
            )
        )
    for name, side in (("ike.remote_fqdn", view.device), ("ike.local_fqdn", view.gateway)):
        if side.identity.is_address and ":" in side.identity.text and _id(side) != "auto":
            findings.append(
                cannot(
                    f"MikroTik RouterOS takes {side.identity.text} as no identifier: an IPv6 address can only be a "
                    "side's own. Leave the identifier empty.",
                    name,
                )
            )
    return findings


def losses(spec: TunnelSpec) -> list[str]:
    """What RouterOS does differently from what was agreed."""
    ike, view, sentences = spec.ike, customer_viewpoint(spec), []
    if not ike.dpd_enabled:
        sentences.append(
            "RouterOS renews an IKE SA only with DPD: without it, the tunnel is interrupted when the lifetime of "
            f"{ike.lifetime_seconds} s ends."
        )
    elif ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2, RouterOS does not count failures: it asks every {ike.dpd_timeout // 3} s, and gives a silent "
            f"peer up when its own retransmissions end, not after {ike.dpd_timeout} s."
        )
    if ike.version is IkeVersion.V1 and not view.gateway.identity.is_address:
        sentences.append(
            "With IKEv1, RouterOS cannot check a domain name: it takes any identifier from "
            f"{view.gateway.address}, and the key alone proves who it is."
        )
    if _swallowing(view):
        sentences.append(
            "The range of the VPN gateway is everything: what leaves this device from your ranges goes into the "
            "tunnel, its own answers too. Each of your ranges is exempted towards itself; exempt other local networks "
            "in the same way before you load the file, or you may lock yourself out."
        )
    return sentences


def _profile(order: Order) -> Iterator[str]:
    ike = order.spec.ike
    words = order.abilities.ike[ike.version]
    yield f"enc-algorithm={words.encryption[ike.encryption]}"
    yield f"hash-algorithm={words.integrity[ike.integrity]}"
    # It follows the hash.
    yield "prf-algorithm=auto"
    yield f"dh-group={words.dh[ike.dh_group]}"
    yield f"lifetime={time(ike.lifetime_seconds)}"
    yield "proposal-check=obey"
    yield "nat-traversal=yes"
    if ike.dpd_enabled:
        # Three questions fit into the agreed time.
        yield f"dpd-interval={time(ike.dpd_timeout // 3)}"
        yield "dpd-maximum-failures=3"
    else:
        yield "dpd-interval=disable-dpd"


def _proposal(order: Order) -> Iterator[str]:
    ipsec = order.spec.ipsec
    words = order.abilities.esp[order.spec.ike.version]
    aead = crypto.is_aead(ipsec.encryption)
    yield f"enc-algorithms={words.encryption[ipsec.encryption]}"
    yield f"auth-algorithms={quote('') if aead else words.integrity[ipsec.integrity]}"
    yield f"lifetime={time(ipsec.lifetime_seconds)}"
    yield f"pfs-group={words.dh[ipsec.pfs] if ipsec.pfs else 'none'}"


def _peer(ike: IkeSettings, view: Viewpoint) -> Iterator[str]:
    yield f"address={host_network(view.gateway.address)}"
    yield f"local-address={view.device.address}"
    yield f"exchange-mode={'ike2' if ike.version is IkeVersion.V2 else ike.mode}"
    # It begins at once, or never: with a gateway that waits for traffic it must, lest its own packets wait for ever.
    yield f"passive={'yes' if ike.negotiation is Negotiation.ACTIVE else 'no'}"
    yield "send-initial-contact=yes"


def _identity(ike: IkeSettings, view: Viewpoint) -> Iterator[str]:
    yield f"my-id={_id(view.device)}"
    # Names are checked with IKEv2 only.
    named = ike.version is IkeVersion.V2 or view.gateway.identity.is_address
    yield f"remote-id={_id(view.gateway) if named else 'auto'}"
    yield "match-by=remote-id"
    yield "generate-policy=no"


def _id(side: Side) -> str:
    """The identifier; an IPv6 address is what `auto` stands for, and has no form of its own in the manual."""
    if not side.identity.is_address:
        return f"fqdn:{side.identity.text}"
    own = side.identity.text == str(side.address)
    return "auto" if own and side.address.version == 6 else f"address:{side.identity.text}"


def _policy(pair: Pair) -> str:
    # An SA for each pair: with `require`, several policies of one peer would share the first one's.
    return (
        f"tunnel=yes src-address={pair.local} dst-address={pair.remote} protocol=all action=encrypt level=unique "
        "ipsec-protocols=esp"
    )


def _swallowing(view: Viewpoint) -> list[Pair]:
    """The pairs whose policies catch all that leaves from their range."""
    return [pair for pair in view.pairs if is_default_route(pair.remote)]


def _addresses(spec: TunnelSpec, view: Viewpoint) -> Iterator[str]:
    if not view.probe or not owned(spec, view):
        return
    asked = view.probe[0]
    if asked.version == 6:
        yield f"/ipv6 address add address={asked}/128 advertise=no"
    else:
        yield f"/ip address add address={asked}/32"


PLATFORM = Platform(
    id="mikrotik-routeros",
    vendor="MikroTik",
    name="RouterOS",
    abilities={"7.9+": ABILITIES},
    parts=(Part(filename="{tunnel_id}-routeros.rsc", write=write),),
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
