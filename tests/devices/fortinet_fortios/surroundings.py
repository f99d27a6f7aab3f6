"""What a tunnel needs on FortiOS besides its two phases: addresses, routes and policies, and nothing else.

Written from the FortiOS CLI Reference 7.4: `config firewall address`, `address6` and `policy`, `config router static`
and `static6`, `config system interface`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from tests.devices.fortinet_fortios.entries import Network, Pair, Settings, name_of
from tests.devices.fortinet_fortios.script import Entry, Table, Text
from tests.devices.understood import BadFileError

ZONE = re.compile(r"[^<>()#'\"\\?$]{1,35}")
MSS = "1300"


def check_surroundings(
    found: Mapping[str, Table], tunnel: str, outside: str, peer: str, pairs: Mapping[str, Pair]
) -> None:
    """Raises BadFileError unless each pair passes, is routed, and has its addresses. No route takes the way to the
    peer into the tunnel.
    """
    owned = _interface(found.get("system interface"), tunnel, pairs)
    objects = {
        **_objects(found.get("firewall address"), 4),
        **_objects(found.get("firewall address6"), 6),
    }
    remotes = {
        remote
        for _, remote in pairs.values()
        if remote.prefixlen and ipaddress.ip_address(peer) not in remote
    }
    for path, version in (("router static", 4), ("router static6", 6)):
        wanted = {remote for remote in remotes if remote.version == version}
        _routes(found.get(path), tunnel, version, wanted)
    if "firewall policy" not in found:
        raise BadFileError("no policies")
    policies = _policies(found["firewall policy"], tunnel, outside, objects)
    for name, (local, remote) in pairs.items():
        ways = {f"{name}-out": ("out", local, remote), f"{name}-in": ("in", remote, local)}
        both = {way: policies.pop(way, None) for way in ways}
        if both != ways and not (name in owned and set(both.values()) == {None}):
            raise BadFileError(f"{name} does not pass both ways: {both}")
    if policies:
        raise BadFileError(f"policies for nothing: {sorted(policies)}")


def _interface(table: Table | None, tunnel: str, pairs: Mapping[str, Pair]) -> set[str]:
    """The tunnel interface has an address inside a pair, and answers pings. Returns the pairs that are of it alone."""
    if table is None:
        return set()
    if [entry.name for entry in table.entries] != [Text(tunnel)]:
        raise BadFileError("not the tunnel interface alone")
    [entry] = table.entries
    six = entry.blocks.pop("ipv6", None)
    one = Settings(six or entry)
    if six:
        Settings(entry).done()
        asked, asking = one.network("ip6-address", 6), None
    else:
        asked, asking = one.network("ip", 4), one.network("remote-ip", 4)
    one.word("ip6-allowaccess" if six else "allowaccess", {"ping"})
    one.done()
    covered = {
        name
        for name, (local, remote) in pairs.items()
        if _host_of(asked, local) and (asking is None or _host_of(asking, remote))
    }
    if not covered:
        raise BadFileError("no pair covers the interface's address")
    return {name for name in covered if pairs[name][0] == asked}


def _host_of(host: Network, network: Network) -> bool:
    return (
        host.prefixlen == host.max_prefixlen
        and host.version == network.version
        and host.network_address in network
    )


def _objects(table: Table | None, version: int) -> dict[str, Network]:
    found: dict[str, Network] = {}
    for entry in table.entries if table else ():
        one = Settings(entry)
        name = name_of(one, re.compile("[a-z0-9-]{1,79}"))
        if name in found:
            raise BadFileError(f"address {name} twice")
        found[name] = one.network("subnet" if version == 4 else "ip6", version)
        one.done()
    return found


def _routes(table: Table | None, tunnel: str, version: int, wanted: set[Network]) -> None:
    """Each wanted range has one route into the tunnel and one to nowhere that steps in when the first is gone."""
    into: list[Network] = []
    nowhere: list[Network] = []
    for entry in table.entries if table else ():
        one = _unnumbered(entry)
        destination = one.network("dst", version)
        if one.text("comment") != tunnel:
            raise BadFileError("a route that nobody finds again")
        if "blackhole" in one.left:
            one.word("blackhole", {"enable"})
            one.number("distance", 11, 254)
            nowhere.append(destination)
        else:
            if one.text("device") != tunnel:
                raise BadFileError("a route to elsewhere")
            into.append(destination)
        one.done()
    ordered = sorted(wanted, key=str)
    if sorted(into, key=str) != ordered or sorted(nowhere, key=str) != ordered:
        raise BadFileError(f"routes {into} and {nowhere}, but wanted are {ordered}")


Policy = tuple[str, Network, Network]


def _policies(
    table: Table, tunnel: str, outside: str, objects: Mapping[str, Network]
) -> dict[str, Policy]:
    """Name → direction, source and destination; all between the tunnel and one inside, with all addresses used."""
    policies: dict[str, Policy] = {}
    insides: set[str] = set()
    used: set[str] = set()
    for entry in table.entries:
        one = _unnumbered(entry)
        name, source, target = one.text("name"), one.text("srcintf"), one.text("dstintf")
        if name in policies or (source == tunnel) == (target == tunnel) or len(name) > 35:
            raise BadFileError(f"policy {name}: twice, or not between the tunnel and the inside")
        insides.add(target if source == tunnel else source)
        ends = _ends(one, objects)
        used.update(ends)
        way = "in" if source == tunnel else "out"
        policies[name] = (way, objects[ends[0]], objects[ends[1]])
        _passes(one)
    if len(insides) != 1 or not all(ZONE.fullmatch(one) and one != outside for one in insides):
        raise BadFileError(f"not one inside: {insides}")
    if used != objects.keys():
        raise BadFileError(f"addresses that no policy uses: {sorted(objects.keys() - used)}")
    return policies


def _unnumbered(entry: Entry) -> Settings:
    if entry.name != "0":
        raise BadFileError(f"number {entry.name} may be in use")
    return Settings(entry)


def _ends(one: Settings, objects: Mapping[str, Network]) -> tuple[str, str]:
    """The names of the source and the destination address, of the same family."""
    six = "6" if "srcaddr6" in one.left else ""
    ends = (one.text(f"srcaddr{six}"), one.text(f"dstaddr{six}"))
    for end in ends:
        if end not in objects or objects[end].version != (6 if six else 4):
            raise BadFileError(f"no such address: {end}")
    return ends


def _passes(one: Settings) -> None:
    one.word("action", {"accept"})
    one.word("nat", {"disable"})
    for key, value in (("schedule", "always"), ("service", "ALL")):
        if one.text(key) != value:
            raise BadFileError(f"{key} is not {value}")
    one.word("tcp-mss-sender", {MSS})
    one.word("tcp-mss-receiver", {MSS})
    one.done()
