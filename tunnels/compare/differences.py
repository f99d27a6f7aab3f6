"""The differences between a device's connection and the tunnel, all told from the device's side."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from tunnels.compare import identities
from tunnels.compare.identities import accepts
from tunnels.compare.mappings import compare_mappings, pairs_of
from tunnels.compare.offers import Wanted, compare_offers, nearest
from tunnels.compare.ranges import network_of
from tunnels.compare.reading import Child, Connection, Dpd, Naming, Said, Severity, Volume
from tunnels.compare.text import Quoter
from tunnels.compare.verdict import Difference, lines, told
from tunnels.devices.viewpoint import Side, Viewpoint, customer_viewpoint
from tunnels.domain.addresses import Address
from tunnels.domain.diagnosis.offers import our_esp, our_ike
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

# So many children are compared, and so many pairs of one looked at to see whether it carries any of ours.
CHILDREN_MAX: Final = 100
LOOKED_AT: Final = 200

# Addresses that are translated before they meet ours (RFC 1918, RFC 6598, RFC 4193).
_BEHIND_NAT: Final = tuple(
    ipaddress.ip_network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def compare(
    connection: Connection, spec: TunnelSpec, *, quote: Quoter, with_key: bool
) -> tuple[Difference, ...]:
    """Every difference, the grave ones first; empty when the two will negotiate.

    The key is compared only `with_key`; `quote` decides which texts of the file may be shown again.
    """
    view = customer_viewpoint(spec)
    children = _that_count(connection.children, view)
    found = [
        *_troubles(connection),
        *_versions(connection, spec.ike, view),
        *_modes(connection, spec.ike, view),
        *_authentication(connection, quote),
        *_remote_address(connection, view, quote),
        *_local_address(connection, view.device, quote),
        *_identities(connection, view, quote),
        *_ike(connection, spec.ike, quote),
        *_dpd(connection, spec.ike),
        *(one for child in children for one in _child(child, spec, quote)),
        *compare_mappings(view.pairs, connection.children, spec.ike.version),
        *(_keys(connection, spec.psk) if with_key else ()),
    ]
    return told(found)


def _that_count(children: Sequence[Child], view: Viewpoint) -> list[Child]:
    """The children that carry a pair of the tunnel; when none does, all."""
    ours = {(str(pair.local), str(pair.remote)) for pair in view.pairs}
    found = (
        child
        for child in children
        if any(pair.key in ours for pair in islice(pairs_of(child), LOOKED_AT))
    )
    return [*islice(found, CHILDREN_MAX)] or [*children[:CHILDREN_MAX]]


def _troubles(connection: Connection) -> Iterator[Difference]:
    for trouble in connection.troubles:
        yield Difference(
            name=trouble.name,
            ours=trouble.ours,
            theirs=trouble.theirs,
            severity=trouble.severity,
            sentence=trouble.sentence,
            lines=lines(trouble.line),
        )


def _versions(connection: Connection, ike: IkeSettings, view: Viewpoint) -> Iterator[Difference]:
    said = connection.versions
    name, ours = "IKE version", f"IKEv{ike.version:d}"
    theirs = " or ".join(f"IKEv{version:d}" for version in sorted(said.value))
    if ike.version not in said.value:
        yield Difference(
            name=name,
            ours=ours,
            theirs=theirs,
            severity=Severity.BREAKS,
            sentence="Both sides must speak the same version.",
            lines=lines(said.line),
        )
    elif connection.begins is not ike.version:
        yield Difference(
            name=name,
            ours=ours,
            theirs=f"{theirs}, beginning with IKEv{connection.begins:d}",
            severity=_when_it_begins(view),
            sentence="It answers in our version, but what it begins itself is refused. Set the version.",
            lines=lines(said.line),
        )


def _modes(connection: Connection, ike: IkeSettings, view: Viewpoint) -> Iterator[Difference]:
    said = connection.modes
    if ike.version is not IkeVersion.V1 or IkeVersion.V1 not in connection.versions.value:
        return
    if ike.mode not in said.value:
        yield _mode(ike.mode, " or ".join(sorted(said.value)), Severity.BREAKS, said.line)
    elif connection.begins_mode is not ike.mode:
        theirs = f"begins in {connection.begins_mode} mode"
        yield _mode(ike.mode, theirs, _when_it_begins(view), said.line)


def _mode(ours: Mode, theirs: str, severity: Severity, line: int | None) -> Difference:
    return Difference(
        name="Negotiation mode",
        ours=ours.value,
        theirs=theirs,
        severity=severity,
        sentence="Main and aggressive mode do not understand each other.",
        lines=lines(line),
    )


def _when_it_begins(view: Viewpoint) -> Severity:
    """How grave it is that only the gateway can begin."""
    return Severity.BREAKS if view.starts else Severity.HARMLESS


def _authentication(connection: Connection, quote: Quoter) -> Iterator[Difference]:
    said = connection.authentication
    if said.value != "psk":
        yield Difference(
            name="Authentication",
            ours="pre-shared key",
            theirs=quote(said.value),
            severity=Severity.BREAKS,
            sentence="The VPN gateway authenticates with a pre-shared key only, and in both directions.",
            lines=lines(said.line),
        )


def _remote_address(connection: Connection, view: Viewpoint, quote: Quoter) -> Iterator[Difference]:
    texts = [said.value for said in connection.remotes]
    if any(_stands_for(text, view.gateway.address) for text in texts):
        return
    difference = Difference(
        name="Address of the VPN gateway",
        ours=str(view.gateway.address),
        theirs=quote(", ".join(texts[:3])),
        severity=Severity.UNKNOWN,
        sentence="That this host name leads to the VPN gateway was not checked.",
        lines=lines(*(said.line for said in connection.remotes)),
    )
    if texts == ["%any"]:
        yield Difference(
            name=difference.name,
            ours=difference.ours,
            theirs="any",
            severity=_when_it_begins(view),
            sentence="The device cannot begin the negotiation itself: it does not know where to.",
            lines=difference.lines,
        )
    else:
        yield difference


def _local_address(connection: Connection, device: Side, quote: Quoter) -> Iterator[Difference]:
    said = connection.locals
    if any(one.value == "%any" or _stands_for(one.value, device.address) for one in said):
        return
    behind = any(_is_behind_nat(one.value) for one in said)
    yield Difference(
        name="Address of the device",
        ours=str(device.address),
        theirs=quote(", ".join(one.value for one in said[:3])),
        severity=Severity.HARMLESS if behind else Severity.BREAKS,
        sentence=(
            "The device seems to be behind NAT. That is fine when the address in front of it is ours."
            if behind
            else "The VPN gateway expects the device at its public address and answers nobody else."
        ),
        lines=lines(*(one.line for one in said)),
    )


def _identities(connection: Connection, view: Viewpoint, quote: Quoter) -> Iterator[Difference]:
    local, device, gateway = connection.local_id, view.device.identity, view.gateway.identity
    own_address = device.is_address and local.value.naming is Naming.OWN
    if not own_address and not accepts(local.value, device):
        yield Difference(
            name="Customer gateway identifier",
            ours=identities.ours(device),
            theirs=identities.theirs(local.value, quote),
            severity=Severity.BREAKS,
            sentence="The device would call itself something that the VPN gateway does not expect.",
            lines=lines(local.line),
        )
    remotes = connection.remote_ids
    if not any(accepts(said.value, gateway) for said in remotes):
        yield Difference(
            name="VPN gateway identifier",
            ours=identities.ours(gateway),
            theirs=" or ".join(identities.theirs(said.value, quote) for said in remotes[:3]),
            severity=Severity.BREAKS,
            sentence="The VPN gateway calls itself something that the device does not expect.",
            lines=lines(*(said.line for said in remotes)),
        )


def _ike(connection: Connection, ike: IkeSettings, quote: Quoter) -> Iterator[Difference]:
    wanted = Wanted(offer=our_ike(ike), esp=False, version=ike.version)
    yield from compare_offers(wanted, connection.offers, quote)
    best = nearest(wanted, connection.offers)
    seconds = (best.seconds if best else None) or connection.seconds
    yield from _lifetime("IKE SA lifetime", ike.lifetime_seconds, seconds, ike.version)


def _dpd(connection: Connection, ike: IkeSettings) -> Iterator[Difference]:
    said = connection.dpd
    wait = said.value.seconds if said.value.on and ike.dpd_enabled else None
    if said.value.on is not ike.dpd_enabled or wait not in (None, ike.dpd_timeout):
        yield Difference(
            name="Dead peer detection",
            ours=f"after {ike.dpd_timeout} s" if ike.dpd_enabled else "off",
            theirs=_dpd_text(said.value),
            severity=Severity.HARMLESS,
            sentence="Each side decides for itself when it takes the other one for dead.",
            lines=lines(said.line),
        )


def _dpd_text(dpd: Dpd) -> str:
    if not dpd.on:
        return "off"
    return f"after {dpd.seconds} s" if dpd.seconds else "on"


def _child(child: Child, spec: TunnelSpec, quote: Quoter) -> Iterator[Difference]:
    ipsec, version = spec.ipsec, spec.ike.version
    if child.mode.value != "tunnel":
        yield Difference(
            name="Encapsulation",
            ours="tunnel mode",
            theirs=quote(f"{child.mode.value} mode"),
            severity=Severity.BREAKS,
            sentence="Only tunnel mode carries the traffic of networks.",
            lines=lines(child.mode.line),
        )
    wanted = Wanted(offer=our_esp(ipsec), esp=True, version=version)
    yield from compare_offers(wanted, child.offers, quote)
    yield from _lifetime("IPsec SA lifetime", ipsec.lifetime_seconds, child.seconds, version)
    yield from _volume(ipsec, child.volume, version)


def _lifetime(name: str, ours: int, theirs: Said[int], version: IkeVersion) -> Iterator[Difference]:
    if theirs.value != ours:
        yield Difference(
            name=name,
            ours=f"{ours:,} s",
            theirs=f"{theirs.value:,} s" if theirs.value else "no limit",
            severity=Severity.HARMLESS,
            sentence=_local_matter(version),
            lines=lines(theirs.line),
        )


def _volume(
    ipsec: IpsecSettings, theirs: Said[Volume | None], version: IkeVersion
) -> Iterator[Difference]:
    volume = theirs.value
    if volume is None or ipsec.lifetime_kb not in volume.kilobytes:
        yield Difference(
            name="Lifetime by volume",
            ours=f"{ipsec.lifetime_kb:,} KB",
            theirs=volume.text if volume else "no limit",
            severity=Severity.HARMLESS,
            sentence=_local_matter(version),
            lines=lines(theirs.line),
        )


def _local_matter(version: IkeVersion) -> str:
    if version is IkeVersion.V2:
        return (
            "IKEv2 does not negotiate it: each side renews by its own limit, the shorter one first."
        )
    return "IKEv1 tells it to the other side, and the shorter one counts; a few devices insist on equal values."


def _keys(connection: Connection, psk: Secret) -> Iterator[Difference]:
    """Only that the keys differ; nothing of either."""
    for key in connection.keys:
        if key.secret is None:
            yield Difference(
                name="Pre-shared key",
                ours="",
                theirs="",
                severity=Severity.UNKNOWN,
                sentence=f"The key could not be compared: {key.why}.",
                lines=(key.line,),
            )
        elif key.secret != psk:
            yield Difference(
                name="Pre-shared key",
                ours="the tunnel's key",
                theirs="another key",
                severity=Severity.BREAKS,
                sentence="The authentication fails. Put the same key into both sides.",
                lines=(key.line,),
            )


def _stands_for(text: str, address: Address) -> bool:
    block = network_of(text)
    return block is not None and address in block


def _is_behind_nat(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in block for block in _BEHIND_NAT)
