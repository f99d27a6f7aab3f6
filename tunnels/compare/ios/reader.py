"""From the blocks of an IOS configuration to its peers and to the connection towards one of them."""

from __future__ import annotations

from tunnels.compare.ios import maps
from tunnels.compare.ios.access_lists import AccessLists
from tunnels.compare.ios.blocks import Block, Config, read_config
from tunnels.compare.ios.ikev1 import ikev1
from tunnels.compare.ios.ikev2 import ikev2
from tunnels.compare.ios.phase1 import remote_identities
from tunnels.compare.reading import Connection, Ident, Naming, Peer, Reading, Said, limited
from tunnels.compare.text import PEERS_MAX, too_much
from tunnels.domain.findings import RuleError, refuse
from tunnels.domain.proposals import IkeVersion


def read(text: str) -> Reading:
    """The crypto maps of an IOS configuration. Raises RuleError when there is none."""
    config = read_config(text)
    file = _File(config)
    if len(file.peers) > PEERS_MAX:
        raise too_much(f"{PEERS_MAX:,} connections")
    if not file.peers:
        raise _nothing(config)
    return Reading(peers=file.peers, build=file.connection, secrets=frozenset(config.secrets))


class _File:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._entries = maps.entries_of(config)
        self._lists = AccessLists(config)
        self.peers = (
            *(self._peer(number, entries) for number, entries in enumerate(self._entries)),
            *(_route_based(*found) for found in maps.tunnel_interfaces(config)),
        )

    def connection(self, peer: Peer) -> Connection:
        """All of the connection of that peer."""
        entries = self._entries[peer.key]
        own = maps.own_address(self._config, entries.name)
        addresses = tuple(said.value for said in entries.peers)
        version = entries.version
        profile = self._profile(entries)
        if version is IkeVersion.V2 and profile:
            phase1 = ikev2(self._config, profile, addresses, own.value if own else "")
        else:
            phase1 = ikev1(self._config, profile, addresses)
        children, troubles = [], [*phase1.troubles]
        blocks, more = limited(entries.blocks)
        for block in blocks:
            child, found = maps.child(self._config, self._lists, block)
            troubles += found
            if child:
                children.append(child)
        by_address = Said(Ident(Naming.ADDRESS, own.value), own.line) if own else None
        return Connection(
            name=peer.name,
            line=peer.line,
            remotes=entries.peers,
            locals=(own,) if own else (Said("%any"),),
            versions=Said(frozenset({version}), entries.line),
            begins=version,
            modes=phase1.modes,
            begins_mode=phase1.begins_mode,
            authentication=phase1.authentication,
            offers=phase1.offers,
            seconds=phase1.seconds,
            local_id=phase1.local_id or by_address or Said(Ident(Naming.OWN)),
            remote_ids=phase1.remote_ids,
            dpd=phase1.dpd,
            children=tuple(children),
            keys=phase1.keys,
            troubles=(*troubles, *more),
        )

    def _peer(self, number: int, entries: maps.Entries) -> Peer:
        kind, name = entries.profile
        profile = self._config.named("crypto", kind, "profile", name)
        identities = remote_identities(profile, ikev2=entries.version is IkeVersion.V2)
        return Peer(
            key=number,
            name=entries.name,
            line=entries.blocks[0].head.number,
            addresses=tuple(said.value for said in entries.peers),
            identities=tuple(said.value for said in identities),
        )

    def _profile(self, entries: maps.Entries) -> Block | None:
        kind, name = entries.profile
        profile = self._config.named("crypto", kind, "profile", name)
        if name and profile is None:
            raise refuse(
                "compare-profile-missing",
                f"Line {entries.line:,} names a profile that is not in this text. "
                f"Paste its crypto {kind} profile as well.",
            )
        return profile


def _route_based(destination: str, line: int) -> Peer:
    return Peer(
        key=-1,
        name="tunnel interface",
        line=line,
        addresses=(destination,),
        refusal=(
            f"Line {line:,} is a tunnel interface towards the VPN gateway: a route-based tunnel, which negotiates "
            "one pair of ranges for everything. This tunnel has pairs of its own; use a crypto map."
        ),
    )


def _nothing(config: Config) -> RuleError:
    if config.all("crypto", "ikev1") or config.all("tunnel-group"):
        return refuse(
            "compare-other-device",
            "This looks like the configuration of a Cisco ASA. Only IOS and IOS-XE are compared.",
        )
    return refuse(
        "compare-no-connection",
        "There is no crypto map with ipsec-isakmp in it. Paste what show running-config prints.",
    )
