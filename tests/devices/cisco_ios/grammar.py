"""A reader of IOS configuration for one policy-based tunnel, written from Cisco's manuals (cited in router.py)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from tests.devices.cisco import alone, commands, obey
from tests.devices.cisco_ios.router import COMMANDS, Router
from tests.devices.prompt import address, network
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

_ADDRESS = r"([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)"
_ENDS = re.compile(rf"(any|host {_ADDRESS}|{_ADDRESS} {_ADDRESS})", re.ASCII)


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What the router would understand of the file. Raises BadFileError."""
    assert platform_id == "cisco-ios"
    if len(files) != 1:
        raise BadFileError(f"not one file: {list(files)}")
    router = Router()
    for command in commands(*files.values()):
        obey(router, command, COMMANDS)
    return _understood(router)


def _understood(router: Router) -> Understood:
    if not router.bound or not router.segments:
        raise BadFileError("an interface has no crypto map, or no limit of segments")
    local = alone(router.locals, "local address")
    peer = alone(router.peers, "peer")
    pairs = [_pair(entry, "permit") for entry in router.lists.pop(router.matched)]
    if not pairs or len(set(pairs)) != len(pairs):
        raise BadFileError("no pairs, or one twice")
    _check_other_lists(router, pairs, local, peer)
    _check_routes(router, pairs)
    said = {name: value for name, value in router.said.items() if name != "named"}
    return Understood(
        **said,  # type: ignore[arg-type]
        local_address=local,
        remote_address=peer,
        psk=alone(router.keys, "key"),
        pairs=tuple(sorted(pairs)),
        starts=_starts(router, pairs),
    )


def _pair(entry: str, action: str) -> tuple[str, str]:
    """`permit ip SOURCE DESTINATION`: wildcards for masks ([ACL]; permit (IP))."""
    if not entry.startswith(f"{action} ip "):
        raise BadFileError(f"no such entry here: {entry!r}")
    ends = entry.removeprefix(f"{action} ip ")
    source = _ENDS.match(ends)
    if not source or ends[source.end() : source.end() + 1] != " ":
        raise BadFileError(f"no source: {entry!r}")
    destination = _ENDS.fullmatch(ends, source.end() + 1)
    if not destination:
        raise BadFileError(f"no destination: {entry!r}")
    return _range(source), _range(destination)


def _range(match: re.Match[str]) -> str:
    if match[1] == "any":
        return "0.0.0.0/0"
    if match[2]:
        return f"{address(match[2])}/32"
    return network(match[3], match[4], wildcard=True)


def _check_other_lists(router: Router, pairs: list[tuple[str, str]], local: str, peer: str) -> None:
    """The lists that are not ours get entries in front: the pairs denied to NAT, IKE and ESP let in."""
    ends = f"host {peer} host {local}"
    openings = [
        f"permit udp {ends} eq isakmp",
        f"permit udp {ends} eq non500-isakmp",
        f"permit esp {ends}",
    ]
    if router.renumbered != list(router.lists):
        raise BadFileError("a list is not renumbered, or one that has no entries")
    for name, entries in router.lists.items():
        texts = []
        for position, entry in enumerate(entries, start=1):
            sequence, _, text = entry.partition(" ")
            if sequence != str(position):
                raise BadFileError(f"out of order in {name}: {entry!r}")
            texts.append(text)
        if texts != openings and [_pair(text, "deny") for text in texts] != pairs:
            raise BadFileError(f"neither exemption nor opening: {name}")


def _check_routes(router: Router, pairs: list[tuple[str, str]]) -> None:
    remotes = {remote for _, remote in pairs if remote != "0.0.0.0/0"}
    if router.routes and (
        len(set(router.routes)) != len(router.routes) or set(router.routes) != remotes
    ):
        raise BadFileError("the routes are not those to the VPN gateway's ranges")


def _starts(router: Router, pairs: list[tuple[str, str]]) -> bool:
    """Whether every pair is pinged, so that each is negotiated without anybody's traffic."""
    if list(router.pings) != router.scheduled:
        raise BadFileError("an operation is not scheduled, or twice")
    if not router.pings:
        return False
    targets = [ipaddress.ip_address(target) for target in router.pings.values()]
    if len(targets) != len(pairs) or not all(
        target in ipaddress.ip_network(remote)
        for target, (_, remote) in zip(targets, pairs, strict=True)
    ):
        raise BadFileError("a pair is not pinged")
    return True
