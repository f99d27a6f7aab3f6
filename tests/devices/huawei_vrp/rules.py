"""Reads a firewall's policies and a router's NAT: what they let pass, and what they spare from translation.

USG6000E V600 Product Documentation, *Security Policy* and *NAT Policy*: a rule without an address matches every one;
rules are tried from the top. AR *NAT*: what the ACL of `nat outbound` denies is not translated.
"""

from __future__ import annotations

import ipaddress
import re

from tests.devices.huawei_vrp.views import Read, read_view
from tests.devices.prompt import Command, network
from tests.devices.understood import BadFileError

_RANGE = r"([0-9.]{7,15}) mask ([0-9.]{7,15})"
_ZONE = r"([A-Za-z]\w{0,31})"
_RULE = {
    "source_zone": f"source-zone {_ZONE}",
    "destination_zone": f"destination-zone {_ZONE}",
    "source?": f"source-address {_RANGE}",
    "destination?": f"destination-address {_RANGE}",
}
_EVERYBODY = "0.0.0.0/0"
Pairs = tuple[tuple[str, str], ...]


def wild_range(first: str, wild: str) -> str:
    """A range of an ACL in CIDR notation; the mask has its ones where the address may differ."""
    bits = int(ipaddress.IPv4Address(wild))
    if bits & (bits + 1):
        raise BadFileError(f"not a wildcard mask: {wild}")
    return str(ipaddress.IPv4Network((first, 32 - bits.bit_length())))


def _ends(rule: Read) -> tuple[str, str]:
    ends = [
        network(*rule[side], wildcard=False) if side in rule else _EVERYBODY
        for side in ("source", "destination")
    ]
    return ends[0], ends[1]


def _named(view: Command, rules: dict[str, Read], grammar: dict[str, str]) -> None:
    """Add the rule of the view to `rules`. Raises BadFileError for a name that is there, or is none."""
    name = re.fullmatch(r"rule name ([A-Za-z0-9-]{1,32})", view.text)
    if not name or name[1] in rules:
        raise BadFileError(f"no rule, or twice: {view.text!r}")
    rules[name[1]] = read_view(view, grammar)


def check_security_policy(
    view: Command, ends: tuple[str, str], pairs: Pairs, own: str | None
) -> None:
    """Both ends and each pair pass in both directions, the health check in its own, and nothing else."""
    rules: dict[str, Read] = {}
    for inner in view.inner or ():
        _named(inner, rules, _RULE | {"action": "action permit"})
    device, gateway = (f"{end}/32" for end in ends)
    outer = next(
        (rule["source_zone"][0] for rule in rules.values() if _ends(rule) == (gateway, device)), ""
    )
    inner_zone = {
        rule["destination_zone"][0]
        for rule in rules.values()
        if rule["source_zone"] == (outer,) and rule["destination_zone"] != ("local",)
    }
    if len(inner_zone) != 1:
        raise BadFileError("not one zone for all ranges")
    [inside] = inner_zone
    wanted = {(outer, "local", gateway, device), ("local", outer, device, gateway)}
    for local, remote in pairs:
        wanted |= {(outer, inside, remote, local), (inside, outer, local, remote)}
    flows = [
        (rule["source_zone"][0], rule["destination_zone"][0], *_ends(rule)) for rule in rules.values()
    ]  # fmt: skip
    asking = [flow for flow in flows if flow not in wanted]
    if len(set(flows)) != len(flows) or set(flows) - set(asking) != wanted:
        raise BadFileError("the firewall stays closed")
    if bool(own) != bool(asking) or any(
        flow[:2] != (outer, "local") or flow[3] != f"{own}/32" or not flow[2].endswith("/32")
        for flow in asking
    ):
        raise BadFileError("the firewall opens too far, or not for the health check")


def check_nat_policy(view: Command, pairs: Pairs) -> None:
    """Each pair keeps its addresses, by a rule that is moved to the top."""
    rules: dict[str, Read] = {}
    moved = []
    for inner in view.inner or ():
        move = re.fullmatch("rule move (.+) top", inner.text)
        if move and inner.inner is None and move[1] in rules:
            moved.append(move[1])
        else:
            _named(inner, rules, _RULE | {"action": "action no-nat"})
    if tuple(sorted(_ends(rule) for rule in rules.values())) != pairs or sorted(moved) != sorted(
        rules
    ):
        raise BadFileError("NAT translates the tunnel's packets, or spares others")
    if len({(rule["source_zone"], rule["destination_zone"]) for rule in rules.values()}) != 1:
        raise BadFileError("not the same zones everywhere")


def nat_acl(view: Command) -> Pairs:
    """The pairs that the ACL of a router's NAT denies, sorted."""
    found = []
    numbers = set()
    for line in view.inner or ():
        rule = re.fullmatch(
            r"rule (\d+) deny ip source (\S+) (\S+) destination (\S+) (\S+)", line.text
        )
        if not rule or rule[1] in numbers:
            raise BadFileError(f"no rule of its own for NAT: {line.text!r}")
        numbers.add(rule[1])
        found.append((wild_range(rule[2], rule[3]), wild_range(rule[4], rule[5])))
    return tuple(sorted(found))
