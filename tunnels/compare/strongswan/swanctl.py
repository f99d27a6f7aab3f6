"""swanctl.conf: the connections and their keys. Source: swanctl.conf(5) and vici_config.c of strongSwan 5.9 and 6.0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
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
from tunnels.compare.strongswan.settings import Settings, Tree, View, read_settings
from tunnels.compare.text import PEERS_MAX, too_much, unreadable
from tunnels.domain.findings import refuse
from tunnels.domain.proposals import IkeVersion, Mode

# vici_config.c: LFT_DEFAULT_IKE_REKEY_TIME and LFT_DEFAULT_CHILD_REKEY_TIME.
IKE_REKEY: Final = 14_400
CHILD_REKEY: Final = 3_600

_YES: Final = frozenset({"yes", "true", "enabled", "1"})
_CARRIES_NOTHING: Final = frozenset({"pass", "drop"})


def read(text: str) -> Reading:
    """The connections of a swanctl.conf. Raises RuleError when it is none, or has none."""
    file = _File(read_settings(text))
    if len(file.peers) > PEERS_MAX:
        raise too_much(f"{PEERS_MAX:,} connections")
    if not file.peers:
        raise refuse(
            "compare-no-connection",
            "There is no section “connections” with a connection in it. Paste the whole swanctl.conf.",
        )
    return Reading(peers=file.peers, build=file.connection, secrets=file.secrets, notes=file.notes)


@dataclass(frozen=True, slots=True)
class _Ends:
    """Both ends of one connection."""

    locals: tuple[Said[str], ...]
    remotes: tuple[Said[str], ...]
    local_id: Said[Ident]
    remote_id: Said[Ident]


class _File:
    def __init__(self, settings: Settings) -> None:
        self._tree = Tree(settings)
        self.notes = words.included(settings.includes)
        self._views = [*islice(self._named("connections"), PEERS_MAX + 1)]
        self._keys, self.secrets = _read_keys(self._named("secrets"))
        self.peers = tuple(
            _peer(number, name, view, self._ends(view))
            for number, (name, view) in enumerate(self._views)
        )

    def connection(self, peer: Peer) -> Connection:
        """All of the connection of that peer."""
        view = self._views[peer.key][1]
        ends, version = self._ends(view), _version(view)
        aggressive = view.get("aggressive")
        mode = Mode.AGGRESSIVE if aggressive and aggressive.value.lower() in _YES else Mode.MAIN
        lists = words.Lists(partial(_offers, version=version.value, esp=True))
        children, more = limited(child for _, child in self._sections(view, "children"))
        return Connection(
            name=peer.name,
            line=peer.line,
            remotes=ends.remotes,
            locals=ends.locals,
            versions=Said(
                frozenset({version.value} if version.value else IkeVersion), version.line
            ),
            begins=version.value or IkeVersion.V2,
            modes=Said(frozenset({mode}), aggressive.line if aggressive else None),
            begins_mode=mode,
            authentication=self._authentication(view),
            offers=_offers(view.get("proposals"), version=version.value, esp=False),
            seconds=_ike_lifetime(view),
            local_id=ends.local_id,
            remote_ids=(ends.remote_id,),
            dpd=_dpd(view),
            children=tuple(_child(child, ends, lists) for child in children if _carries(child)),
            keys=_fitting(self._keys, ends),
            troubles=(*_without_encryption(children), *self._missing(), *more),
        )

    def _named(self, name: str) -> Iterator[tuple[str, View]]:
        return self._sections(self._tree.root, name)

    def _sections(self, of: View, name: str) -> Iterator[tuple[str, View]]:
        section = self._tree.section(of, name)
        return self._tree.sections(section) if section else iter(())

    def _rounds(self, view: View, side: str) -> list[View]:
        return [found for name, found in self._tree.sections(view) if name.startswith(side)]

    def _ends(self, view: View) -> _Ends:
        locals_ = _addresses(view, "local_addrs")
        return _Ends(
            locals=locals_,
            remotes=_addresses(view, "remote_addrs"),
            local_id=_identity(self._rounds(view, "local")) or words.address_of(locals_),
            remote_id=_identity(self._rounds(view, "remote")) or Said(Ident(Naming.ANY)),
        )

    def _authentication(self, view: View) -> Said[str]:
        """`psk` when both sides have just that."""
        said: Said[str] = Said("pubkey")
        for side in ("local", "remote"):
            rounds = self._rounds(view, side)
            said = next((auth for one in rounds if (auth := one.get("auth"))), Said("pubkey"))
            if said.value != "psk" or len(rounds) > 1:
                return Said(said.value if len(rounds) < 2 else "several rounds", said.line)
        return said

    def _missing(self) -> Iterator[Trouble]:
        for line in sorted(self._tree.missing):
            yield not_followed(
                "Reference",
                line,
                "The section that begins here inherits from one that is not in this text.",
            )


def _peer(number: int, name: str, view: View, ends: _Ends) -> Peer:
    return Peer(
        key=number,
        name=name,
        line=view.line,
        addresses=tuple(address.value for address in ends.remotes),
        identities=(ends.remote_id.value,),
    )


def _identity(rounds: list[View]) -> Said[Ident] | None:
    said = next((found for one in rounds if (found := one.get("id"))), None)
    if said is None or words.identity(said.value).naming is Naming.ANY:
        return None
    return Said(words.identity(said.value), said.line)


def _version(view: View) -> Said[IkeVersion | None]:
    """The one version that is spoken; None stands for both."""
    said = view.get("version") or Said("0")
    if said.value not in {"0", "1", "2"}:
        raise unreadable(said.line or view.line, "version is 0, 1 or 2.")
    return Said(IkeVersion(int(said.value)) if said.value != "0" else None, said.line)


def _addresses(view: View, name: str) -> tuple[Said[str], ...]:
    said = view.get(name) or Said("%any")
    parts = (part.strip() for part in said.value.split(","))
    return tuple(Said(part, said.line) for part in parts if part) or (Said("%any"),)


def _time(view: View, name: str) -> Said[int] | None:
    said = view.get(name)
    return words.seconds(said) if said else None


def _ike_lifetime(view: View) -> Said[int]:
    """rekey_time or reauth_time, the longer one, and over_time: 10 % of that unless said."""
    rekey, reauth = _time(view, "rekey_time"), _time(view, "reauth_time")
    if rekey is None:
        rekey = Said(0) if reauth else Said(IKE_REKEY)
    soft = max(rekey, reauth or Said(0), key=_value)
    over = _time(view, "over_time") or Said(soft.value // 10)
    return Said(soft.value + over.value if soft.value else 0, soft.line or over.line)


def _child_lifetime(child: View) -> Said[int]:
    """life_time, else 110 % of rekey_time."""
    rekey = _time(child, "rekey_time") or Said(CHILD_REKEY)
    return _time(child, "life_time") or Said(rekey.value * 11 // 10, rekey.line)


def _volume(child: View) -> Said[Volume | None]:
    """life_bytes, else 110 % of rekey_bytes; neither: no limit."""
    for name, part in (("life_bytes", 10), ("rekey_bytes", 11)):
        said = child.get(name)
        if said:
            size = words.size(said.value)
            if size is None:
                raise unreadable(said.line or child.line, "a number of bytes was expected.")
            return Said(words.volume(size * part // 10), said.line)
    return Said(None)


def _dpd(view: View) -> Said[Dpd]:
    delay = _time(view, "dpd_delay") or Said(0)
    timeout = _time(view, "dpd_timeout")
    # IKEv2 has none, and IKEv1 counts its retransmissions unless one is said.
    wait = timeout.value if timeout and _version(view).value is IkeVersion.V1 else 0
    return Said(Dpd(on=delay.value > 0, seconds=wait or None), delay.line)


def _offers(
    said: Said[str] | None, *, version: IkeVersion | None, esp: bool
) -> tuple[Offered, ...]:
    return tuple(words.proposals(said or Said("default"), esp=esp, version=version))


def _carries(child: View) -> bool:
    mode = child.get("mode")
    return mode is None or mode.value not in _CARRIES_NOTHING


def _child(child: View, ends: _Ends, lists: words.Lists) -> Child:
    mode = child.get("mode") or Said("tunnel")
    ranges = []
    for name, own in (("local_ts", ends.locals), ("remote_ts", ends.remotes)):
        said = child.get(name) or Said("dynamic")
        alone = own[0].value if len(own) == 1 else ""
        ranges.append(lists.ranges(said, alone))
    return Child(
        offers=lists.offers(child.get("esp_proposals")),
        seconds=_child_lifetime(child),
        volume=_volume(child),
        selectors=(Selector(locals=ranges[0], remotes=ranges[1], line=child.line),),
        mode=mode,
    )


def _without_encryption(children: list[View]) -> Iterator[Trouble]:
    for child in children:
        said = child.get("ah_proposals")
        if said:
            yield Trouble(
                name="IPsec protocol",
                ours="ESP",
                theirs="AH",
                line=said.line,
                sentence="AH does not encrypt. Replace ah_proposals by esp_proposals.",
                severity=Severity.BREAKS,
            )


def _read_keys(secrets: Iterator[tuple[str, View]]) -> tuple[list[keys.Owned], frozenset[str]]:
    """The keys for IKE, and the text of every secret."""
    owned: list[keys.Owned] = []
    texts: set[str] = set()
    for name, view in secrets:
        said = view.get("secret")
        if said is None or said.line is None:
            continue
        key = words.key(said.value, said.line)
        texts |= {said.value, key.secret.reveal() if key.secret else ""}
        if name.startswith("ike"):
            owners = (value for id_, value in view.items() if id_.startswith("id"))
            idents = tuple(words.identity(value.value) for value in owners)
            owned.append(keys.Owned(owners=idents, key=key))
    return owned, frozenset(texts - {""})


def _fitting(owned: list[keys.Owned], ends: _Ends) -> tuple[Key, ...]:
    return keys.fitting(
        owned,
        mine=words.known_as(ends.local_id, ends.locals),
        others=words.known_as(ends.remote_id, ends.remotes),
    )


def _value(said: Said[int]) -> int:
    return said.value
