"""ipsec.conf with its ipsec.secrets: what the conns towards one peer mean.

Source: confread.c and args.c (defaults), starterstroke.c and stroke_config.c of strongSwan 5.9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from tunnels.compare.reading import (
    Child,
    Connection,
    Dpd,
    Ident,
    Key,
    Naming,
    Offered,
    Peer,
    Reading,
    Said,
    Selector,
    Severity,
    Trouble,
    Volume,
    limited,
    not_followed,
)
from tunnels.compare.strongswan import keys, words
from tunnels.compare.strongswan.conns import DEFAULT, LIBRESWAN, Conn, Conns, read_conns
from tunnels.compare.text import unreadable
from tunnels.domain.findings import refuse
from tunnels.domain.proposals import IkeVersion, Mode

# confread.c: IKE_LIFETIME_DEFAULT, IPSEC_LIFETIME_DEFAULT and conn->dpd_timeout.
IKE_LIFETIME: Final = 10_800
IPSEC_LIFETIME: Final = 3_600
DPD_TIMEOUT: Final = 150

_PSK: Final = frozenset({"psk", "secret"})
_TRAP: Final = frozenset({"%any", "%any4", "%any6", "%defaultroute"})
# Conns that agree in these share one IKE SA (stroke_config.c, add).
_SHARED: Final = (
    "keyexchange", "aggressive", "authby", "ike", "ikelifetime", "left", "leftid", "leftauth", "right", "rightid",
    "rightauth", "rekey", "dpddelay", "dpdtimeout", "dpdaction",
)  # fmt: skip

Values = Mapping[str, Said[str]]


def read(text: str) -> Reading:
    """The connections of an ipsec.conf. Raises RuleError when it is none, or has none."""
    conns = read_conns(text)
    if any(LIBRESWAN & conn.values.keys() for conn in conns.conns.values()):
        raise refuse(
            "compare-other-device",
            "This looks like an ipsec.conf of Libreswan. Only that of strongSwan is compared.",
        )
    groups = _groups(conns)
    peers = (*_peers(groups), *_mirrored(groups))
    if not peers:
        raise refuse(
            "compare-no-connection",
            "There is no conn section with a right= in it. Paste the whole ipsec.conf.",
        )
    file = _File(conns, groups)
    return Reading(
        peers=peers,
        build=file.connection,
        secrets=frozenset(conns.secrets),
        notes=words.included(conns.includes),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One end of a conn, `left` or `right`."""

    values: Values
    name: str

    def get(self, what: str) -> Said[str] | None:
        return self.values.get(self.name + what)

    @property
    def addresses(self) -> tuple[Said[str], ...]:
        said = self.get("") or Said("%any")
        parts = (part.strip() for part in said.value.split(","))
        # %name: this address, and any other.
        texts = ("%any" if part in _TRAP else part.lstrip("%") for part in parts if part)
        return tuple(Said(part, said.line) for part in texts)

    @property
    def identity(self) -> Said[Ident]:
        said = self.get("id")
        if said is None:
            return words.address_of(self.addresses)
        return Said(words.identity(said.value.removeprefix("%") or "%any"), said.line)


@dataclass(frozen=True, slots=True)
class _Group:
    """Conns that share one IKE SA, each with its settings."""

    members: list[tuple[Conn, Values]]

    @property
    def loaded(self) -> list[tuple[Conn, Values]]:
        """Those that strongSwan loads at all; else all."""
        return [entry for entry in self.members if _is_loaded(entry[1])] or self.members

    @property
    def is_loaded(self) -> bool:
        return any(_is_loaded(values) for _, values in self.members)


class _File:
    def __init__(self, conns: Conns, groups: list[_Group]) -> None:
        self._conns = conns
        self._groups = groups

    def connection(self, peer: Peer) -> Connection:
        """All conns of that peer as one connection."""
        group = self._groups[peer.key]
        members, more = limited(group.loaded)
        values = members[0][1]
        left, right = _sides(values, mirrored=peer.mirrored)
        version, aggressive = _version(values), values.get("aggressive")
        lists = words.Lists(partial(_offers, version=version.value, esp=True))
        mode = Mode.AGGRESSIVE if aggressive and aggressive.value == "yes" else Mode.MAIN
        remote_id = right.identity
        if remote_id.value.naming is Naming.OWN:
            remote_id = Said(Ident(Naming.ANY))
        return Connection(
            name=peer.name,
            line=peer.line,
            remotes=right.addresses,
            locals=left.addresses,
            versions=Said(
                frozenset({version.value} if version.value else IkeVersion), version.line
            ),
            begins=version.value or IkeVersion.V2,
            modes=Said(frozenset({mode}), aggressive.line if aggressive else None),
            begins_mode=mode,
            authentication=_authentication(values),
            offers=_offers(values.get("ike"), version=version.value, esp=False),
            seconds=_lifetime(values, "ikelifetime", IKE_LIFETIME),
            local_id=left.identity,
            remote_ids=(remote_id,),
            dpd=_dpd(values, version.value),
            children=tuple(
                _child(conn, own, lists, mirrored=peer.mirrored)
                for conn, own in members
                if _carries(own)
            ),
            keys=self._keys(left, right),
            troubles=(*self._troubles(group), *more),
            notes=tuple(_notes(group, peer)),
        )

    def _keys(self, left: _Side, right: _Side) -> tuple[Key, ...]:
        return keys.fitting(
            self._conns.keys,
            mine=words.known_as(left.identity, left.addresses),
            others=words.known_as(right.identity, right.addresses),
        )

    def _troubles(self, group: _Group) -> Iterator[Trouble]:
        if self._conns.margin:
            yield not_followed(
                "Indentation",
                self._conns.margin,
                "This setting is not indented. If it is so in the file too, strongSwan refuses the file.",
            )
        for conn, values in group.loaded:
            if conn.name in self._conns.missing:
                sentence = "The conn that this line inherits from is not in this text."
                yield not_followed("also=", self._conns.missing[conn.name], sentence)
            ah = values.get("ah")
            if ah:
                sentence = "AH does not encrypt. Replace ah= by esp=."
                yield _breaks("IPsec protocol", "ESP", "AH", ah.line, sentence)
        if not group.is_loaded:
            conn, values = group.members[0]
            auto = values.get("auto")
            sentence = "Without auto=add, route or start strongSwan does not load this connection."
            yield _breaks(
                "Loading", "loaded", "ignored", auto.line if auto else conn.line, sentence
            )


def _groups(conns: Conns) -> list[_Group]:
    groups: dict[tuple[str, ...], _Group] = {}
    templates = {said.value for conn in conns.conns.values() for said in conn.also}
    for name, conn in conns.conns.items():
        values = conns.resolved(conn)
        is_template = name in templates and not _is_loaded(values)
        if name == DEFAULT or is_template or not {"left", "right"} & values.keys():
            continue
        shared = tuple(values[key].value if key in values else "" for key in _SHARED)
        groups.setdefault(shared, _Group([])).members.append((conn, values))
    return [*groups.values()]


def _peers(groups: list[_Group]) -> Iterator[Peer]:
    for number, group in enumerate(groups):
        conn, values = group.loaded[0]
        right = _Side(values, "right")
        yield Peer(
            key=number,
            name=conn.name,
            line=conn.line,
            addresses=tuple(said.value for said in right.addresses),
            identities=(right.identity.value,),
        )


def _mirrored(groups: list[_Group]) -> Iterator[Peer]:
    """The same conns read the other way round: strongSwan swaps the ends when `right` is an address of its own."""
    for number, group in enumerate(groups):
        conn, values = group.loaded[0]
        left = _Side(values, "left")
        if left.get(""):
            addresses = tuple(said.value for said in left.addresses)
            yield Peer(
                key=number, name=conn.name, line=conn.line, addresses=addresses, mirrored=True
            )


def _sides(values: Values, *, mirrored: bool) -> tuple[_Side, _Side]:
    """The device's own end, and the peer's."""
    names = ("right", "left") if mirrored else ("left", "right")
    return _Side(values, names[0]), _Side(values, names[1])


def _is_loaded(values: Values) -> bool:
    return values.get("auto", Said("ignore")).value != "ignore"


def _carries(values: Values) -> bool:
    return values.get("type", Said("tunnel")).value not in {"pass", "passthrough", "drop", "reject"}


def _version(values: Values) -> Said[IkeVersion | None]:
    """The one version that is spoken; None stands for both, of which IKEv2 is begun."""
    said = values.get("keyexchange")
    if said is None:
        return Said(None)
    known = {"ike": None, "ikev1": IkeVersion.V1, "ikev2": IkeVersion.V2}
    if said.value not in known:
        raise unreadable(said.line or 1, "keyexchange is ike, ikev1 or ikev2.")
    return Said(known[said.value], said.line)


def _authentication(values: Values) -> Said[str]:
    """`psk` when both ends have it; leftauth and rightauth come before authby."""
    ends = [values[name] for name in ("leftauth", "rightauth") if name in values]
    if not ends:
        said = values.get("authby", Said("pubkey"))
        return Said("psk" if said.value in _PSK else said.value, said.line)
    odd = [said for said in ends if said.value not in _PSK]
    if odd or len(ends) < 2:
        return odd[0] if odd else Said("pubkey")
    return Said("psk", ends[0].line)


def _offers(
    said: Said[str] | None, *, version: IkeVersion | None, esp: bool
) -> tuple[Offered, ...]:
    """What is proposed; without an exclamation mark at its end strongSwan adds its defaults."""
    if said is None:
        return tuple(words.default_proposals(None, esp=esp))
    strict = Said(said.value.removesuffix("!"), said.line)
    own = words.proposals(strict, esp=esp, version=version)
    more = () if said.value.endswith("!") else words.default_proposals(None, esp=esp)
    return (*own, *more)


def _lifetime(values: Values, name: str, default: int) -> Said[int]:
    """0 when nothing expires (rekey=no: starterstroke.c sends no lifetimes then)."""
    rekey = values.get("rekey")
    if rekey and rekey.value == "no":
        return Said(0, rekey.line)
    return words.seconds(values[name]) if name in values else Said(default)


def _volume(values: Values) -> Said[Volume | None]:
    said = values.get("lifebytes")
    if said is None:
        return Said(None)
    if not said.value.isdecimal():
        raise unreadable(said.line or 1, "lifebytes is a number of bytes.")
    return Said(words.volume(int(said.value[:20])), said.line)


def _dpd(values: Values, version: IkeVersion | None) -> Said[Dpd]:
    action = values.get("dpdaction", Said("none"))
    timeout = values.get("dpdtimeout")
    if action.value == "none":
        return Said(Dpd(on=False), action.line)
    if version is not IkeVersion.V1:
        return Said(Dpd(on=True), action.line)
    if timeout is None:
        return Said(Dpd(on=True, seconds=DPD_TIMEOUT), None)
    return Said(Dpd(on=True, seconds=words.seconds(timeout).value), timeout.line)


def _child(conn: Conn, values: Values, lists: words.Lists, *, mirrored: bool) -> Child:
    sides = _sides(values, mirrored=mirrored)
    ranges = []
    for side in sides:
        said = side.get("subnet") or Said("%dynamic")
        alone = side.addresses[0].value if len(side.addresses) == 1 else ""
        ranges.append(lists.ranges(Said(said.value, said.line or conn.line), alone))
    narrowed = any(side.get("protoport") for side in sides)
    return Child(
        offers=lists.offers(values.get("esp")),
        seconds=_lifetime(values, "lifetime", IPSEC_LIFETIME),
        volume=_volume(values),
        selectors=(
            Selector(
                locals=ranges[0],
                remotes=ranges[1],
                line=conn.line,
                only="one protocol or port" if narrowed else "",
            ),
        ),
        mode=values.get("type", Said("tunnel")),
    )


def _notes(group: _Group, peer: Peer) -> Iterator[str]:
    pfs = group.loaded[0][1].get("pfs")
    if pfs:
        yield (
            f"Line {pfs.line}: pfs= has no effect in strongSwan. PFS is on when esp= ends with a group."
        )
    if peer.mirrored:
        yield (
            "The file calls the VPN gateway left and the device right. strongSwan swaps them when right is an address "
            "of its own, and so does this comparison."
        )


def _breaks(name: str, ours: str, theirs: str, line: int | None, sentence: str) -> Trouble:
    return Trouble(
        name=name,
        ours=ours,
        theirs=theirs,
        line=line,
        sentence=sentence,
        severity=Severity.BREAKS,
    )
