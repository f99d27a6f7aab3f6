"""What stands around the tunnel, as Comware would take it: ACLs, routes, NQA operations and the security policy."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.devices.understood import BadFileError

Found = dict[str, dict[str, Any]]
Pairs = tuple[tuple[str, str], ...]


def acl_pairs(acl: dict[str, Any], action: str) -> Pairs:
    """The pairs of an ACL, all of whose rules have this action and a number of their own."""
    rules = acl["rules"]
    if any(rule[1] != action for rule in rules) or len({int(rule[0]) for rule in rules}) < len(
        rules
    ):
        raise BadFileError("a rule that does something else, or takes another one's place")
    return tuple(sorted((_network(rule[2]), _network(rule[3])) for rule in rules))


def _network(text: str) -> str:
    if text == "any":
        return "0.0.0.0/0"
    address, wild = text.split()
    # ipaddress reads a mask that begins with 0 as a wildcard mask, and so must this be.
    if not wild.startswith("0.") and wild not in {"127.255.255.255", "255.255.255.255"}:
        raise BadFileError("a mask where a wildcard mask belongs")
    length = 32 - int(ipaddress.IPv4Address(wild)).bit_length()
    return str(ipaddress.IPv4Network((address, length)))


def exemption(views: Found, pairs: Pairs) -> None:
    """Another ACL is that of NAT, and keeps all pairs and nothing else from being translated."""
    acls = [view for key, view in views.items() if key.startswith("acl number")]
    if [acl_pairs(acl, "deny") for acl in acls] not in ([], [pairs]):
        raise BadFileError("something else is kept from NAT")


def routes(views: Found, pairs: Pairs) -> None:
    """Routes, if there are any, lead to all ranges of the VPN gateway, but do not take the default route's place."""
    routes = [f"{address}/{length}" for address, length, _ in views[""]["routes"]]
    hops = {hop for *_, hop in views[""]["routes"]}
    wanted = {remote for _, remote in pairs} - {"0.0.0.0/0"}
    if routes and (sorted(routes) != sorted(wanted) or len(hops) != 1):
        raise BadFileError("other routes")


def operations(views: Found, pairs: Pairs) -> Pairs:
    """(source, destination) of each ping, which is started and goes through a pair."""
    entries = {
        view["name"]: (view["source"], view["destination"])
        for key, view in views.items()
        if key.startswith("nqa entry")
    }
    if sorted((name,) for name in entries) != sorted(views[""]["schedules"]):
        raise BadFileError("an operation that is not started, or one that is not there")
    for ends in entries.values():
        if not any(all(map(_within, ends, pair)) for pair in pairs):
            raise BadFileError("a ping that does not go through the tunnel")
    return tuple(entries.values())


def _within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


def security_policy(views: Found, policy: dict[str, Any], pairs: Pairs, pinged: Pairs) -> None:
    """A firewall lets the two ends and each pair pass, in both directions, what it asks or answers itself, and nothing
    else.
    """
    if "security-policy ip" not in views:
        return
    flows = [_flow(rule) for rule in _rules(views["security-policy ip"]["lines"])]
    zones = {zone for flow in flows for zone in flow[:2]} - {"Local"}
    [(outer, _, _, _), *_] = flows
    [inner] = zones - {outer}
    ends = (policy["remote"], policy["local"])
    wanted = [(outer, "Local", *ends), ("Local", outer, *ends[::-1])]
    for local, remote in pairs:
        wanted += [(outer, inner, remote, local), (inner, outer, local, remote)]
    wanted += [("Local", outer, *ping) for ping in pinged]
    if "interface LoopBack" in views:
        asked = views["interface LoopBack"]["address"]
        others = [flow for flow in flows if flow not in wanted]
        single = [(flow[0], flow[1], "/" in flow[2], flow[3]) for flow in others]
        if single != [(outer, "Local", False, asked)]:
            raise BadFileError("the health check is not let in")
        wanted += others
    if sorted(flows) != sorted(wanted):
        raise BadFileError("the firewall stays closed, or opens too far")


def _rules(lines: list[str]) -> list[list[str]]:
    """The lines of each rule, between its name and its end."""
    rules: list[list[str]] = []
    names: list[str] = []
    for at, line in enumerate(lines):
        if line.startswith("rule name "):
            if at and lines[at - 1] != " quit":
                raise BadFileError("a rule that is not left")
            names.append(line)
            rules.append([])
        elif line != " quit":
            rules[-1].append(line.strip())
    if lines[-1] != " quit" or len(set(names)) < len(names):
        raise BadFileError("a rule that is not left, or one that takes another one's place")
    return rules


def _flow(rule: list[str]) -> tuple[str, str, str, str]:
    """(zone and addresses from which, zone and addresses to which), as (from zone, to zone, from, to)."""
    said: dict[str, str] = {}
    for line in rule:
        name, value = line.split(" ", 1)
        name = name.removesuffix("-host").removesuffix("-subnet")
        if name in said:
            raise BadFileError(f"twice: {name}")
        said[name] = value.replace(" ", "/")
    if said.pop("action") != "pass":
        raise BadFileError("a rule that lets nothing pass")
    return (
        said["source-zone"],
        said["destination-zone"],
        said.get("source-ip", "0.0.0.0/0"),
        said.get("destination-ip", "0.0.0.0/0"),
    )
