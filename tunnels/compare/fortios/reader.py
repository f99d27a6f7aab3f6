"""From the tables of a FortiOS configuration to its peers and to the connection towards one of them.

Source of the defaults: FortiOS 7.4 and 7.6 CLI Reference, config vpn ipsec phase1-interface (ike-version 1, mode main,
keylife 86400, dhgrp 14, dpd on-demand, localid-type auto) and phase2-interface (pfs enable, dhgrp 14, keylife-type
seconds, keylifeseconds 43200, keylifekbs 5120). Proposals have no default: `show` always prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tunnels.compare.fortios import words
from tunnels.compare.fortios.blocks import Entry, Tables, read_tables
from tunnels.compare.fortios.selectors import Names, selector
from tunnels.compare.reading import (
    Child,
    Connection,
    Dpd,
    Ident,
    Naming,
    Peer,
    Reading,
    Said,
    Trouble,
    Volume,
    limited,
    not_followed,
)
from tunnels.compare.text import PEERS_MAX, too_much, unreadable
from tunnels.domain.findings import RuleError, refuse
from tunnels.domain.proposals import IkeVersion, Mode

IKE_LIFETIME: Final = 86_400
IPSEC_LIFETIME: Final = 43_200
IPSEC_KILOBYTES: Final = 5_120
GROUPS: Final = ("14",)

_PHASE1: Final = ("vpn ipsec phase1-interface", "vpn ipsec phase1")
_PHASE2: Final = ("vpn ipsec phase2-interface", "vpn ipsec phase2")
_NOWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104


def read(text: str) -> Reading:
    """The phase 1 entries of a FortiOS configuration. Raises RuleError when there is none."""
    tables = read_tables(text)
    file = _File(tables)
    if len(file.peers) > PEERS_MAX:
        raise too_much(f"{PEERS_MAX:,} connections")
    if not file.peers:
        raise _nothing(tables)
    return Reading(
        peers=file.peers,
        build=file.connection,
        secrets=frozenset(tables.secrets),
        notes=_unfinished(tables),
    )


class _File:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._names = Names(tables)
        self._phase1 = [*tables.table(*_PHASE1)]
        self._phase2: dict[str, list[Entry]] = {}
        for entry in tables.table(*_PHASE2):
            of = entry.word("phase1name")
            self._phase2.setdefault(of.value if of else "", []).append(entry)
        self.peers = tuple(
            Peer(
                key=number,
                name=entry.name,
                line=entry.line,
                addresses=tuple(said.value for said in _remotes(entry)),
                identities=(_peer_id(entry).value,),
            )
            for number, entry in enumerate(self._phase1)
        )

    def connection(self, peer: Peer) -> Connection:
        """All of the connection of that peer."""
        entry = self._phase1[peer.key]
        version, mode = _version(entry), entry.word("mode") or Said("main")
        spoken = Mode.AGGRESSIVE if mode.value == "aggressive" else Mode.MAIN
        proposals = entry.words("proposal")
        own = self._own(entry)
        children, troubles = [], [*_unsaid(entry, proposals)]
        phase2, more = limited(self._phase2.get(entry.name, ()))
        for one in phase2:
            child, found = _child(self._names, one)
            children.append(child)
            troubles += found
        return Connection(
            name=peer.name,
            line=peer.line,
            remotes=_remotes(entry),
            locals=(own,) if own else (Said("%any"),),
            versions=Said(frozenset({version.value}), version.line),
            begins=version.value,
            modes=Said(frozenset({spoken}), mode.line),
            begins_mode=spoken,
            authentication=entry.word("authmethod") or Said("psk"),
            offers=tuple(words.proposals(proposals, _groups(entry), esp=False))
            if proposals
            else (),
            seconds=_number(entry, "keylife", IKE_LIFETIME),
            local_id=_local_id(entry, own),
            remote_ids=(_peer_id(entry),),
            dpd=_dpd(entry),
            children=tuple(children),
            keys=tuple(
                words.key(said)
                for name in ("psksecret", "psksecret-remote")
                if (said := entry.words(name))
            ),
            troubles=(*troubles, *more),
        )

    def _own(self, entry: Entry) -> Said[str] | None:
        """local-gw, else the address of the interface."""
        said = entry.word("local-gw") or entry.word("local-gw6")
        if said and said.value not in _NOWHERE:
            return said
        name = entry.word("interface")
        interface = self._tables.find(name.value, "system interface") if name else None
        address = interface.word("ip") if interface else None
        if address is None or address.value in _NOWHERE:
            return None
        return Said(address.value.split("/")[0], address.line)


def _remotes(entry: Entry) -> tuple[Said[str], ...]:
    kind = entry.word("type") or Said("static")
    for name in ("remotegw-ddns",) if kind.value == "ddns" else ("remote-gw", "remote-gw6"):
        said = entry.word(name)
        if said and kind.value != "dynamic" and said.value not in _NOWHERE:
            return (said,)
    return (Said("%any", kind.line),)


def _version(entry: Entry) -> Said[IkeVersion]:
    said = entry.word("ike-version") or Said("1")
    if said.value not in {"1", "2"}:
        raise unreadable(said.line or entry.line, "ike-version is 1 or 2.")
    return Said(IkeVersion(int(said.value)), said.line)


def _groups(entry: Entry) -> Said[tuple[str, ...]]:
    return words.groups(entry.words("dhgrp") or Said(GROUPS))


def _local_id(entry: Entry, own: Said[str] | None) -> Said[Ident]:
    """localid; of the type auto it is sent as a domain name, even when it looks like an address."""
    text, kind = entry.word("localid"), entry.word("localid-type") or Said("auto")
    line = text.line if text else kind.line
    if kind.value == "address" and text and text.value:
        return Said(Ident(Naming.ADDRESS, text.value), line)
    if text is None or not text.value or kind.value == "address":
        return Said(Ident(Naming.ADDRESS, own.value), own.line) if own else Said(Ident(Naming.OWN))
    if kind.value in {"auto", "fqdn"}:
        return Said(Ident(Naming.NAME, text.value), line)
    return Said(Ident(Naming.OTHER, f"{kind.value} {text.value}"), line)


def _peer_id(entry: Entry) -> Said[Ident]:
    """peerid, with peertype one; any other type asks for no identity of a peer with a pre-shared key."""
    kind, text = entry.word("peertype"), entry.word("peerid")
    if kind is None or kind.value != "one" or text is None:
        return Said(Ident(Naming.ANY), kind.line if kind else None)
    return Said(words.identity(text.value), text.line)


def _dpd(entry: Entry) -> Said[Dpd]:
    said = entry.word("dpd") or Said("on-demand")
    return Said(Dpd(on=said.value != "disable"), said.line)


def _number(entry: Entry, name: str, default: int) -> Said[int]:
    said = entry.word(name)
    if said is None:
        return Said(default)
    if not said.value.isdecimal():
        raise unreadable(said.line or entry.line, "a number was expected.")
    return Said(int(said.value[:12]), said.line)


def _child(names: Names, entry: Entry) -> tuple[Child, list[Trouble]]:
    chosen, troubles = selector(names, entry)
    proposals = entry.words("proposal")
    troubles += _unsaid(entry, proposals)
    pfs, mode = entry.word("pfs"), entry.word("encapsulation") or Said("tunnel-mode")
    off = pfs is not None and pfs.value == "disable"
    groups = Said((), pfs.line) if off and pfs else _groups(entry)
    child = Child(
        offers=tuple(words.proposals(proposals, groups, esp=True)) if proposals else (),
        seconds=_number(entry, "keylifeseconds", IPSEC_LIFETIME),
        volume=_volume(entry),
        selectors=(chosen,),
        mode=Said(mode.value.removesuffix("-mode"), mode.line),
    )
    return child, troubles


def _volume(entry: Entry) -> Said[Volume | None]:
    """Only keylife-type kbs and both make the number of KB count."""
    kind = entry.word("keylife-type") or Said("seconds")
    if kind.value == "seconds":
        return Said(None, kind.line)
    kilobytes = _number(entry, "keylifekbs", IPSEC_KILOBYTES)
    volume = Volume(f"{kilobytes.value:,} KB", frozenset({kilobytes.value}))
    return Said(volume, kilobytes.line or kind.line)


def _unsaid(entry: Entry, proposals: Said[tuple[str, ...]] | None) -> Iterator[Trouble]:
    if proposals is None:
        sentence = "The entry that begins here has no set proposal. FortiOS always prints it: is a line missing?"
        yield not_followed("Proposal", entry.line, sentence)


def _unfinished(tables: Tables) -> tuple[str, ...]:
    if tables.unfinished is None:
        return ()
    line = f"{tables.unfinished:,}"
    return (f"The block that begins on line {line} has no end: the text may be cut off.",)


def _nothing(tables: Tables) -> RuleError:
    sentence = (
        "There is no config vpn ipsec phase1-interface with an edit in it. Paste what show prints."
    )
    if tables.puzzling:
        sentence += f" Line {tables.puzzling:,} is the first that is no command of FortiOS."
    return refuse("compare-no-connection", sentence)
