"""What VyOS needs around the tunnel: NAT exemption, firewall, TCP segments, the address of the health check.

VyOS documentation, "NAT44", "IPv4 Firewall Configuration", "IPv6 Firewall Configuration", "Policy Route", "Dummy".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.questions import Answers
from tunnels.devices.viewpoint import Viewpoint
from tunnels.domain.addresses import Address

# What came out of a tunnel; the name changed with 1.5 (T4694).
_FROM_TUNNEL = {"1.4": "ipsec match-ipsec", "1.5": "ipsec match-ipsec-in"}
_FAMILIES = {4: "ipv4", 6: "ipv6"}
_PINGS = {4: "icmp", 6: "ipv6-icmp"}
_POLICIES = {4: "route", 6: "route6"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines under a comment, without their `set`."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A numbered rule: `path` is its place, `lines` are what it says."""

    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules around one tunnel, by what they are for."""

    nat: tuple[Rule, ...]
    entering: tuple[Rule, ...]
    forwarded: tuple[Rule, ...]

    def __iter__(self) -> Iterator[Rule]:
        return iter((*self.nat, *self.entering, *self.forwarded))

    def spans(self) -> list[str]:
        """Which numbers are taken: `nat source rule 1 to 3`, one text for each kind of rule."""
        numbers: dict[str, list[str]] = {}
        for rule in self:
            kind, _, number = rule.path.rpartition(" ")
            numbers.setdefault(kind, []).append(number)
        return [
            f"{kind} {found[0]} to {found[-1]}" if found[1:] else f"{kind} {found[0]}"
            for kind, found in numbers.items()
        ]


def rules_of(order: Order, view: Viewpoint) -> Rules:
    """The numbered rules of the tunnel, from the numbers that its owner gave."""
    first, from_tunnel = int(order.answers["firewall_rule"]), _FROM_TUNNEL[order.version]
    return Rules(
        nat=tuple(_nat(order.answers, view)),
        entering=tuple(_entering(first, view, from_tunnel)),
        forwarded=tuple(_forwarded(first, view, from_tunnel)),
    )


def sections_of(order: Order, view: Viewpoint, rules: Rules) -> Iterator[Section]:
    """All that stands below the tunnel itself."""
    if rules.nat:
        yield _section("No NAT between the ranges", rules.nat)
    yield _section("Firewall: what the VPN gateway sends to this device", rules.entering)
    yield _section("Firewall: the ranges of each pair, both ways", rules.forwarded)
    yield Section(
        title="TCP segments that fit into the tunnel", lines=tuple(_segments(order, view))
    )
    if view.probe:
        yield Section(
            title="The address that answers the health check",
            lines=(probe_address(order.answers, view.probe[0]),),
        )


def policies_of(order: Order, view: Viewpoint) -> dict[int, str]:
    """IP version → the path of the policy that changes the TCP segments, for the versions that are carried."""
    versions = sorted({pair.local.version for pair in view.pairs})
    return {version: f"policy {_POLICIES[version]} {order.spec.id}" for version in versions}


def probe_address(answers: Answers, asked: Address) -> str:
    """The line that gives the device the address of the health check."""
    return f"interfaces dummy {answers['dummy']} address '{asked}/{asked.max_prefixlen}'"


def _section(title: str, rules: tuple[Rule, ...]) -> Section:
    lines = tuple(f"{rule.path} {line}" for rule in rules for line in rule.lines)
    return Section(title=title, lines=lines)


def _nat(answers: Answers, view: Viewpoint) -> Iterator[Rule]:
    pairs = [pair for pair in view.pairs if pair.local.version == 4]
    for number, pair in enumerate(pairs, start=int(answers.get("nat_rule", 1))):
        yield Rule(
            path=f"nat source rule {number}",
            lines=(
                f"outbound-interface name '{answers['outside']}'",
                f"source address '{pair.local}'",
                f"destination address '{pair.remote}'",
                "exclude",
            ),
        )


def _entering(first: int, view: Viewpoint, from_tunnel: str) -> Iterator[Rule]:
    gateway = view.gateway.address
    source = f"source address '{gateway}'"
    path = f"firewall {_FAMILIES[gateway.version]} input filter rule"
    yield _accept(f"{path} {first}", "protocol 'udp'", source, "destination port '500,4500'")
    yield _accept(f"{path} {first + 1}", "protocol 'esp'", source)
    if view.probe:
        asked, asking = view.probe
        yield _accept(
            f"firewall {_FAMILIES[asked.version]} input filter rule {first + 2}",
            f"protocol '{_PINGS[asked.version]}'",
            f"source address '{asking}'",
            f"destination address '{asked}'",
            from_tunnel,
        )


def _forwarded(first: int, view: Viewpoint, from_tunnel: str) -> Iterator[Rule]:
    for pair in view.pairs:
        path = f"firewall {_FAMILIES[pair.local.version]} forward filter rule"
        number = first + 2 * (pair.number - 1)
        yield _accept(
            f"{path} {number}",
            f"source address '{pair.local}'",
            f"destination address '{pair.remote}'",
        )
        yield _accept(
            f"{path} {number + 1}",
            f"source address '{pair.remote}'",
            f"destination address '{pair.local}'",
            from_tunnel,
        )


def _accept(path: str, *lines: str) -> Rule:
    return Rule(path=path, lines=("action 'accept'", *lines))


def _segments(order: Order, view: Viewpoint) -> Iterator[str]:
    for version, policy in policies_of(order, view).items():
        # A packet meets the policy where it enters: from the site inside, from the tunnel outside.
        for interface in dict.fromkeys((order.answers["inside"], order.answers["outside"])):
            yield f"{policy} interface '{interface}'"
        for pair in view.pairs:
            if pair.local.version == version:
                first = 2 * pair.number - 1
                ways = ((pair.local, pair.remote), (pair.remote, pair.local))
                for number, (source, destination) in enumerate(ways, start=first):
                    yield f"{policy} rule {number} protocol 'tcp'"
                    yield f"{policy} rule {number} tcp flags syn"
                    yield f"{policy} rule {number} source address '{source}'"
                    yield f"{policy} rule {number} destination address '{destination}'"
                    yield f"{policy} rule {number} set tcp-mss '{SAFE_MSS}'"
